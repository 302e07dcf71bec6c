"""The fields of a build request: what there is, of which type, and how long; all that can be said without looking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..auth import Refusal

FIELDS: dict[str, Any] = {
    "name": str,
    "design_dir": str,
    "config": dict,
    "flow": str,
    "pdk": str,
    "scl": str,
    "toolchain": str,
    "from_step": str,
    "to_step": str,
    "only": str,
    "skip": list,
    "presets": list,
    "tags": list,
    "timeout": (int, float),
    "cores": int,
    "memory": int,
}
MAX_KEY = 200
MAX_NAMES = {"tags": 50, "skip": 500, "presets": 20}


def typed(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields, checked by name and type of the fields; Refusal 422 with one entry for each bad one."""
    errors = []
    for name, value in body.items():
        expected, shown = FIELDS.get(name), name[:MAX_KEY]
        if expected is None:
            errors.append(
                {
                    "field": shown,
                    "message": f"There is no field '{shown}'.",
                    "remedy": f"Use: {', '.join(FIELDS)}.",
                }
            )
        elif value is not None and (not isinstance(value, expected) or isinstance(value, bool)):
            words = {str: "string", dict: "mapping", list: "list", int: "whole number"}
            word = "number" if name == "timeout" else words[expected]
            errors.append(
                {
                    "field": name,
                    "message": f"The field '{name}' is not a {word}.",
                    "remedy": f"Give a {word}.",
                }
            )
        elif isinstance(value, list) and not (len(value) <= MAX_NAMES[name] and all(map(_is_name, value))):
            remedy = f"Give at most {MAX_NAMES[name]} strings of 1 to {MAX_KEY} characters."
            errors.append({"field": name, "message": f"'{name}' is not a list of names.", "remedy": remedy})
        elif isinstance(value, str) and name != "design_dir" and value and not _is_name(value):
            remedy = f"Give at most {MAX_KEY} characters, all of them printable."
            errors.append({"field": name, "message": f"'{name}' is not a name.", "remedy": remedy})
    if body.get("config") is None:
        errors.append(
            {
                "field": "config",
                "message": "The configuration is missing.",
                "remedy": "Give at least DESIGN_NAME and VERILOG_FILES.",
            }
        )
    if errors:
        raise Refusal(422, errors[0]["message"], field=errors[0]["field"], remedy=errors[0]["remedy"], errors=errors)
    return dict(body)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_KEY and value.isprintable()


def read_meta(config: dict[str, Any], flow: str | None) -> tuple[str | None, dict[str, Any]]:
    """Take LibreLane's ``meta`` out of ``config``; return the flow's name and the ``meta`` for LibreLane; Refusal 422.

    The name is that of the request or of ``meta``, "Custom" for a list of steps, and None where neither says it.
    """
    meta = config.pop("meta", None) or {}
    known = {"version", "flow", "substituting_steps", "librelane_version", "openlane_version"}
    if not isinstance(meta, dict) or not set(meta) <= known:
        raise Refusal(
            422,
            "'meta' has keys that cannot be used here.",
            field="config.meta",
            remedy="Use 'version', 'flow' and 'substituting_steps'.",
        )
    version, listed, substitutions = meta.get("version", 2), meta.get("flow"), meta.get("substituting_steps")
    if version not in (1, 2) or isinstance(version, bool):  # a set would have it hashed
        raise Refusal(422, "There is no such version.", field="config.meta.version", remedy="Give 1 or 2.")
    if isinstance(listed, list):
        if not 0 < len(listed) <= MAX_NAMES["skip"] or not all(map(_is_name, listed)):
            remedy = f"Give 1 to {MAX_NAMES['skip']} step ids, as in ['Verilator.Lint', 'Yosys.Synthesis']."
            raise Refusal(422, "The list of steps is no list of names.", field="config.meta.flow", remedy=remedy)
        if flow not in {None, "Custom"}:
            remedy = "Leave out the flow, or give its name alone."
            raise Refusal(422, "A flow and a list of steps are both given.", field="config.meta.flow", remedy=remedy)
        name: str | None = "Custom"
    elif listed is not None and not _is_name(listed):
        remedy = "Give the name of a flow, or a list of step ids."
        raise Refusal(422, "This is no flow.", field="config.meta.flow", remedy=remedy)
    else:
        name = flow or listed  # the request wins, as LibreLane's --flow does
    pairs = list(substitutions.items()) if isinstance(substitutions, dict) else substitutions or []
    if not _are_substitutions(pairs):
        remedy = "Give a mapping from step ids to step ids or null, for example {'Checker.LintWarnings': null}."
        raise Refusal(422, "These are no substitutions.", field="config.meta.substituting_steps", remedy=remedy)
    result: dict[str, Any] = {"version": version}
    if isinstance(listed, list):
        result["flow"] = listed
    if pairs:
        result |= {"flow": result.get("flow"), "substituting_steps": [list(p) for p in pairs]}
    return name, result


def _are_substitutions(pairs: Any) -> bool:
    return (
        isinstance(pairs, list)
        and len(pairs) <= MAX_NAMES["skip"]
        and all(
            isinstance(p, (list, tuple)) and len(p) == 2 and _is_name(p[0]) and (p[1] is None or _is_name(p[1]))
            for p in pairs
        )
    )


def check_names(config: Mapping[str, Any]) -> None:
    """Refuse what is no name where LibreLane and our own checks expect one."""
    top, clock = config.get("DESIGN_NAME", ""), config.get("CLOCK_PORT")
    if top != "" and not _is_name(top):
        raise Refusal(
            422,
            "DESIGN_NAME is no name.",
            field="config.DESIGN_NAME",
            remedy=f"Give the name of the top module, at most {MAX_KEY} characters.",
        )
    if clock is not None and not (isinstance(clock, str) or (isinstance(clock, list) and all(map(_is_name, clock)))):
        raise Refusal(
            422,
            "CLOCK_PORT is no name of a port, and no list of names.",
            field="config.CLOCK_PORT",
            remedy="Give the name of the clock port.",
        )
