"""Points among rectangles, held against looking at each pair."""

from __future__ import annotations

import numpy as np
import pytest

from a6hub_jupyter.express import pointsearch
from a6hub_jupyter.express.pointsearch import BIN, PointSearch


@pytest.mark.parametrize("seed", range(5))
def test_finds_what_looking_at_each_pair_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pointsearch, "AT_ONCE", 37)
    random = np.random.default_rng(seed)
    corner = random.integers(-5 * BIN, 5 * BIN, (300, 2))
    boxes = np.concatenate([corner, corner + random.integers(0, random.choice([50, 3 * BIN]), (300, 2))], axis=1)
    points = np.concatenate([random.integers(-6 * BIN, 6 * BIN, (400, 2)), boxes[:50, :2], boxes[:50, 2:]])
    point, box = PointSearch(boxes).touching(points)
    found = set(zip(point.tolist(), box.tolist(), strict=True))
    assert len(found) == len(point), "no pair comes twice"
    assert found == {
        (p, b)
        for p, (x, y) in enumerate(points.tolist())
        for b, (x1, y1, x2, y2) in enumerate(boxes.tolist())
        if x1 <= x <= x2 and y1 <= y <= y2
    }
    assert point.tolist() == sorted(point.tolist())


def test_without_rectangles_or_points_there_is_nothing() -> None:
    nothing = np.zeros((0, 4), np.int64)
    assert [len(each) for each in PointSearch(nothing).touching(np.array([[1, 2]]))] == [0, 0]
    assert [len(each) for each in PointSearch(np.array([[0, 0, 1, 1]])).touching(nothing[:, :2])] == [0, 0]
