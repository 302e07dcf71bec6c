"""How long the wires at least have to be, to judge how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.maze import compiled
from a6hub_jupyter.express.spanningtree import spanning_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.fabric import Net
    from a6hub_jupyter.express.grid import Grid

    Array = np.ndarray[Any, Any]

MANY = 24
"""Nets with more points get no Steiner points: to look for these takes time with the fourth power."""


def half_perimeter(grid: Grid, nets: Iterable[Net]) -> int:
    """The sum over nets of half the perimeter of the box around the points where their pins were reached, nm.

    No route is shorter; with two or three pins one can be as short, with more pins hardly any.
    """
    return sum(int(np.ptp(x) + np.ptp(y)) for x, y in (_points(grid, net) for net in nets) if len(x))


def steiner_trees(grid: Grid, nets: Iterable[Net]) -> int:
    """The sum over nets of the length of a nearly shortest tree (Steiner tree) through these points, nm.

    After A. B. Kahng and G. Robins, "A new class of iterative Steiner tree heuristics", IEEE Trans. CAD 11 (1992):
    as far from the shortest as half a percent, on average.
    """
    return sum(int(steiner_tree(x, y)) for x, y in (_points(grid, net) for net in nets) if len(x))


def _points(grid: Grid, net: Net) -> tuple[Array, Array]:
    """Where the pins of a net were reached, each place once, nm."""
    places = {grid.place(t.chosen)[1:] for t in net.terminals if t.chosen is not None}
    at = np.array([(grid.x(i), grid.y(j)) for i, j in sorted(places)], np.int64).reshape(-1, 2)
    return at[:, 0].copy(), at[:, 1].copy()


@compiled
def steiner_tree(x: Array, y: Array) -> int:
    """The length of a nearly shortest tree through points: the crossing that shortens it most is added, again."""
    count = x.shape[0]
    order = np.zeros(2 * count, np.int64)
    if count > MANY:
        return int(spanning_tree(x, y, 0, count, order))
    across, along = np.zeros(2 * count, np.int64), np.zeros(2 * count, np.int64)
    across[:count], along[:count] = x, y
    total = spanning_tree(across, along, 0, count, order)
    for at in range(count, 2 * count):
        shortest, column, row = total, -1, -1
        for i in range(count):
            for j in range(count):
                across[at], along[at] = x[i], y[j]
                length = spanning_tree(across, along, 0, at + 1, order)
                if length < shortest:
                    shortest, column, row = length, i, j
        if column < 0:
            break
        total, across[at], along[at] = shortest, x[column], y[row]
    return int(total)
