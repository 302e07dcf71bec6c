"""Cuts that stand so many together that they need more room."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import klayout.db as kdb

    Point = tuple[int, int]


def _distance(a: kdb.Box, b: kdb.Box) -> float:
    x = max(a.left - b.right, b.left - a.right, 0)
    y = max(a.bottom - b.top, b.bottom - a.top, 0)
    return math.hypot(x, y)


class Crowd:
    """Boxes of cuts, found by place."""

    def __init__(self, cuts: kdb.Region, reach: int) -> None:
        self._reach = max(1, reach)
        self._bins: dict[Point, list[kdb.Box]] = defaultdict(list)
        for cut in cuts.each():
            box = cut.bbox()
            for key in self._keys(box, 0):
                self._bins[key].append(box)

    def _keys(self, box: kdb.Box, margin: int) -> Iterator[Point]:
        step = self._reach
        for i in range((box.left - margin) // step, (box.right + margin) // step + 1):
            for j in range((box.bottom - margin) // step, (box.top + margin) // step + 1):
                yield i, j

    def near(self, box: kdb.Box, reach: int) -> list[kdb.Box]:
        """All cuts nearer than `reach` to a box, itself not counted; each once."""
        found = {b.to_s(): b for key in self._keys(box, reach) for b in self._bins.get(key, ())}
        return [b for b in found.values() if b != box and _distance(b, box) < reach]

    def at(self, edge: kdb.Edge) -> kdb.Box | None:
        """The cut that has this edge."""
        line = edge.bbox()
        return next((b for key in self._keys(line, 0) for b in self._bins.get(key, ()) if line.inside(b)), None)


def crowded_pairs(cuts: kdb.Region, close: kdb.EdgePairs, count: int, within: int) -> list[kdb.EdgePair]:
    """Of the pairs in `close`, those where a cut has at least `count` others nearer than `within`."""
    crowd = Crowd(cuts, within)
    found: list[kdb.EdgePair] = []
    for pair in close.each():
        boxes = [crowd.at(pair.first), crowd.at(pair.second)]
        if any(box is not None and len(crowd.near(box, within)) >= count for box in boxes):
            found.append(pair)
    return found


def array_pairs(cuts: kdb.Region, close: kdb.EdgePairs, count: int) -> list[kdb.EdgePair]:
    """Of the pairs in `close`, those within arrays of at least `count` columns and rows that the pairs make."""
    pairs = list(close.each())
    crowd = Crowd(cuts, 1000)
    ends = [(crowd.at(pair.first), crowd.at(pair.second)) for pair in pairs]
    beside: dict[str, set[str]] = defaultdict(set)
    boxes: dict[str, kdb.Box] = {}
    for a, b in ends:
        if a is not None and b is not None:
            boxes |= {a.to_s(): a, b.to_s(): b}
            beside[a.to_s()].add(b.to_s())
            beside[b.to_s()].add(a.to_s())
    large: set[str] = set()
    seen: set[str] = set()
    for start in boxes:
        group, todo = set(), [start]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                group.add(name)
                todo += beside[name]
        columns = {boxes[name].left for name in group}
        rows = {boxes[name].bottom for name in group}
        if len(columns) >= count and len(rows) >= count:
            large |= group
    return [pair for pair, (a, _) in zip(pairs, ends, strict=True) if a is not None and a.to_s() in large]
