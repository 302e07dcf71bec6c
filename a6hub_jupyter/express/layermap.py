"""GDS layers from a KLayout LEF/DEF layer map (KLAYOUT_DEF_LAYER_MAP)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    GdsLayer = tuple[int, int]

DRAWING_PURPOSES = {"NET", "SPNET", "PIN", "VIA", "ALL"}


def _rows(path: str | Path) -> list[tuple[str, set[str], GdsLayer]]:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise ProblemError(f"KLAYOUT_DEF_LAYER_MAP names {path}, which cannot be read.") from error
    rows = [line.split("#")[0].split() for line in lines]
    return [(r[0], set(r[1].split(",")), (int(r[2]), int(r[3]))) for r in rows if len(r) == 4]


def drawing_layers(path: str | Path) -> dict[str, GdsLayer]:
    """LEF layer to the GDS layer and datatype of its wires."""
    found: dict[str, GdsLayer] = {}
    for name, purposes, layer in _rows(path):
        if name not in ("NAME", "DIEAREA", "COMP") and purposes & DRAWING_PURPOSES:
            found.setdefault(name, layer)
    return found


def label_layers(path: str | Path) -> dict[str, GdsLayer]:
    """LEF layer to the GDS layer and datatype of the names of its ports."""
    found: dict[str, GdsLayer] = {}
    for name, purposes, layer in _rows(path):
        for purpose in purposes if name == "NAME" else ():
            metal, _, kind = purpose.partition("/")
            if kind in ("PIN", "LEFPIN", "LABEL", ""):
                found.setdefault(metal, layer)
    return found
