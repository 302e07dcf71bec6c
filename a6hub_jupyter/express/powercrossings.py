"""Where a power strap crosses a rail or a strap of another layer, there must be vias all the way between them.

Connectivity alone would not notice one that is missing: the rail is fed by the next strap, only weaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from collections.abc import Iterator

SPAN = 0.5
"""Wires that cover at least so much of the die's width or height are rails or straps."""


@dataclass(frozen=True)
class Crossing:
    """Two power wires over each other: their layers, the place (database units), and cut layers without a cut there."""

    lower: str
    upper: str
    box: kdb.Box
    lacking: tuple[str, ...]


def _long_wires(top: kdb.Cell, layer: int, width: int) -> kdb.Region:
    """Merged wires of the top cell itself on one layer that are at least `width` wide and cross half the die."""
    die = top.bbox()
    wires = kdb.Region(top.shapes(layer)).merged()
    found = kdb.Region()
    for wire in wires.each():
        box = wire.bbox()
        long = box.width() >= SPAN * die.width() or box.height() >= SPAN * die.height()
        if long and min(box.width(), box.height()) >= width:
            found.insert(wire)
    return found


def crossings(top: kdb.Cell, layers: dict[str, int], power_layers: list[tuple[str, int]]) -> Iterator[Crossing]:
    """All crossings of rails and straps.

    `layers`: LEF name to layer index, metals and cuts in turn, bottom up. `power_layers`: each metal of the power
    grid with the least width of its wires (database units), bottom up.
    """
    names = list(layers)
    used = [(name, width) for name, width in power_layers if name in layers]
    wires = {name: _long_wires(top, layers[name], width) for name, width in used}
    for (lower, _), (upper, _) in pairwise(used):
        cuts = [n for n in names[names.index(lower) : names.index(upper)] if names.index(n) % 2]
        places = (wires[lower] & wires[upper]).merged()
        present = {n: set(places.interacting(kdb.Region(top.begin_shapes_rec(layers[n]))).each()) for n in cuts}
        for place in places.each():
            yield Crossing(lower, upper, place.bbox(), tuple(n for n in cuts if place not in present[n]))
