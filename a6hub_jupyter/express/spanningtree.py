"""The shortest tree that joins points along x and y, compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.maze import compiled

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


@compiled
def spanning_tree(x: Array, y: Array, begin: int, end: int, order: Array) -> int:
    """The length of the shortest tree whose edges join the points from `begin` to before `end` (Prim).

    `x`, `y`: whole numbers; `order`: gets the numbers of the points there, each the nearest to those before.
    """
    away = np.full(end - begin, np.iinfo(np.int64).max)
    total, joined = 0, begin
    for k in range(begin, end):
        order[k] = joined
        away[joined - begin] = -1
        nearest = -1
        for other in range(begin, end):
            if away[other - begin] >= 0:
                distance = abs(x[other] - x[joined]) + abs(y[other] - y[joined])
                away[other - begin] = min(away[other - begin], distance)
                if nearest < 0 or away[other - begin] < away[nearest - begin]:
                    nearest = other
        if nearest >= 0:
            total += away[nearest - begin]
            joined = nearest
    return total


@compiled
def nearest_first(first: Array, x: Array, y: Array, order: Array) -> None:
    """Order the points of each group, from `first[k]` to before `first[k + 1]`, as `spanning_tree` does."""
    for k in range(first.shape[0] - 1):
        spanning_tree(x, y, first[k], first[k + 1], order)
