"""Boxes, orientations and gaps. All lengths in the Express flow are whole nanometres."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple


class Box(NamedTuple):
    """An axis-parallel rectangle, nm: left, bottom, right, top."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def width(self) -> int:
        """Extent in x, nm."""
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        """Extent in y, nm."""
        return self.y2 - self.y1

    @property
    def center(self) -> tuple[int, int]:
        """Middle point, rounded down to whole nm."""
        return (self.x1 + self.x2) // 2, (self.y1 + self.y2) // 2

    def moved(self, dx: int, dy: int) -> Box:
        """The same box, shifted by (dx, dy) nm."""
        return Box(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy)

    def contains(self, other: Box) -> bool:
        """Tell whether `other` is inside this box; edges may touch."""
        return self.x1 <= other.x1 and self.y1 <= other.y1 and self.x2 >= other.x2 and self.y2 >= other.y2


class Shape(NamedTuple):
    """A rectangle on a named layer."""

    layer: str
    box: Box


def centered(x: int, y: int, half_x: int, half_y: int) -> Box:
    """The box around (x, y) with the given half extents, nm."""
    return Box(x - half_x, y - half_y, x + half_x, y + half_y)


def gaps(a: Box, b: Box) -> tuple[int, int]:
    """Free distance between two boxes in x and in y, nm; negative or 0 where they overlap or touch."""
    return max(a.x1, b.x1) - min(a.x2, b.x2), max(a.y1, b.y1) - min(a.y2, b.y2)


def distance(a: Box, b: Box) -> float:
    """Euclidean distance between two boxes, nm; 0 when they touch or overlap."""
    gap_x, gap_y = gaps(a, b)
    return math.hypot(max(gap_x, 0), max(gap_y, 0))


def closer(a: Box, b: Box, least: int) -> bool:
    """Is the distance between two boxes less than `least` nm? The same as `distance`, in a hurry."""
    gap_x = a[0] - b[2] if a[0] > b[2] else b[0] - a[2]
    if gap_x >= least:
        return False
    gap_y = a[1] - b[3] if a[1] > b[3] else b[1] - a[3]
    if gap_y >= least:
        return False
    return gap_x <= 0 or gap_y <= 0 or gap_x * gap_x + gap_y * gap_y < least * least


def is_covered(box: Box, cover: list[Box]) -> bool:
    """Is `box` covered by the union of `cover`? Exact; meant for a handful of rectangles."""
    if any(c.contains(box) for c in cover):
        return True
    xs = sorted({box.x1, box.x2} | {x for c in cover for x in (c.x1, c.x2) if box.x1 < x < box.x2})
    ys = sorted({box.y1, box.y2} | {y for c in cover for y in (c.y1, c.y2) if box.y1 < y < box.y2})
    return all(
        any(c.contains(Box(xa, ya, xb, yb)) for c in cover) for xa, xb in pairwise(xs) for ya, yb in pairwise(ys)
    )


def oriented(box: Box, width: int, height: int, orientation: str) -> Box:
    """A box of a cell (width x height, nm) in LEF/DEF orientation N, S, FN or FS, origin at the lower left."""
    x1, y1, x2, y2 = box
    if orientation in ("FN", "S"):
        x1, x2 = width - x2, width - x1
    if orientation in ("FS", "S"):
        y1, y2 = height - y2, height - y1
    return Box(x1, y1, x2, y2)
