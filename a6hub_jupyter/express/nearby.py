"""Which nodes of the grid a change of routes can make collide, and which can collide with these: all else stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.conflicts import BESIDE, LOOKED_AT
from a6hub_jupyter.express.regions import Region

if TYPE_CHECKING:
    from a6hub_jupyter.express.grid import Grid

    Array = np.ndarray[Any, Any]


class Nearby:
    """The nodes around places, given as columns and rows, on all layers. `marks`: by node, for `conflicts.assess`."""

    def __init__(self, grid: Grid) -> None:
        self._columns, self._rows = grid.columns, grid.rows
        self.marks: Array = np.zeros(grid.size, np.uint8)
        layers = grid.technology.layers
        offsets = [offset for layer in layers for offset in (*layer.wire_wire, *layer.wire_via, *layer.via_via)]
        self._reach = max(1, *(abs(steps) for offset in offsets for steps in offset))
        """So many columns or rows apart nodes may collide."""

    @classmethod
    def everywhere(cls, grid: Grid) -> Nearby:
        """All nodes."""
        near = cls(grid)
        near.marks[:] = BESIDE | LOOKED_AT
        return near

    def _planes(self) -> Array:
        return self.marks.reshape(-1, self._rows, self._columns)

    def add_window(self, window: Region) -> None:
        """Whatever may have changed in a window."""
        planes = self._planes()
        for by, mark in ((self._reach, LOOKED_AT), (2 * self._reach, BESIDE)):
            rows = slice(max(window.low_j - by, 0), window.high_j + by + 1)
            columns = slice(max(window.low_i - by, 0), window.high_i + by + 1)
            planes[:, rows, columns] |= mark

    def add_nodes(self, nodes: Array) -> None:
        """Whatever may have changed above and below some nodes."""
        for row, column in zip(*np.divmod(nodes % (self._rows * self._columns), self._columns), strict=True):
            self.add_window(Region(int(column), int(column), int(row), int(row)))

    def add_places(self, places: Array) -> None:
        """Whatever may have changed where `places`, (rows, columns), is true."""
        planes = self._planes()
        looked_at = _grown(places, self._reach)
        planes |= looked_at * np.uint8(LOOKED_AT) | _grown(looked_at, self._reach) * np.uint8(BESIDE)


def _grown(places: Array, by: int) -> Array:
    """Places that are true, and those within so many rows and columns of them."""
    for _ in range(2):  # along the rows of the array, then along those of its transpose
        grown = places.copy()
        for n in range(1, by + 1):
            grown[n:] |= places[:-n]
            grown[:-n] |= places[n:]
        places = grown.T
    return np.ascontiguousarray(places)
