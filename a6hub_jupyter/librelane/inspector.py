"""Checks build requests with LibreLane itself: ``python -m a6hub_jupyter.librelane.inspector``, one JSON line each way.

It is a process of its own (see ``worker``), so that the server never loads LibreLane, and its environment is the
toolchain's, so that the plugins found are those that the build will find.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from librelane.config import Config, InvalidConfig
from librelane.flows import Flow

from .verilog import Sources, read_sources

Finding = dict[str, str]


def finding(field: str, message: str, remedy: str) -> Finding:
    """Return one entry of a refusal: the field, one sentence on what is wrong, one on what to do."""
    return {"field": field, "message": message, "remedy": remedy}


def nearest(name: str, known: list[str]) -> str:
    """Return a hint with the nearest of ``known``, or the first few of them."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(close)}?" if close else f"Choose one of: {', '.join(known[:12])}."


def check(request: dict[str, Any]) -> dict[str, Any]:
    """Return ``{errors, warnings, steps}`` for a request (fields as in ``builds.model.BuildRequest``)."""
    flow = Flow.factory.get(request["flow"])
    if flow is None:
        known = sorted(Flow.factory.list())
        message = f"LibreLane knows no flow '{request['flow']}'."
        return {
            "errors": [finding("flow", message, nearest(request["flow"], known))],
            "warnings": [],
            "steps": [],
        }
    config, design_dir = request["config"], Path(request["design_dir"])
    errors = list(_check_basics(config, design_dir))
    warnings: list[str] = []
    steps, step_errors = _steps(flow, request)
    errors += step_errors
    resolved: Any = {}
    if request["pdk_root"] is not None and not any(e["field"] == "config.VERILOG_FILES" for e in errors):
        resolved, found, warnings = _load(flow, request)
        fields = {e["field"] for e in errors}
        errors += [e for e in found if e["field"] not in fields]
    gates = getattr(flow, "gating_config_vars", {})  # only sequential flows have them
    skipped = {s for s, names in gates.items() if any(resolved.get(n) is False for n in names)}
    return {"errors": errors, "warnings": warnings, "steps": [s for s in steps if s["id"] not in skipped]}


def _check_basics(config: dict[str, Any], design_dir: Path) -> Iterator[Finding]:
    """Check what a person gets wrong most often, with words for it."""
    files = config.get("VERILOG_FILES")
    if not files:
        yield finding(
            "config.VERILOG_FILES",
            "The design has no Verilog file.",
            "Name at least one, as in verilog_files=['counter.v'].",
        )
        return
    paths = [_path(f, design_dir) for f in files]
    for path in paths:
        if not path.is_file():
            there = sorted(p.name for p in design_dir.glob("*.*v"))[:20]
            hint = f"The directory {design_dir.name} holds: {', '.join(there)}." if there else "Write the file first."
            yield finding("config.VERILOG_FILES", f"The Verilog file '{path.name}' does not exist.", hint)
            return
    if "CLOCK_PERIOD" in config:
        yield from _check_period(config["CLOCK_PERIOD"])
    try:
        sources = read_sources(paths, [_path(d, design_dir) for d in config.get("VERILOG_INCLUDE_DIRS") or []])
    except OSError as error:
        yield finding(
            "config.VERILOG_FILES",
            f"'{error.filename}' cannot be read.",
            f"{error.strerror}; mend that first.",
        )
        return
    if not sources.has_syntax_errors:  # else LibreLane's linter says it better, with the line
        yield from _check_top(config, sources, [p.name for p in paths])


def _check_period(value: Any) -> Iterator[Finding]:
    remedy = "Give the clock period in nanoseconds, a number above 0, for example 10."
    try:
        period = Decimal(str(value))
    except InvalidOperation:
        period = Decimal("NaN")
    if isinstance(value, bool) or not period.is_finite():
        yield finding("config.CLOCK_PERIOD", f"The clock period '{value}' is not a number.", remedy)
    elif period <= 0:
        yield finding("config.CLOCK_PERIOD", f"The clock period is {value} ns.", remedy)


