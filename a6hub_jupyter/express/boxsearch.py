"""Which of many rectangles is at each of many points, or near other rectangles: all at once, through bins, in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

BIN = 2000
"""Width and height of a bin, in the units of the rectangles: a few of the smallest rectangles fit in."""
AT_ONCE = 50_000
"""Points or rectangles that are looked up together: memory goes with them."""
ROW = 1 << 31


class BoxSearch:
    """Rectangles (n, 4): left, bottom, right, top, whole numbers."""

    def __init__(self, boxes: Array) -> None:
        self._boxes = boxes.reshape(-1, 4)
        which, keys = _bins(self._boxes)
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
        point, box = self._sharing(np.arange(len(points)), bins[:, 0] * ROW + bins[:, 1])
        (x, y), (x1, y1, x2, y2) = points[point].T, self._boxes[box].T
        touches = (x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2)
        return point[touches], box[touches]

    def is_near(self, boxes: Array, least: int, owners: Array, own: Array) -> Array:
        """For each of `boxes` (m, 4): whether a rectangle is less than `least` away that belongs to somebody else.

        `owners`: whose the rectangles are, numbers (n); `own`: whose each of `boxes` is (m).
        """
        near = np.zeros(len(boxes), np.bool_)
        for k in range(0, len(boxes), AT_ONCE):
            some = boxes[k : k + AT_ONCE]
            asked, rectangle = self._sharing(*_bins(some + np.array([-least, -least, least, least])))
            is_foreign = owners[rectangle] != own[k + asked]
            asked, rectangle = asked[is_foreign], rectangle[is_foreign]
            (x1, y1, x2, y2), (u1, v1, u2, v2) = some[asked].T, self._boxes[rectangle].T
            gap_x = np.maximum(np.maximum(x1 - u2, u1 - x2), 0)
            gap_y = np.maximum(np.maximum(y1 - v2, v1 - y2), 0)
            near[k + asked[gap_x * gap_x + gap_y * gap_y < least * least]] = True
        return near

    def _sharing(self, which: Array, keys: Array) -> tuple[Array, Array]:
        """All pairs of what is asked for and a rectangle in the same bin; `which` is asked for in the bins `keys`."""
        first = np.searchsorted(self._keys, keys, "left")
        asked, offset = _repeated(np.searchsorted(self._keys, keys, "right") - first)
        return which[asked], self._which[first[asked] + offset]


def _bins(boxes: Array) -> tuple[Array, Array]:
    """The number of each of some rectangles (n, 4) as often as it is in a bin, and the key of that bin."""
    low, high = boxes[:, :2] // BIN, boxes[:, 2:] // BIN
    across = (high - low + 1)[:, 0]
    which, offset = _repeated((high - low + 1).prod(axis=1))
    return which, (low[which, 0] + offset % across[which]) * ROW + low[which, 1] + offset // across[which]


def _repeated(counts: Array) -> tuple[Array, Array]:
    """Each index of `counts` as often as it says, and which time of its own each of these is."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
