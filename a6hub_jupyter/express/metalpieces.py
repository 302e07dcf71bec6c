"""The metal of a layout as pieces, and how they grow together layer by layer, as in manufacturing.

Points are looked up among rectangles that the pieces are cut into: a power net is one piece with thousands of corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import klayout.db as kdb
import numpy as np

from a6hub_jupyter.express.boxsearch import BoxSearch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    Array = np.ndarray[Any, Any]


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
        self.pieces: list[Piece] = []
        self.of_layer: dict[str, list[int]] = {}
        self._parts: dict[str, _Parts] = {}
        for k, name in enumerate(self._names):
            if k % 2 == 0:
                parts = self._parts[name] = _Parts()
                self.of_layer[name] = list(self._take(parts, kdb.Region(top.begin_shapes_rec(layers[name])).merged()))
        for k, name in enumerate(self._names):
            if k % 2 == 1 and k + 1 < len(self._names):
                cuts = kdb.Region(top.begin_shapes_rec(layers[name])).merged()
                self.of_layer[name] = list(self._cuts(cuts, self._names[k - 1], self._names[k + 1]))

    def _take(self, parts: _Parts, region: kdb.Region) -> Iterator[int]:
        for polygon in region.each():
            number = len(self.pieces)
            parts.add(number, polygon)
            self.pieces.append(self._piece(polygon))
            yield number

    def _cuts(self, region: kdb.Region, lower: str, upper: str) -> Iterator[int]:
        polygons = list(region.each())
        centres = np.array([_point(polygon.bbox().center()) for polygon in polygons], np.int64).reshape(-1, 2)
        ends = np.stack([self.at(lower, centres), self.at(upper, centres)], axis=1).tolist()
        for polygon, joined in zip(polygons, ends, strict=True):
            self.pieces.append(self._piece(polygon, *(number for number in joined if number >= 0)))
            yield len(self.pieces) - 1

    def _piece(self, polygon: kdb.Polygon, *joins: int) -> Piece:
        return Piece(polygon.area() * self._unit**2, polygon.perimeter() * self._unit, polygon.bbox(), joins)

    @property
    def metals(self) -> Collection[str]:
        """The layers that are no cuts."""
        return self._parts

    def at(self, layer: str, points: Array) -> Array:
        """The number of the metal piece at each of some points (n, 2), database units of the layout; -1 for none."""
        return self._parts[layer].at(points)


class _Parts:
    """The pieces of one metal, cut into trapezoids; nearly all of these are rectangles."""

    def __init__(self) -> None:
        self._boxes: list[tuple[int, int, int, int]] = []
        self._pieces: list[int] = []
        self._slanted: dict[int, kdb.SimplePolygon] = {}
        self._search: BoxSearch | None = None

    def add(self, number: int, polygon: kdb.Polygon) -> None:
        if polygon.is_box():
            self._add(number, polygon.bbox())
            return
        for part in polygon.decompose_trapezoids(kdb.Polygon.TD_htrapezoids):
            if not part.is_box():
                self._slanted[len(self._boxes)] = part
            self._add(number, part.bbox())

    def _add(self, number: int, box: kdb.Box) -> None:
        self._boxes.append((box.left, box.bottom, box.right, box.top))
        self._pieces.append(number)

    def at(self, points: Array) -> Array:
        if self._search is None:
            self._search = BoxSearch(np.array(self._boxes, np.int64))
        point, part = self._search.touching(points)
        if self._slanted:
            inside = [
                number not in self._slanted or self._slanted[number].inside(kdb.Point(*points[at].tolist()))
                for at, number in zip(point.tolist(), part.tolist(), strict=True)
            ]
            point, part = point[inside], part[inside]
        found = np.full(len(points), -1, np.int64)
        found[point[::-1]] = np.array(self._pieces, np.int64)[part[::-1]]
        return found


def _point(point: kdb.Point) -> tuple[int, int]:
    return point.x, point.y


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
