"""Configuration files that only LibreLane can read: Tcl. Runs in the inspector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from librelane.common import GenericDict, TclUtils

from .findings import finding

PROCESS = ("PDK_ROOT", "PDK", "STD_CELL_LIBRARY", "PAD_CELL_LIBRARY", "DESIGN_DIR")


def read_tcl(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{config, errors}`` of the Tcl file ``path``: what it sets, as text, for the PDK of the question."""
    path = Path(question["path"])
    process = {
        "PDK_ROOT": question["pdk_root"] or "",
        "PDK": question["pdk"],
        "STD_CELL_LIBRARY": question["scl"] or "",
        "PAD_CELL_LIBRARY": "",
        "DESIGN_DIR": str(path.parent),
    }
    try:
        read = TclUtils._eval_env(GenericDict(process), path.read_text(encoding="utf-8"))
    except Exception as problem:  # noqa: BLE001 - a Tcl file is a program, which may fail in any way
        message = f"{path.name} cannot be read: {' '.join(str(problem).split())[:300]}."
        return {"config": {}, "errors": [finding("path", message, "Mend it, or write a config.json.")]}
    return {"config": {k: _text(v, path.parent) for k, v in dict(read).items() if k not in PROCESS}, "errors": []}


def _text(value: Any, directory: Path) -> str | list[str]:
    """Return a value as LibreLane's JSON has it: files of the design directory begin with ``dir::``."""
    words = str(value).split()
    inside = f"{directory}/"
    if words and all(w.startswith(inside) for w in words):
        files = [f"dir::{w.removeprefix(inside)}" for w in words]
        return files if len(files) > 1 else files[0]
    return str(value)
