"""Checks a design and its configuration as LibreLane will see them, before anything runs. Runs in the inspector."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import librelane
from librelane.common import GenericDict
from librelane.common import Path as ViewPath
from librelane.config import Config, InvalidConfig, Variable
from librelane.config.preprocessor import process_dict_recursive
from librelane.config.removals import removed_variables

from . import flows
from .designcheck import check_design
from .findings import Finding, finding, nearest
from .layers import Composed, compose
from .ranges import check_plausible, check_range, in_words
from .variables import canonical_names, describe_type, names_of, plain, variables_of

# What LibreLane itself adds to the configuration before it resolves references (librelane/config/preprocessor.py).
PROCESS = ("PDK", "PDKPATH", "STD_CELL_LIBRARY", "PAD_CELL_LIBRARY", "DESIGN_DIR")
# What the PDK has a part in: nothing can be said of it while there is none.
_OF_THE_PDK = ("pdk_dir::", "scl_dir::", "expr::", "ref::", "refg::", "scl::")
# LibreLane 2 has an argument more: the paths that may be read; here it is only asked.
_ARGUMENTS = inspect.signature(process_dict_recursive).parameters
_NO_LIMITS: tuple[Any, ...] = ([os.sep],) if "readable_paths" in _ARGUMENTS else ()
# How LibreLane's messages name a variable.
_NAME = re.compile(r"['`]([A-Z][A-Z0-9_]{2,})(?:\[\d+\])?['`]")


@dataclass
class Report:
    """What is wrong, by field; the first finding on a field is the one that is told."""

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    paths: dict[str, list[str]] = field(default_factory=dict)

    def add(self, found: Iterator[Finding] | list[Finding]) -> None:
        """Add errors on fields that have none yet."""
        for each in found:
            if each["field"] not in self.fields:
                self.errors.append(each)

    def warn(self, found: Iterator[Finding] | list[Finding]) -> None:
        """Add warnings."""
        self.warnings += [each for each in found if each not in self.warnings]

    @property
    def fields(self) -> set[str]:
        """Fields that have an error."""
        return {e["field"] for e in self.errors}


def check(request: dict[str, Any]) -> dict[str, Any]:
    """Return ``{errors, warnings, steps, config, origins, unused, resolved, paths}`` for a build request.

    ``config`` is what LibreLane will be given, ``origins`` says where each of its values comes from (``explicit`` or
    a preset), ``unused`` has the names in each preset that the flow lacks. ``resolved`` has every variable with its
    value and ``origin``; it is empty where there are errors, and lacks the PDK's values where that is not there yet.
    ``paths`` are those of the resolved configuration by variable, also what ``expr::`` and ``ref::`` have come to; what
    the PDK itself says is left out.
    """
    report, meta = Report(), request.get("meta") or {}
    flow, errors = flows.flow_of(request["flow"], meta)
    report.add(errors)
    if flow is None:
        return _answer(report, [], Composed(dict(request["config"])), {})
    try:
        variables = variables_of(flow)
    except Exception as problem:  # noqa: BLE001 - two of a plugin's steps may disagree on a variable
        report.add([finding("flow", f"LibreLane cannot use this flow: {_one_line(problem)}.", "Mend its steps.")])
        return _answer(report, [], Composed(dict(request["config"])), {})
    known = canonical_names(variables)
    composed = compose(request.get("presets") or [], request["config"], known)
    steps, errors = flows.steps_of(flow, request)
    report.add(errors)
    with _directory(request["design_dir"]):
        resolved = _check_config(composed.config, known, variables, request, report)
    off = flows.gated(flow, {name: each["value"] for name, each in resolved.items()})
    for each in resolved.values():
        each["origin"] = composed.origins.get(each.pop("key") or "", each["origin"])
    return _answer(report, [s for s in steps if s["id"] not in off], composed, resolved)


def check_names(config: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with a preset: names that no flow knows, values of a wrong type; paths are not looked at."""
    known: dict[str, Any] = {}
    for flow in flows.all_flows():
        with contextlib.suppress(Exception):  # a flow that is broken in itself has no say
            known = canonical_names(variables_of(flow)) | known
    report = Report()
    for key, value in config.items():
        variable = known.get(key)
        if variable is None:
            report.add(_unknown(key, sorted(known)))
        elif "path" not in json.dumps(describe_type(variable.type)) and "::" not in json.dumps(value):
            _check_value(variable, key, value, False, report)
    return report.errors


def _answer(
    report: Report, steps: list[dict[str, str]], composed: Composed, resolved: dict[str, Any]
) -> dict[str, Any]:
    return {
        "errors": report.errors,
        "warnings": report.warnings,
        "steps": steps,
        "config": composed.config,
        "origins": composed.origins,
        "unused": composed.unused,
        "resolved": {} if report.errors else resolved,
        "paths": report.paths,
    }


