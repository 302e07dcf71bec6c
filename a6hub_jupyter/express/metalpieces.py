"""The metal of a layout as pieces, and how they grow together layer by layer, as in manufacturing.

Points are looked up among rectangles that the pieces are cut into: a power net is one piece with thousands of corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Piece:
    """One merged polygon: area in um2, perimeter in um, the box around it in database units.

    For cuts, the numbers of the metal pieces below and above.
    """

    area: float
    perimeter: float
    box: kdb.Box
    joins: tuple[int, ...] = ()


class MetalPieces:
    """Merged polygons of all layers (metals and cuts in turn, bottom up), numbered over all of them."""

    def __init__(self, layout: kdb.Layout, top: kdb.Cell, layers: dict[str, int]) -> None:
        self._names = list(layers)
        self._unit = layout.dbu
        self._work = kdb.Layout()
        self._cell = self._work.create_cell("pieces")
        self._shapes = {name: self._cell.shapes(self._work.layer(k + 1, 0)) for k, name in enumerate(self._names)}
        self.pieces: list[Piece] = []
        self.of_layer: dict[str, list[int]] = {}
        for k, name in enumerate(self._names):
            if k % 2 == 0:
                self.of_layer[name] = list(self._take(name, kdb.Region(top.begin_shapes_rec(layers[name])).merged()))
        for k, name in enumerate(self._names):
            if k % 2 == 1 and k + 1 < len(self._names):
                cuts = kdb.Region(top.begin_shapes_rec(layers[name])).merged()
                self.of_layer[name] = list(self._cuts(cuts, self._names[k - 1], self._names[k + 1]))

    def _take(self, name: str, region: kdb.Region) -> Iterator[int]:
        shapes = self._shapes[name]
        for polygon in region.each():
            number = len(self.pieces)
            mark = self._work.properties_id({0: number})
            parts = [polygon] if polygon.is_box() else polygon.decompose_trapezoids(kdb.Polygon.TD_htrapezoids)
            for part in parts:
                if part.is_box():
                    shapes.insert(part.bbox(), mark)
                else:
                    shapes.insert(part, mark)
            self.pieces.append(self._piece(polygon))
            yield number

    def _cuts(self, region: kdb.Region, lower: str, upper: str) -> Iterator[int]:
        for polygon in region.each():
            centre = polygon.bbox().center()
            ends = [n for n in (self.at(lower, centre), self.at(upper, centre)) if n is not None]
            self.pieces.append(self._piece(polygon, *ends))
            yield len(self.pieces) - 1

    def _piece(self, polygon: kdb.Polygon, *joins: int) -> Piece:
        return Piece(polygon.area() * self._unit**2, polygon.perimeter() * self._unit, polygon.bbox(), joins)

    def at(self, layer: str, point: kdb.Point) -> int | None:
        """The number of the metal piece at a point (database units of the layout)."""
        for shape in self._shapes[layer].each_touching(kdb.Box(point, point)):
            if shape.is_box() or shape.simple_polygon.inside(point):
                return int(shape.property(0))
        return None


class Groups:
    """Disjoint sets of numbers."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, n: int) -> int:
        """The number that stands for the set of n."""
        while self._parent[n] != n:
            self._parent[n] = self._parent[self._parent[n]]
            n = self._parent[n]
        return n

    def join(self, a: int, b: int) -> None:
        """Make one set of two."""
        a, b = self.root(a), self.root(b)
        if a != b:
            self._parent[max(a, b)] = min(a, b)
