"""LibreLane's variables in a form that a user interface can use. Runs in the inspector."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from librelane.common import Path as ViewPath
from librelane.config import Config, Variable, universal_flow_config_variables

SCALARS = {bool: "boolean", int: "integer", Decimal: "decimal", float: "decimal", str: "string"}
# Without these LibreLane loads no configuration at all.
PROCESS = {"PDK", "STD_CELL_LIBRARY", "PAD_CELL_LIBRARY", "DESIGN_DIR"}
UNIVERSAL = "Design and PDK"
FLOW = "Flow"


def variables_of(flow: Any) -> list[Any]:
    """Return all variables that a flow knows, each once."""
    found: list[Any] = flow.get_all_config_variables(flow)
    return found


def names_of(variable: Any) -> list[str]:
    """Return the deprecated names of a variable."""
    return [old if isinstance(old, str) else old[0] for old in variable.deprecated_names]


def canonical_names(variables: Iterable[Any]) -> dict[str, Any]:
    """Return the variables by all names that they may be given, the deprecated ones too; a present name wins."""
    by_name = {old: v for v in variables for old in names_of(v)}
    by_name.update({v.name: v for v in variables})
    return by_name


def describe_type(kind: Any) -> dict[str, Any]:
    """Return ``{kind, optional, ...}`` for a type of LibreLane's.

    ``kind`` is boolean, integer, decimal, string, path, choice (with ``choices``), list (``items``), tuple
    (``items``, one for each place), mapping (``keys``, ``values``), record (``fields``) or union (``any_of``).
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        some = [a for a in arguments if a is not type(None)]
        inner = describe_type(some[0]) if len(some) == 1 else {"kind": "union", "any_of": [*map(describe_type, some)]}
        return {**inner, "optional": len(some) < len(arguments)}
    return {**_describe_some(kind, origin, arguments), "optional": False}


def _describe_some(kind: Any, origin: Any, arguments: Sequence[Any]) -> dict[str, Any]:
    if origin is Literal:
        return {"kind": "choice", "choices": list(arguments)}
    if origin is list:
        return {"kind": "list", "items": describe_type(arguments[0])}
    if origin is tuple:
        return {"kind": "tuple", "items": [describe_type(a) for a in arguments]}
    if origin is dict:
        return {"kind": "mapping", "keys": describe_type(arguments[0]), "values": describe_type(arguments[1])}
    if dataclasses.is_dataclass(kind):
        fields = {f.name: describe_type(f.type) for f in dataclasses.fields(kind)}
        return {"kind": "record", "fields": fields}
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return {"kind": "choice", "choices": list(kind.__members__)}
    return {"kind": SCALARS.get(kind, "path" if kind is ViewPath else "string")}


def plain(value: Any) -> Any:
    """Return a value of LibreLane's as JSON has it; numbers stay numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 1 << 53 else float(value)
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    return str(value)


def pdk_defaults(
    variables: Iterable[Any], pdk: str, pdk_root: str, scl: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Return what the PDK sets by name of the variable, and the names of those that it should set and does not."""
    process = [v for v in variables if v.name in PROCESS]
    wanted = [v for v in variables if v.pdk and v.name not in PROCESS]

    def load(some: Sequence[Any]) -> dict[str, Any]:
        meta = {"meta": {"version": 2}}
        config, _ = Config.load(meta, [*process, *some], pdk=pdk, pdk_root=pdk_root, scl=scl, design_dir=pdk_root)
        return {v.name: config.get(v.name) for v in [*process, *some] if v.pdk}

    try:
        return load(wanted), []
    except ValueError:  # some that the flow needs are missing: the others are there all the same
        each = {v.name: _attempt(load, [v]) for v in wanted}
        found = {name: value for some in each.values() if some for name, value in some.items()}
        return found, [name for name, some in each.items() if some is None]


def _attempt(load: Callable[[Sequence[Any]], dict[str, Any]], variables: Sequence[Any]) -> dict[str, Any] | None:
    try:
        return load(variables)
    except ValueError:
        return None


def describe(flow: Any, pdk: str | None, pdk_root: str | None, scl: str | None) -> dict[str, Any]:
    """Return ``{variables, missing}`` of a flow; defaults are those of the PDK where there is one."""
    variables = variables_of(flow)
    from_pdk: dict[str, Any] = {}
    missing: list[str] = []
    if pdk and pdk_root:
        from_pdk, missing = pdk_defaults(variables, pdk, pdk_root, scl)
    users: dict[str, list[str]] = {}
    for step in getattr(flow, "Steps", None) or []:
        for variable in step.config_vars:
            users.setdefault(variable.name, []).append(step.id)
    universal = {v.name for v in universal_flow_config_variables}
    own = {v.name for v in flow.config_vars}
    return {
        "variables": [_describe(v, from_pdk, users.get(v.name, []), universal, own) for v in variables],
        "missing": missing,
    }


def _describe(
    variable: Variable, from_pdk: Mapping[str, Any], steps: list[str], universal: set[str], own: set[str]
) -> dict[str, Any]:
    set_by_pdk = from_pdk.get(variable.name) is not None
    default = from_pdk[variable.name] if set_by_pdk else variable.default
    if variable.name in universal:
        group = UNIVERSAL
    elif variable.name in own or not steps:
        group = FLOW
    else:
        group = steps[0]
    return {
        "name": variable.name,
        "description": inspect.cleandoc(variable.description),
        "type": describe_type(variable.type),
        "default": plain(default),
        "default_from": "pdk" if set_by_pdk else "librelane" if default is not None else None,
        "units": variable.units,
        "pdk": variable.pdk,
        "group": group,
        "steps": steps,
        "deprecated_names": names_of(variable),
    }


def forget_changed_pdk(stamp: str, seen: list[str]) -> None:
    """Have LibreLane read its PDK anew when ``stamp`` is another one than before; it keeps the last PDK it has read."""
    if seen != [stamp]:
        seen[:] = [stamp]
        cached: Any = getattr(Config, "_Config__get_pdk_raw", None)
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
