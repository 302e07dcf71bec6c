"""The cell magic ``%%verilog counter.v``: writes the file, and shows what Verilator finds, at its lines."""

from __future__ import annotations

import html
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

from IPython import display as ipython
from IPython.core.error import UsageError

from .errors import A6HubError
from .linting import Findings, lint

SUFFIXES = (".v", ".sv", ".vh", ".svh")
USAGE = "Write %%verilog and the name of a file, as in %%verilog counter.v; --top NAME names the top module."


class SourceFindings:
    """Findings of a linter, each under its line of the source."""

    def __init__(self, name: str, source: str, findings: Findings) -> None:
        self.name, self.source, self.findings = name, source, findings

    def _at(self, line: int) -> list[dict[str, Any]]:
        return [f for f in self.findings if f["file"] == self.name and f["line"] == line]

    @property
    def _elsewhere(self) -> list[dict[str, Any]]:
        count = len(self.source.splitlines())
        return [f for f in self.findings if f["file"] != self.name or not 1 <= f["line"] <= count]

    def __str__(self) -> str:
        if not self.findings:
            return f"✓ {self.name}: written, no findings."
        lines = [f"{self.name}: written, {_counted(self.findings)}."]
        for number, text in enumerate(self.source.splitlines(), 1):
            for finding in self._at(number):
                lines += [f"{number:5} | {text}", f"      | {' ' * (finding['column'] - 1)}^ {_sentence(finding)}"]
        lines += [f"{f['file']}:{f['line']}: {_sentence(f)}" for f in self._elsewhere]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        name = html.escape(self.name)
        if not self.findings:
            return f"<p>✓ <code>{name}</code> written, no findings.</p>"
        rows = []
        lines = self.source.splitlines()
        shown = {n + d for n in range(1, len(lines) + 1) if self._at(n) for d in (-1, 0, 1)}
        last = 0
        for number in sorted(n for n in shown if 1 <= n <= len(lines)):
            if last and number > last + 1:
                rows.append("<div style='opacity:.5'>   ⋮</div>")
            last = number
            found = self._at(number)
            back = "background:rgba(255, 160, 0, 0.16)" if found else ""  # on light and on dark paper
            code = html.escape(lines[number - 1])
            rows.append(f"<div style='{back}'><span style='opacity:.6'>{number:5} </span>{code or ' '}</div>")
            rows += [_row(f) for f in found]
        rows += [_row(f, f"{f['file']}:{f['line']} ") for f in self._elsewhere]
        style = "margin:0;padding:4px 0;line-height:1.5;overflow-x:auto;color:var(--jp-content-font-color1, inherit)"
        body = "".join(rows)
        return (
            f"<p><code>{name}</code> written, {html.escape(_counted(self.findings))}.</p>"
            f"<pre style='{style}' aria-label='Findings in {name}'>{body}</pre>"
        )


def _row(finding: dict[str, Any], where: str = "") -> str:
    error = finding["severity"] == "error"
    colour = "var(--jp-error-color1, #c62828)" if error else "var(--jp-warn-color0, #b35900)"
    indent = 0 if where else 5 + finding["column"]
    text = html.escape(f"{where}{_sentence(finding)}")
    style = f"margin-left:{indent}ch;padding-left:2ch;text-indent:-2ch;white-space:pre-wrap"
    return f"<div style='{style}'><b style='color:{colour}'>{'✗' if error else '⚠'}</b> {text}</div>"


def _sentence(finding: dict[str, Any]) -> str:
    return f"{finding['severity']} {finding['code']}: {finding['message']}"


def _counted(findings: Findings) -> str:
    errors = len(findings.errors)
    parts = [(errors, "error"), (len(findings) - errors, "warning")]
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in parts if n)


def verilog(line: str, cell: str) -> None:
    """Write the cell to the file that the line names, lint it, and show the findings.

    ``%%verilog counter.v`` or ``%%verilog rtl/counter.v --top counter``. The file lies in the working directory or
    below it, ends in .v, .sv, .vh or .svh, and is replaced whole or not at all.
    """
    name, top = _arguments(line)
    path = _confined(name)
    source = cell if cell.endswith("\n") else cell + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, source)
    except OSError as error:
        raise UsageError(f"{name} could not be written: {error.strerror}.") from None
    if path.suffix in {".vh", ".svh"}:  # what is included is no module by itself
        _display(SourceFindings(name, source, Findings()))
        return
    try:
        findings = lint(name, top=top)
    except A6HubError as error:
        raise UsageError(f"{name} is written, but could not be checked: {error}") from None
    _display(SourceFindings(path.relative_to(Path.cwd().resolve()).as_posix(), source, findings))


def _display(findings: SourceFindings) -> None:
    show: Any = ipython.display  # IPython's is not typed
    show(findings)


def _arguments(line: str) -> tuple[str, str | None]:
    try:
        words = shlex.split(line)
    except ValueError:
        raise UsageError(USAGE) from None
    top = None
    if "--top" in words:
        at = words.index("--top")
        top = words[at + 1] if at + 1 < len(words) else ""
        del words[at : at + 2]
    if len(words) != 1 or words[0].startswith("-") or top == "":
        raise UsageError(USAGE)
    return words[0], top


def _confined(name: str) -> Path:
    here = Path.cwd().resolve()
    path = (here / name).resolve()
    if not path.is_relative_to(here) or path == here:
        raise UsageError(f"'{name}' lies outside the working directory; name a file in {here.name} or below it.")
    if path.suffix not in SUFFIXES:
        raise UsageError(f"'{name}' is no Verilog file by its name; end it with {', '.join(SUFFIXES)}.")
    if path.is_dir():
        raise UsageError(f"'{name}' is a directory; name a file.")
    return path


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def register(shell: Any) -> None:
    """Give a shell the magic."""
    shell.register_magic_function(verilog, magic_kind="cell", magic_name="verilog")
