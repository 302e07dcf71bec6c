"""Checks build requests with LibreLane itself: ``python -m a6hub_jupyter.librelane.inspector``, one JSON line each way.

It is a process of its own (see ``worker``), so that the server never loads LibreLane, and its environment is the
toolchain's, so that the plugins found are those that the build will find.
"""

from __future__ import annotations

import difflib
import fnmatch
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from librelane.common import Path as LibreLanePath
from librelane.config import Config, InvalidConfig, Variable
from librelane.config.preprocessor import Keys as SpecialKeys
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
    """Return ``{errors, warnings, steps, paths}`` for a request (fields as in ``builds.model.BuildRequest``).

    ``paths`` are those of the resolved configuration, by variable: also what ``expr::`` and ``ref::`` have come to.
    What the PDK itself says is left out.
    """
    flow = Flow.factory.get(request["flow"])
    if flow is None:
        known = sorted(Flow.factory.list())
        message = f"LibreLane knows no flow '{request['flow']}'."
        return {
            "errors": [finding("flow", message, nearest(request["flow"], known))],
            "warnings": [],
            "steps": [],
            "paths": {},
        }
    config, design_dir = request["config"], Path(request["design_dir"])
    errors = list(_check_basics(config, design_dir))
    warnings: list[str] = []
    steps, step_errors = _steps(flow, request)
    errors += step_errors
    resolved: Any = {}
    if not any(e["field"] == "config.VERILOG_FILES" for e in errors):
        resolved, found, warnings = _load(flow, request) if request["pdk_root"] else _load_without_pdk(flow, request)
        fields = {e["field"] for e in errors}
        errors += [e for e in found if e["field"] not in fields]
    skipped = _gated(flow, resolved)
    return {
        "errors": errors,
        "warnings": warnings,
        "steps": [s for s in steps if s["id"] not in skipped],
        "paths": {name: paths for name in _chosen(flow, config) if (paths := sorted(_paths(resolved.get(name))))},
    }


def _gated(flow: Any, config: Any) -> set[str]:
    """Return the ids of the steps that the configuration turns off (librelane/flows/sequential.py)."""
    ids = [s.id for s in flow.Steps]
    gated = set()
    for pattern, names in flow.gating_config_vars.items():
        if any(name in config and not config[name] for name in names):
            gated.update([pattern] if pattern in ids else fnmatch.filter(ids, pattern))
    return gated


def _chosen(flow: Any, config: Mapping[str, Any]) -> list[str]:
    """Return the variables that are not the PDK's, or that the configuration sets in its place."""
    given = set(config).union(*(value for value in config.values() if isinstance(value, Mapping)))
    chosen = []
    for variable in flow.get_all_config_variables(flow):
        older = (name if isinstance(name, str) else name[0] for name in variable.deprecated_names or ())
        if not variable.pdk or not given.isdisjoint({variable.name, *older}):
            chosen.append(variable.name)
    return chosen


def _paths(value: Any) -> set[str]:
    """Return all paths in a value of the resolved configuration."""
    if isinstance(value, LibreLanePath):
        return {str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        value = vars(value)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return set().union(*map(_paths, value))
    return set()


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
    if isinstance(value, str) and value.startswith(("expr::", "ref::")):
        return  # LibreLane says what comes of it
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


# What the PDK has a part in (librelane/config/preprocessor.py): nothing can be said of it while there is none.
_OF_THE_PDK = ("pdk_dir::", "scl_dir::", "expr::", "ref::", "refg::", "scl::")


def _load_without_pdk(flow: Any, request: dict[str, Any]) -> tuple[Any, list[Finding], list[str]]:
    """Let LibreLane check what it can while the PDK is not there yet: the variables that are the flow's own."""
    pdk_variables = {v.name for v in flow.get_all_config_variables(flow) if v.pdk}
    own = {
        name: value
        for name, value in request["config"].items()
        if name not in pdk_variables and not any(mark in json.dumps([name, value]) for mark in _OF_THE_PDK)
    }
    process = {SpecialKeys.pdk: request["pdk"], SpecialKeys.scl: request["scl"] or "the PDK's own"}
    apart = {*process, SpecialKeys.pdk_root}
    variables = [v for v in flow.get_all_config_variables(flow) if not v.pdk and v.name not in apart]
    variables += [Variable(name, str, name) for name in process]
    return _resolve(request, {**own, **process}, variables, _load_pdk_configs=False)


def _load(flow: Any, request: dict[str, Any]) -> tuple[Any, list[Finding], list[str]]:
    """Let LibreLane resolve the config against the flow's variables and the PDK."""
    return _resolve(request, request["config"], flow.get_all_config_variables(flow))


def _resolve(
    request: dict[str, Any], config: dict[str, Any], variables: list[Any], **options: Any
) -> tuple[Any, list[Finding], list[str]]:
    try:
        resolved, _ = Config.load(
            {"meta": {"version": 2}, **config},
            variables,
            pdk=request["pdk"],
            pdk_root=request["pdk_root"],
            scl=request["scl"],
            design_dir=request["design_dir"],
            **options,
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
    return resolved, [], []


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
