"""Where two layouts differ, exactly."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import gdstk
import pytest

from a6hub_jupyter.layout import LayoutError, SceneCache, differences


def write(path: Path, boxes: list[tuple[float, float, float, float, int]], precision: float = 1e-9) -> Path:
    library = gdstk.Library("x", precision=precision)
    leaf, top = library.new_cell("LEAF"), library.new_cell("TOP")
    for x1, y1, x2, y2, layer in boxes:
        leaf.add(gdstk.rectangle((x1, y1), (x2, y2), layer=layer))
    top.add(gdstk.Reference(leaf, (10, 0), columns=2, rows=1, spacing=(100, 0)))
    library.write_gds(path)
    return path


def compare(one: Path, other: Path) -> dict[str, Any]:
    differences.compare(one.with_suffix(".gz"), one, other)
    found: dict[str, Any] = json.loads(gzip.decompress(one.with_suffix(".gz").read_bytes()))
    return found


def test_equal_layouts_have_none_however_they_are_drawn(tmp_path: Path) -> None:
    one = write(tmp_path / "one.gds", [(0, 0, 2, 1, 1)])
    other = write(tmp_path / "other.gds", [(0, 0, 1, 1, 1), (0.5, 0, 2, 1, 1)], precision=5e-9)
    found = compare(one, other)
    assert (found["markers"], found["note"]) == ([], "The two layouts are equal.")


def test_each_piece_says_who_has_it(tmp_path: Path) -> None:
    one = write(tmp_path / "one.gds", [(0, 0, 2, 1, 1), (0, 5, 1, 6, 2)])
    other = write(tmp_path / "other.gds", [(0, 0, 3, 1, 1), (0, 5, 1, 6, 3)])
    found = compare(one, other)
    names = [each["name"] for each in found["categories"]]
    pieces = {(names[c], tuple(box), text) for c, _, box, text in found["markers"]}
    assert pieces == {
        ("1/0", (12, 0, 13, 1), "only in other.gds"),
        ("1/0", (112, 0, 113, 1), "only in other.gds"),
        ("2/0", (10, 5, 11, 6), "only in one.gds"),
        ("2/0", (110, 5, 111, 6), "only in one.gds"),
        ("3/0", (10, 5, 11, 6), "only in other.gds"),
        ("3/0", (110, 5, 111, 6), "only in other.gds"),
    }


def test_the_cache_asks_a_process_of_its_own(tmp_path: Path) -> None:
    one = write(tmp_path / "one.gds", [(0, 0, 2, 1, 1)])
    other = write(tmp_path / "other.gds", [(0, 0, 3, 1, 1)])
    scenes = SceneCache(tmp_path / "cache", 1 << 20, 60, 2 << 30)
    there, back = (asyncio.run(scenes.differences(*pair)) for pair in ((one, other), (other, one)))
    assert there != back
    (tmp_path / "bad.gds").write_bytes(b"no layout")
    with pytest.raises(LayoutError, match=r"bad\.gds is damaged"):
        asyncio.run(scenes.differences(one, tmp_path / "bad.gds"))
