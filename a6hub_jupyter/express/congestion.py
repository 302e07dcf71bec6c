"""How much of the routing grid is taken where, and which part of the die is the worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.geometry import Box
from a6hub_jupyter.express.picture import MOST_PIXELS, write_png

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from a6hub_jupyter.express.fabric import Net
    from a6hub_jupyter.express.grid import Grid

    Array = np.ndarray[Any, Any]

TILE = 10_000
"""Side of a tile, nm."""
SCALE = ((0.0, (250, 250, 248)), (0.35, (170, 205, 225)), (0.7, (250, 190, 90)), (1.0, (200, 40, 40)))
CONFLICT = (110, 0, 120)


@dataclass(frozen=True)
class Spot:
    """The worst tile: where (nm), how many conflicts are there, and how much of its free grid is taken (0 to 1)."""

    box: Box
    conflicts: int
    usage: float


class Congestion:
    """Usage and conflicts by tiles of the die. `usage[row, column]`: nodes taken of those that are free of cells."""

    def __init__(self, grid: Grid, nets: Iterable[Net], collided: Array) -> None:
        technology = grid.technology
        self._grid = grid
        self._columns = max(1, TILE // technology.pitch_x)
        self._rows = max(1, TILE // technology.pitch_y)
        shape = -(-grid.rows // self._rows), -(-grid.columns // self._columns)
        free = (grid.blocked.reshape(-1, grid.rows, grid.columns) & 1 == 0).sum(axis=0)
        self._capacity = self._tiles(np.arange(grid.plane), shape, free.ravel())
        taken = np.concatenate([np.zeros(0, np.int64), *(net.nodes for net in nets)])
        self.usage = self._tiles(taken % grid.plane, shape) / np.maximum(self._capacity, 1)
        self.conflicts = self._tiles(collided % grid.plane, shape)

    def _tiles(self, places: Array, shape: tuple[int, int], weights: Array | None = None) -> Array:
        j, i = np.divmod(places, self._grid.columns)
        tile = j // self._rows * shape[1] + i // self._columns
        return np.bincount(tile, weights, shape[0] * shape[1]).reshape(shape)

    def worst(self) -> Spot:
        """The tile with the most conflicts, or if there are none the fullest."""
        order = self.conflicts + np.minimum(self.usage, 1) * 0.5
        row, column = (int(n) for n in np.unravel_index(int(np.argmax(order)), order.shape))
        grid = self._grid
        x1, y1 = grid.x(column * self._columns), grid.y(row * self._rows)
        last_i, last_j = min((column + 1) * self._columns, grid.columns), min((row + 1) * self._rows, grid.rows)
        box = Box(x1, y1, grid.x(last_i - 1), grid.y(last_j - 1))
        return Spot(box, int(self.conflicts[row, column]), float(self.usage[row, column]))

    def draw(self, path: Path) -> None:
        """Write a picture: from pale (free) to red (full); tiles with conflicts in violet."""
        stops = np.array([at for at, _ in SCALE])
        colours = np.array([colour for _, colour in SCALE], float)
        tiles = np.stack([np.interp(self.usage, stops, colours[:, k]) for k in range(3)], axis=2)
        tiles[self.conflicts > 0] = CONFLICT
        zoom = max(1, MOST_PIXELS // max(tiles.shape[:2]))
        write_png(path, tiles[::-1].repeat(zoom, axis=0).repeat(zoom, axis=1).astype(np.uint8))
