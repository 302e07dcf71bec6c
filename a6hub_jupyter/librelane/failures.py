"""What to tell a person when a flow has failed: LibreLane's own message, and the tool's own line where it has one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# How the tools mark an error in their logs. Only to choose the line to show; the state never comes from here.
_MARKS = (
    re.compile(r"^%Error(?:-\w+)?: (?P<text>.+)"),  # Verilator
    re.compile(r"^(?:.*: )?ERROR: (?P<text>.+)"),  # Yosys
    re.compile(r"^\[ERROR[^]]*\] ?(?P<text>.+)"),  # OpenROAD
    re.compile(r"^Error: (?P<text>.+)", re.IGNORECASE),  # our own steps
)
_LOCATION = re.compile(r"^(?P<file>[^:\s]+):(?P<line>\d+):(?:(?P<column>\d+):)? *(?P<text>.+)")
_MAX_LOG = 4 << 20
_MAX_DETAIL_LINES = 12


def explain(run_dir: Path, failed: list[tuple[str, str]], exit_code: int) -> dict[str, Any]:
    """Return ``{message, step?, detail?}`` for a run that has failed.

    ``failed`` holds (step id, directory name) of the steps without a result, in order. The message is one sentence;
    ``detail`` are lines of the tool's log.
    """
    message = _first_error(run_dir / "error.log")
    for step_id, directory in failed:
        lines = _marked_lines(run_dir / directory)
        if lines:
            return {"message": _sentence(lines[0]), "step": step_id, "detail": "\n".join(lines)}
    if "lint" in (message or "").lower():  # the checker counts; what was found stands in the linter's log
        for linted in sorted(run_dir.glob("*-verilator-lint")):
            lines = _marked_lines(linted)
            if lines:
                return {"message": _sentence(lines[0]), "step": "Verilator.Lint", "detail": "\n".join(lines)}
    error: dict[str, Any] = {"message": message or f"LibreLane ended with exit code {exit_code}; its log says why."}
    if failed:
        error["step"] = failed[-1][0]
    return error


def _first_error(path: Path) -> str | None:
    for line in _lines(path):
        text = line.strip()
        if text and not text.startswith("LibreLane will now quit"):
            return text.removesuffix(" - deferred")
    return None


def _marked_lines(directory: Path) -> list[str]:
    found: list[str] = []
    for log in sorted(directory.glob("*.log")):
        for line in _lines(log):
            for mark in _MARKS:
                match = mark.match(line)
                if match and not match["text"].startswith("Exiting due to"):
                    found.append(match["text"].strip())
                    break
            if len(found) >= _MAX_DETAIL_LINES:
                return found
    return found


def _sentence(line: str) -> str:
    """Turn ``/a/b/counter.v:3:7: syntax error`` into ``counter.v, line 3: syntax error``."""
    match = _LOCATION.match(line)
    return f"{Path(match['file']).name}, line {match['line']}: {match['text']}" if match else line


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_LOG).decode(errors="replace").splitlines()
    except OSError:
        return []
