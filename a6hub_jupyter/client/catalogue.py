"""What there is to choose from: flows, variables, presets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from .errors import RequestRefusedError
from .server import current_server


def flows() -> pd.DataFrame:
    """Return LibreLane's flows, those of plugins too: summary, number of steps, source; the index is the name."""
    rows = [{**f, "steps": len(f["steps"])} for f in current_server().get("flows")["flows"]]
    columns = ["name", "summary", "steps", "source"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns).set_index("name")
    return frame


def steps(flow: str | None = None) -> pd.DataFrame:
    """Return the steps of a flow in order, or all there are; the index is the step id, the columns name and summary."""
    data = current_server().get("flows")
    known = {s["id"]: s for s in data["steps"]}
    rows = list(known.values())
    if flow is not None:
        listed = {f["name"]: f["steps"] for f in data["flows"]}
        if flow not in listed:
            raise ValueError(f"There is no flow '{flow}'. a6hub.flows() lists them.")
        rows = [{**known.get(s["id"], {}), **s} for s in listed[flow]]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=["id", "name", "summary"]).set_index("id")
    return frame


def variables(
    flow: str | Sequence[str] = "Express",
    *,
    pdk: str | None = None,
    scl: str | None = None,
    toolchain: str | None = None,
    substituting_steps: Mapping[str, str | None] | None = None,
) -> pd.DataFrame:
    """Return the variables of a flow, with the PDK's defaults; units are LibreLane's, the index is the name.

    ``flow`` is a name or a list of step ids, ``substituting_steps`` as for ``Design.build``. They are those of the
    LibreLane that would run the flow; ``toolchain`` says by which toolchain.
    """
    rows = listed(flow, pdk=pdk, scl=scl, toolchain=toolchain, substituting_steps=substituting_steps)["variables"]
    rows = [{**v, "type": type_name(v["type"])} for v in rows]
    columns = ["name", "type", "default", "units", "description", "group", "steps", "deprecated_names", "default_from"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns).set_index("name")
    return frame


def listed(
    flow: str | Sequence[str],
    *,
    substituting_steps: Mapping[str, str | None] | None = None,
    **given: str | None,
) -> dict[str, Any]:
    """Return ``{variables, steps, ...}`` of a flow as the server tells them; ``given`` are pdk, scl and toolchain."""
    name = flow if isinstance(flow, str) else "Custom"
    meta: dict[str, Any] = {} if isinstance(flow, str) else {"flow": list(flow)}
    if substituting_steps:
        meta = {"flow": flow, **meta, "substituting_steps": dict(substituting_steps)}
    asked = {k: v for k, v in given.items() if v}
    if meta:
        asked["meta"] = json.dumps(meta)
    return dict(current_server().get(f"flows/{quote(name, safe='')}/variables", **asked))


def type_name(kind: Mapping[str, Any]) -> str:
    """Return a type in words: ``number``, ``list of files``, ``one of a, b``."""
    words = {
        "boolean": "true or false",
        "integer": "whole number",
        "decimal": "number",
        "string": "text",
        "path": "file",
    }
    name = words.get(kind["kind"], kind["kind"])
    if kind["kind"] == "choice":
        name = f"one of {', '.join(map(str, kind['choices']))}"
    elif kind["kind"] == "list":
        name = f"list of {type_name({**kind['items'], 'optional': False})}"
    elif kind["kind"] == "tuple":
        name = f"{len(kind['items'])} x {type_name({**kind['items'][0], 'optional': False})}"
    elif kind["kind"] == "union":
        name = " or ".join(type_name(t) for t in kind["any_of"])
    return f"{name}, or none" if kind["optional"] else name


def presets(directory: str | Path | None = None) -> pd.DataFrame:
    """Return the presets there are, with those of the design in ``directory`` (default: the working directory).

    Columns: scope (builtin, admin, user, project), description, config; the index is the name.
    """
    listed = current_server().get("presets", design_dir=str(Path(directory or ".").resolve()))["presets"]
    frame: pd.DataFrame = pd.DataFrame(listed, columns=["name", "scope", "description", "config"]).set_index("name")
    return frame


def save_preset(
    name: str, config: Mapping[str, Any], *, description: str = "", directory: str | Path | None = None
) -> None:
    """Save variables as a preset of yours, for all your designs; with ``directory``, as one of the design there."""
    scope = {"scope": "project" if directory is not None else "user"}
    where = {"design_dir": str(Path(directory).resolve())} if directory is not None else {}
    body = {"description": description, "config": dict(config), **scope}
    current_server().put(_preset_path(name), body, **where)


def _preset_path(name: str) -> str:
    """Return where a preset is on the server, which judges its name; but for one that a URL would not carry there."""
    if not name.strip("."):
        sentence = "This is no name for a preset. Use letters, digits, '_' and '-'."
        raise RequestRefusedError(422, {"field": "name", "message": sentence})
    return f"presets/{quote(name, safe='')}"


def delete_preset(name: str, *, directory: str | Path | None = None) -> None:
    """Remove a preset of yours; with ``directory``, one of the design there."""
    where = {"scope": "project", "design_dir": str(Path(directory).resolve())} if directory is not None else {}
    current_server().delete(_preset_path(name), **where)