def _check_top(config: dict[str, Any], sources: Sources, names: list[str]) -> Iterator[Finding]:
    top = config.get("DESIGN_NAME", "")
    ports = sources.modules.get(top)
    where = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    if ports is None:
        known = sources.tops or list(sources.modules)
        hint = nearest(top, known) if known else "Write a module first."
        yield finding("config.DESIGN_NAME", f"No module '{top}' is defined in {where}.", hint)
        return
    clock = config.get("CLOCK_PORT")
    clocks = [clock] if isinstance(clock, str) else clock or []
    inputs = [p.name for p in ports if p.direction in {"input", "inout", ""}]
    for port in clocks:
        if port not in inputs:
            hint = f"{nearest(port, inputs)} A design without a clock leaves clock_port out." if inputs else ""
            message = f"The module '{top}' has no input port '{port}' to be its clock."
            yield finding("config.CLOCK_PORT", message, hint or "Leave clock_port out for a design without a clock.")


def _steps(flow: Any, request: dict[str, Any]) -> tuple[list[dict[str, str]], list[Finding]]:
    """Return the steps that will run, in order, with from/to/skip applied."""
    steps = [{"id": s.id, "name": s.name} for s in flow.Steps]
    ids = [s["id"] for s in steps]
    errors = [
        finding(key, f"The flow {request['flow']} has no step '{name}'.", nearest(name, ids))
        for key, names in (
            ("from_step", [request["from_step"]]),
            ("to_step", [request["to_step"]]),
            ("skip", request["skip"]),
        )
        for name in names
        if name is not None and name not in ids
    ]
    if errors:
        return [], errors
    first = ids.index(request["from_step"]) if request["from_step"] else 0
    last = ids.index(request["to_step"]) if request["to_step"] else len(ids) - 1
    if first > last:
        message = f"The step {ids[first]} comes after {ids[last]}."
        return [], [finding("from_step", message, "Choose a from_step that is not after to_step.")]
    return [s for s in steps[first : last + 1] if s["id"] not in request["skip"]], []


def _load(flow: Any, request: dict[str, Any]) -> tuple[Any, list[Finding], list[str]]:
    """Let LibreLane resolve the config against the flow's variables and the PDK."""
    try:
        variables = flow.get_all_config_variables(flow)
        config, _ = Config.load(
            {"meta": {"version": 2}, **request["config"]},
            variables,
            pdk=request["pdk"],
            pdk_root=request["pdk_root"],
            scl=request["scl"],
            design_dir=request["design_dir"],
        )
    except InvalidConfig as problem:
        names = [v.name for v in variables]
        return {}, [_from_librelane(e, names) for e in problem.errors], problem.warnings
    except Exception as problem:  # noqa: BLE001 - LibreLane raises anything for a value that it did not think of
        return (
            {},
            [finding("config", f"LibreLane refuses the configuration: {problem}", "Mend it as it says.")],
            [],
        )
    return config, [], []


def _from_librelane(text: str, names: list[str]) -> Finding:
    """Turn one of LibreLane's own errors into an entry for its field."""
    if match := re.match(r"Unknown key '([^']+)'", text):
        return finding(f"config.{match[1]}", f"LibreLane has no variable '{match[1]}'.", nearest(match[1], names))
    match = re.search(r"['`]([A-Z][A-Z0-9_]{2,})(?:\[\d+\])?['`]", text)
    field = f"config.{match[1]}" if match else "config"
    return finding(field, text.rstrip(".") + ".", f"Mend {match[1]} in the configuration." if match else "Mend it.")


def _path(value: str, design_dir: Path) -> Path:
    """Resolve a path as LibreLane's ``dir::`` does."""
    return design_dir / value.removeprefix("dir::")


def main() -> None:
    """Answer requests until the other side closes our standard input."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever LibreLane prints must not get between the answers
    for line in sys.stdin:
        answers.write(json.dumps(check(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
