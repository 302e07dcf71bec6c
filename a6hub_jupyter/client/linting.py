"""Linting from a notebook: Verilator's findings, as a list that shows itself as a table."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from .server import current_server


def lint(*verilog_files: str | Path, top: str | None = None, directory: str | Path | None = None) -> Findings:
    """Check Verilog files with Verilator; paths are relative to ``directory`` (default: the working directory)."""
    body = {
        "design_dir": str(Path(directory or ".").resolve()),
        "verilog_files": [Path(f).as_posix() for f in verilog_files],
        "top": top,
    }
    return Findings(current_server().post("lint", body)["findings"])


class Findings(list[dict[str, Any]]):
    """What the linter found: dicts with severity (error, warning), code, file, line, column and message."""

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Those that keep a build from succeeding."""
        return [f for f in self if f["severity"] == "error"]

    def __str__(self) -> str:
        if not self:
            return "No findings: the Verilog is clean."
        return "\n".join(
            f"{f['file']}:{f['line']}:{f['column']}: {f['severity']} {f['code']}: {f['message']}" for f in self
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self:
            return "<p>✓ No findings: the Verilog is clean.</p>"
        rows = "".join(
            f"<tr><td>{'✗' if f['severity'] == 'error' else '⚠'} {f['severity']}</td>"
            f"<td>{html.escape(f['file'])}:{f['line']}</td>"
            f"<td style='text-align:left'>{html.escape(f['message'])} <small>{html.escape(f['code'])}</small></td></tr>"
            for f in self
        )
        return f"<table><tr><th></th><th>where</th><th style='text-align:left'>what</th></tr>{rows}</table>"
