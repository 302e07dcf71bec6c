"""A design: Verilog files and LibreLane's settings for them."""

from __future__ import annotations

import difflib
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .build import Build
from .server import current_server

_BUILD_OPTIONS = (
    "pdk",
    "scl",
    "flow",
    "toolchain",
    "from_step",
    "to_step",
    "only",
    "skip",
    "tags",
    "timeout",
    "cores",
    "memory",
)


class Design:
    """A design in a directory.

    ``name`` is the top module. ``verilog_files`` are paths relative to ``directory`` (default: the working directory).
    ``clock_period`` is in nanoseconds; a design without a clock leaves ``clock_port`` out. ``config`` takes all other
    LibreLane variables by their own names and in LibreLane's units (nanoseconds, micrometres, percent), for example
    ``{"FP_CORE_UTIL": 40}``. ``options`` are those of ``build``: pdk, scl, flow, toolchain, ...
    """

    def __init__(
        self,
        name: str,
        *,
        verilog_files: Sequence[str | Path],
        clock_port: str | None = None,
        clock_period: float | None = None,
        directory: str | Path | None = None,
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if isinstance(verilog_files, (str, Path)):
            verilog_files = [verilog_files]
        self.name = name
        self.directory = Path(directory or ".").resolve()
        self.config: dict[str, Any] = {
            "DESIGN_NAME": name,
            "VERILOG_FILES": [f"dir::{Path(f).as_posix()}" for f in verilog_files],
        }
        if clock_port is not None:
            self.config["CLOCK_PORT"] = clock_port
        if clock_period is not None:
            self.config["CLOCK_PERIOD"] = clock_period
        self.config.update(config or {})
        self.options = _checked(options, "Design")

    def build(self, *, config: Mapping[str, Any] | None = None, **options: Any) -> Build:
        """Start a build and return it at once; it runs on the server and needs this kernel no more.

        ``config`` and ``options`` win over those of the design: ``pdk``, ``scl`` (standard-cell library), ``flow``,
        ``toolchain``, ``from_step``, ``to_step``, ``only``, ``skip`` (step ids), ``tags``, ``timeout`` (seconds),
        ``cores``, ``memory`` (bytes). RequestRefusedError names each bad field.
        """
        request = {**self.options, **_checked(options, "build")}
        request.update(design_dir=str(self.directory), name=self.name, config={**self.config, **(config or {})})
        return Build(current_server().post("builds", request))

    def lint(self) -> Findings:
        """Check the Verilog with Verilator, within a second or so."""
        files = [f.removeprefix("dir::") for f in self.config["VERILOG_FILES"]]
        return lint(*files, top=self.name, directory=self.directory)

    def __repr__(self) -> str:
        return f"Design({self.name!r}, {', '.join(f.removeprefix('dir::') for f in self.config['VERILOG_FILES'])})"


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


def _checked(options: dict[str, Any], where: str) -> dict[str, Any]:
    for name in options:
        if name not in _BUILD_OPTIONS:
            close = difflib.get_close_matches(name, _BUILD_OPTIONS, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else "LibreLane's own variables go into config={...}."
            raise TypeError(f"{where}() has no option '{name}'. {hint}")
    return options
