"""What a person gets wrong most often in a design, with words for it: its files, its top module, its clock."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .findings import Finding, finding, nearest

if TYPE_CHECKING:
    from .verilog import Sources


def check_design(values: Mapping[str, Any], design_dir: Path) -> Iterator[Finding]:
    """Check the files of a configuration, and the top module and clock that it names; paths count from the design's."""
    files = values.get("VERILOG_FILES")
    names = [files] if isinstance(files, str) else list(_flat(files)) if isinstance(files, list) else []
    if not names:
        if "VHDL_FILES" not in values:
            message = "The design has no Verilog file."
            yield finding("config.VERILOG_FILES", message, "Name at least one, as in verilog_files=['counter.v'].")
        return
    paths = [design_dir / name for name in names]
    for path in paths:
        if not path.is_file():
            there = sorted(p.name for p in design_dir.glob("*.*v"))[:20]
            hint = f"The directory {design_dir.name} holds: {', '.join(there)}." if there else "Write the file first."
            yield finding("config.VERILOG_FILES", f"The Verilog file '{path.name}' does not exist.", hint)
            return
    if importlib.util.find_spec("pyslang") is None:  # in another LibreLane's Python: it is asked for the variables
        return
    from .verilog import read_sources  # noqa: PLC0415 - see above

    include = values.get("VERILOG_INCLUDE_DIRS") or []
    try:
        sources = read_sources(paths, [design_dir / d for d in _flat(include)])
    except OSError as error:
        remedy = f"{error.strerror}; mend that first."
        yield finding("config.VERILOG_FILES", f"'{error.filename}' cannot be read.", remedy)
        return
    if not sources.has_syntax_errors:  # else LibreLane's linter says it better, with the line
        yield from _check_top(values, sources, [p.name for p in paths])


def _flat(names: Any) -> Iterator[str]:
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, list):
            yield from _flat(name)
        elif isinstance(name, str):
            yield name


def _check_top(values: Mapping[str, Any], sources: Sources, names: list[str]) -> Iterator[Finding]:
    top = values.get("DESIGN_NAME", "")
    if not isinstance(top, str):
        return
    ports = sources.modules.get(top)
    where = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    if ports is None:
        known = sources.tops or list(sources.modules)
        hint = nearest(top, known) if known else "Write a module first."
        yield finding("config.DESIGN_NAME", f"No module '{top}' is defined in {where}.", hint)
        return
    clock = values.get("CLOCK_PORT")
    clocks = list(_flat(clock))
    inputs = [p.name for p in ports if p.direction in {"input", "inout", ""}]
    for port in clocks:
        if port not in inputs:
            hint = f"{nearest(port, inputs)} A design without a clock leaves clock_port out." if inputs else ""
            message = f"The module '{top}' has no input port '{port}' to be its clock."
            yield finding("config.CLOCK_PORT", message, hint or "Leave clock_port out for a design without a clock.")
