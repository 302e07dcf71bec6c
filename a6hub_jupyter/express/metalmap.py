"""All metal and cuts of a design as rectangles with the net that each belongs to, found again by place."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING

import klayout.db as kdb

from a6hub_jupyter.express.geometry import Box, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    Owned = tuple[str | None, Shape]
    """A rectangle, nm, and its signal net; None for what belongs to none."""


MUCH = 0.25
"""From this part of the area on, to look for what is in it takes longer than to take all."""


class MetalMap:
    """Rectangles of some layers in klayout's search trees, which go through them much faster than Python could."""

    def __init__(self, layers: list[str]) -> None:
        self._layout = kdb.Layout()
        self._cell = self._layout.create_cell("metal")
        self._layers = {name: self._layout.layer(k + 1, 0) for k, name in enumerate(layers)}
        self._marks: dict[str | None, int] = {}
        self._owners: dict[int, str | None] = {}

    def change(self, gone: Iterable[Owned], come: Iterable[Owned]) -> None:
        """Take rectangles out, and put others in."""
        taken: dict[str, list[kdb.Shape]] = defaultdict(list)
        for (owner, (layer, box)), times in Counter(gone).items():  # two cells may have drawn the same
            wanted, mark = kdb.Box(*box), self._mark(owner)
            touching = self._cell.shapes(self._layers[layer]).each_touching(wanted)
            same = (shape for shape in touching if shape.prop_id == mark and shape.box == wanted)
            taken[layer] += islice(same, times)
        for layer, found in taken.items():  # only now: a search after each would sort all anew
            shapes = self._cell.shapes(self._layers[layer])
            for shape in found:
                shapes.erase(shape)
        all_shapes = {name: self._cell.shapes(layer) for name, layer in self._layers.items()}
        for owner, (layer, box) in come:
            all_shapes[layer].insert_box_with_properties(kdb.Box(*box), self._mark(owner))

    def _mark(self, owner: str | None) -> int:
        if owner not in self._marks:
            mark = self._layout.properties_id({0: len(self._marks)})
            self._marks[owner], self._owners[mark] = mark, owner
        return self._marks[owner]

    def merged(self, layers: Iterable[str], boxes: list[Box] | None = None) -> dict[str, kdb.Region]:
        """Some layers, merged: all rectangles, or at least all that touch some boxes."""
        where = kdb.Region()
        for box in boxes or ():
            where.insert(kdb.Box(*box))
        where.merge()
        is_much = boxes is None or where.area() > MUCH * self._cell.bbox().area()
        regions = {}
        for name in layers:
            found = kdb.RecursiveShapeIterator(self._layout, self._cell, self._layers[name])
            if not is_much:
                found = kdb.RecursiveShapeIterator(self._layout, self._cell, self._layers[name], where, False)
            region = regions[name] = kdb.Region(found)
            region.remove_properties()
            region.merge()
        return regions

    def owners(self, layer: str, place: Box) -> set[str | None]:
        """Whose rectangles touch a place."""
        touching = self._cell.shapes(self._layers[layer]).each_touching(kdb.Box(*place))
        return {self._owners[shape.prop_id] for shape in touching}
