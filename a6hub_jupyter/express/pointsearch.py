"""Which of many rectangles is at each of many points: all points at once, through bins, in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

BIN = 2000
"""Width and height of a bin, in the units of the rectangles: a few of the smallest rectangles fit in."""
AT_ONCE = 50_000
"""Points that are looked up together: memory goes with them."""
ROW = 1 << 31


class PointSearch:
    """Rectangles (n, 4): left, bottom, right, top, whole numbers."""

    def __init__(self, boxes: Array) -> None:
        self._boxes = boxes.reshape(-1, 4)
        low, high = self._boxes[:, :2] // BIN, self._boxes[:, 2:] // BIN
        across = (high - low + 1)[:, 0]
        which, offset = _repeated((high - low + 1).prod(axis=1))
        keys = (low[which, 0] + offset % across[which]) * ROW + low[which, 1] + offset // across[which]
        order = np.argsort(keys, kind="stable")
        self._keys, self._which = keys[order], which[order]

    def touching(self, points: Array) -> tuple[Array, Array]:
        """All pairs of a point of `points` (n, 2) and a rectangle that touches it: their numbers, points rising."""
        pairs = [self._touching(points[k : k + AT_ONCE]) for k in range(0, len(points), AT_ONCE)]
        nothing = np.zeros(0, np.int64)
        return (
            np.concatenate([nothing, *(found + k * AT_ONCE for k, (found, _) in enumerate(pairs))]),
            np.concatenate([nothing, *(boxes for _, boxes in pairs)]),
        )

    def _touching(self, points: Array) -> tuple[Array, Array]:
        bins = points // BIN
        keys = bins[:, 0] * ROW + bins[:, 1]
        first = np.searchsorted(self._keys, keys, "left")
        point, offset = _repeated(np.searchsorted(self._keys, keys, "right") - first)
        box = self._which[first[point] + offset]
        (x, y), (x1, y1, x2, y2) = points[point].T, self._boxes[box].T
        touches = (x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2)
        return point[touches], box[touches]


def _repeated(counts: Array) -> tuple[Array, Array]:
    """Each index of `counts` as often as it says, and which time of its own each of these is."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
