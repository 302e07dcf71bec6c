"""Points and rectangles among rectangles, held against looking at each pair."""

from __future__ import annotations

import numpy as np
import pytest

from a6hub_jupyter.express import boxsearch
from a6hub_jupyter.express.boxsearch import BIN, BoxSearch
from a6hub_jupyter.express.geometry import Box, closer


@pytest.mark.parametrize("seed", range(5))
def test_finds_what_looking_at_each_pair_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxsearch, "AT_ONCE", 37)
    random = np.random.default_rng(seed)
    corner = random.integers(-5 * BIN, 5 * BIN, (300, 2))
    boxes = np.concatenate([corner, corner + random.integers(0, random.choice([50, 3 * BIN]), (300, 2))], axis=1)
    points = np.concatenate([random.integers(-6 * BIN, 6 * BIN, (400, 2)), boxes[:50, :2], boxes[:50, 2:]])
    point, box = BoxSearch(boxes).touching(points)
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
    assert [len(each) for each in BoxSearch(nothing).touching(np.array([[1, 2]]))] == [0, 0]
    assert [len(each) for each in BoxSearch(np.array([[0, 0, 1, 1]])).touching(nothing[:, :2])] == [0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_tells_which_rectangles_are_near_others_of_somebody_else(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxsearch, "AT_ONCE", 37)
    random = np.random.default_rng(seed)
    corner = random.integers(-5 * BIN, 5 * BIN, (800, 2))
    size = random.integers(0, random.choice([50, BIN]), (800, 2))
    boxes = np.concatenate([corner, corner + size], axis=1)
    owners, least = random.integers(0, 3, 800), 170
    rectangles, asked = boxes[:500], boxes[500:]
    near = BoxSearch(rectangles).is_near(asked, least, owners[:500], owners[500:])
    expected = [
        any(
            closer(Box(*box), Box(*other), least) and mine != theirs
            for other, theirs in zip(rectangles.tolist(), owners[:500].tolist(), strict=True)
        )
        for box, mine in zip(asked.tolist(), owners[500:].tolist(), strict=True)
    ]
    assert near.tolist() == expected
    assert 5 < sum(expected) < 295