@contextlib.contextmanager
def _directory(path: str) -> Iterator[None]:
    """Work in the design directory, as the build will: relative paths count from there."""
    before = Path.cwd()
    try:
        os.chdir(path)
        yield
    finally:
        os.chdir(before)


def _check_config(
    config: Mapping[str, Any], known: Mapping[str, Any], variables: list[Any], request: dict[str, Any], report: Report
) -> dict[str, Any]:
    """Check each key, then have LibreLane load them all; return the variables with value, origin and key."""
    permissive = (request.get("meta") or {}).get("version", 2) < 2
    values = _expand(config, request, report)
    report.add(check_design(values, Path(request["design_dir"])))
    processed: dict[str, Any] = {}
    given: dict[str, str] = {}
    for key, value in values.items():
        if f"config.{key}" in report.fields:
            continue
        variable = known.get(key)
        if variable is not None:
            processed[variable.name] = _check_value(variable, key, value, permissive, report)
            given[variable.name] = key
        elif key in removed_variables:
            reason = removed_variables[key]
            report.warn([finding(f"config.{key}", f"LibreLane has no {key} any more: {reason}", "Leave it out.")])
        elif key in Variable.known_variable_names:
            message = f"The flow {request['flow']} has no use for {key}."
            report.warn([finding(f"config.{key}", message, "Leave it out, or choose a flow that has.")])
        elif not (key.startswith(("//", "#")) or "_OPT" in key):  # LibreLane takes those for comments
            report.add(_unknown(key, [v.name for v in variables]))
    defaults = {v.name: v.default for v in variables if v.default is not None and v.name not in processed}
    resolved: Mapping[str, Any] = {**defaults, **processed}
    if request["pdk_root"] is not None:
        bad = {f.removeprefix("config.") for f in report.fields}
        loaded, errors = _load({k: v for k, v in config.items() if k not in bad}, variables, request)
        missing = {f"config.{known[k].name}" for k in bad if k in known}
        report.add([e for e in errors if e["field"] not in missing])
        resolved = loaded or resolved
    chosen = [v.name for v in variables if not v.pdk or v.name in given]
    own = f"{Path(librelane.__file__).parent}/"  # defaults that are files of LibreLane's
    paths = {name: sorted(p for p in _paths(resolved.get(name)) if not p.startswith(own)) for name in chosen}
    report.paths = {name: some for name, some in paths.items() if some}
    return {
        v.name: {
            "value": plain(resolved.get(v.name)),
            "origin": _origin(v, resolved.get(v.name)),
            "key": given.get(v.name),
        }
        for v in variables
    }


def _origin(variable: Any, value: Any) -> str:
    return "pdk" if variable.pdk and value is not None and value != variable.default else "default"


