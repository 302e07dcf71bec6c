"""Which nets can be routed at the same time: those whose surroundings lie in separate regions of the die.

The division depends on the nets alone, not on how many threads there are; nor does, then, the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

FEWEST_NETS = 64
"""With fewer nets to route, all are routed one after the other."""


class Region(NamedTuple):
    """A part of the grid: (i low, i high, j low, j high), all included."""

    low_i: int
    high_i: int
    low_j: int
    high_j: int


class Share(NamedTuple):
    """Nets, as positions in the list that was divided, which stay within a region."""

    region: Region
    nets: Array


def whole(columns: int, rows: int) -> Region:
    """All nodes but those at the edge."""
    return Region(1, columns - 2, 1, rows - 2)


def divide(boxes: Array, columns: int, rows: int) -> list[list[Share]]:
    """Stages of shares: those of one stage do not touch each other, those of the next begin when all are done.

    `boxes` (n, 4): where each net may go, with what its metal keeps free. First the quarters of the grid, then the
    halves for what crosses one middle line, then all for what is left.
    """
    everything = whole(columns, rows)
    left = np.arange(len(boxes))
    if len(boxes) < FEWEST_NETS:
        return [[Share(everything, left)]]
    west, east = (1, columns // 2 - 1), (columns // 2, columns - 2)
    south, north = (1, rows // 2 - 1), (rows // 2, rows - 2)
    full_i, full_j = (1, columns - 2), (1, rows - 2)
    stages = []
    for parts in (
        [(i, j) for i in (west, east) for j in (south, north)],
        [(full_i, south), (full_i, north)],
        [(west, full_j), (east, full_j)],
    ):
        stage = []
        for (low_i, high_i), (low_j, high_j) in parts:
            # beyond the edge of the grid there is nothing: a box may reach past it
            fits = (boxes[left, 0] >= low_i) | (low_i == 1)
            fits &= (boxes[left, 1] <= high_i) | (high_i == columns - 2)
            fits &= (boxes[left, 2] >= low_j) | (low_j == 1)
            fits &= (boxes[left, 3] <= high_j) | (high_j == rows - 2)
            if fits.any():
                stage.append(Share(Region(low_i, high_i, low_j, high_j), left[fits]))
                left = left[~fits]
        stages.append(stage)
    return [stage for stage in [*stages, [Share(everything, left)]] if any(len(share.nets) for share in stage)]