def _expand(config: Mapping[str, Any], request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Resolve ``dir::``, ``ref::``, ``expr::`` and sections for PDKs, key by key, as LibreLane does for all at once."""
    root, pdk = request["pdk_root"], request["pdk"]
    process = (pdk, f"{root}/{pdk}" if root else "", request["scl"] or "", None, request["design_dir"])
    state: dict[str, Any] = dict(zip(PROCESS, process, strict=True))
    symbols = dict(state)
    for key, value in config.items():
        if root is None and any(mark in json.dumps([key, value]) for mark in _OF_THE_PDK):
            continue
        try:
            process_dict_recursive({key: value}, state, symbols, *_NO_LIMITS)
        except Exception as problem:  # noqa: BLE001 - whatever an expression does, it is the field's fault
            message = f"LibreLane refuses {key}: {_one_line(problem)}."
            report.add([finding(f"config.{key}", message, "Mend the expression or the reference.")])
    return {k: v for k, v in state.items() if k not in PROCESS}


def _paths(value: Any) -> set[str]:
    """Return all paths in a value of the resolved configuration."""
    if isinstance(value, ViewPath):
        return {str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        value = vars(value)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return set().union(*map(_paths, value))
    return set()


def _check_value(variable: Any, key: str, value: Any, permissive: bool, report: Report) -> Any:
    """Check one value by LibreLane's own rules, and return it as LibreLane will have it; None if it is refused."""
    field_, kind, said = f"config.{key}", describe_type(variable.type), list[str]()
    if key in names_of(variable) and key != variable.name:
        message = f"{key} is an old name: it is {variable.name} now."
        report.warn([finding(field_, message, f"Write {variable.name}; its values may differ (see its description).")])
    try:
        _, processed = variable.compile(GenericDict({key: value}), said, permissive_typing=permissive)
        if not permissive and _is_misfit(kind["kind"], value):
            raise ValueError(f"'{value}' is no {kind['kind']}")  # noqa: TRY301 - LibreLane would cut it silently
    except Exception as problem:  # noqa: BLE001 - a converter of an old name may raise anything
        report.add([finding(field_, _refusal(key, value, kind, problem), wanted(variable, kind))])
        return None
    report.add(check_range(variable, key, processed))
    report.warn(check_plausible(variable, key, processed))
    report.warn([finding(field_, _one_line(w) + ".", "") for w in said if "deprecated" not in w])
    return processed


def _is_misfit(kind: str, value: Any) -> bool:
    """Whether LibreLane takes a value that cannot have been meant: true for 1, and 2.5 for a whole number."""
    if kind in {"integer", "decimal"} and isinstance(value, bool):
        return True
    return kind == "integer" and isinstance(value, (float, Decimal)) and value != int(value)


def _refusal(key: str, value: Any, kind: Mapping[str, Any], problem: Exception) -> str:
    words = {"integer": "a whole number", "decimal": "a number", "boolean": "true or false", "string": "text"}
    if value is None:
        return f"{key} is null, but must have a value."
    if kind["kind"] in words:
        return f"{key} is {_shown(value)}, which is not {words[kind['kind']]}."
    if kind["kind"] == "choice":
        return f"{key} is {_shown(value)}, which is none of its choices."
    missing = re.search(r"'([^']+)' does not exist", str(problem))
    if missing:
        return f"{key} names '{missing[1]}', which does not exist."
    return f"{key}: {_one_line(problem)}."


def wanted(variable: Any, kind: Mapping[str, Any]) -> str:
    """Return a sentence on what to give for a variable."""
    unit = f" in {in_words(variable.units)}" if variable.units else ""
    default = plain(variable.default)
    example = f", for example {_shown(default)}" if default is not None and not isinstance(default, bool) else ""
    if kind["kind"] == "choice":
        return f"Choose one of: {', '.join(map(str, kind['choices']))}."
    nouns = {
        "integer": "a whole number",
        "decimal": "a number",
        "boolean": "true or false",
        "string": "a string",
        "path": "a file that is there; 'dir::' begins a path in the design directory",
        "mapping": "a mapping",
        "record": "a mapping",
        "union": "one of the types that its description names",
    }
    items = kind.get("items")
    if isinstance(items, list):
        return f"Give a list of {len(items)} {_plural(items[0])}{unit}{example}."
    if isinstance(items, dict):
        return f"Give a list of {_plural(items)}{unit}{example}."
    return f"Give {nouns[kind['kind']]}{unit}{example}."


def _plural(kind: Mapping[str, Any]) -> str:
    nouns = {"decimal": "numbers", "integer": "whole numbers", "string": "strings", "path": "files that are there"}
    return nouns.get(kind.get("kind", ""), "values")


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _unknown(key: str, names: list[str]) -> list[Finding]:
    close = nearest(key, names)
    hint = close if close.startswith("Did") else "The variables of a flow are listed by a6hub.variables()."
    return [finding(f"config.{key}", f"LibreLane has no variable '{key}'.", hint)]


def _load(config: Mapping[str, Any], variables: list[Any], request: dict[str, Any]) -> tuple[Any, list[Finding]]:
    """Let LibreLane resolve the config against the flow's variables and the PDK."""
    version = (request.get("meta") or {}).get("version", 2)
    try:
        loaded, _ = Config.load(
            {"meta": {"version": version}, **config},
            variables,
            pdk=request["pdk"],
            pdk_root=request["pdk_root"],
            scl=request["scl"],
            design_dir=request["design_dir"],
        )
    except InvalidConfig as problem:
        if problem.config.lower().startswith("pdk"):
            return None, [_unfit_pdk(problem.errors, request)]
        names = [v.name for v in variables]
        return None, [_from_librelane(e, names) for e in problem.errors]
    except Exception as problem:  # noqa: BLE001 - LibreLane raises anything for a value that it did not think of
        message = f"LibreLane refuses the configuration: {_one_line(problem)}."
        return None, [finding("config", message, "Mend it as it says.")]
    return loaded, []


def _unfit_pdk(errors: list[str], request: Mapping[str, Any]) -> Finding:
    found = [_NAME.search(e) for e in errors]
    lacking = ", ".join(m[1] for m in found[:8] if m) or _one_line(errors[0])
    message = (
        f"The PDK {request['pdk']} as it is installed here lacks what the flow {request['flow']} needs: {lacking}."
    )
    return finding("pdk", message, "Choose another flow, or install the whole PDK.")


def _from_librelane(text: str, names: list[str]) -> Finding:
    """Turn one of LibreLane's own errors into an entry for its field."""
    if match := re.match(r"Unknown key '([^']+)'", text):
        return _unknown(match[1], names)[0]
    match = _NAME.search(text)
    where = f"config.{match[1]}" if match else "config"
    return finding(where, _one_line(text) + ".", f"Mend {match[1]} in the configuration." if match else "Mend it.")


def _one_line(problem: object) -> str:
    return " ".join(str(problem).split()).rstrip(".")[:500]
