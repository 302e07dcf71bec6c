"""Rules that neither of the staged technologies has: line ends and arrays of cuts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from a6hub_jupyter.express import checkpictures, layerchecks
from a6hub_jupyter.express.designrules import RuleCheck, Violation
from a6hub_jupyter.express.lef import Lef

kdb = pytest.importorskip("klayout.db")

STACK = """LAYER m0 TYPE ROUTING ; DIRECTION VERTICAL ; WIDTH .2 ; SPACING .2 ;
  SPACING .3 ENDOFLINE .3 WITHIN .05 ; END m0
LAYER c0 TYPE CUT ; WIDTH .2 ; SPACING .2 ; ENCLOSURE 0 .05 ; ENCLOSURE .02 .02 ;
  EOLENCLOSURE .3 .06 ; ARRAYSPACING CUTSPACING .3 ARRAYCUTS 3 SPACING .3 ; END c0
LAYER m1 TYPE ROUTING ; DIRECTION HORIZONTAL ; WIDTH .2 ; SPACING .2 ; END m1"""
PLATE = (-1000, -1000, 4000, 4000)
Boxes = list[tuple[int, int, int, int]]


def broken(**boxes: Boxes) -> set[str]:
    lef = Lef()
    lef.parse(STACK)
    regions = {n: kdb.Region([kdb.Box(*b) for b in boxes.get(n, [])]).merged() for n in ("m0", "c0", "m1")}
    return {v.rule for v in RuleCheck(lef, ["m0", "c0", "m1"]).violations(regions)}


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ((0, 1250, 200, 2000), "m0.space<0.3 (line end<0.3)"),
        ((260, 1210, 460, 2000), None),
        ((0, 1300, 200, 2000), None),
        ((0, 1250, 600, 1550), "m0.space<0.3 (line end<0.3)"),
    ],
)
def test_line_ends_keep_more_room(other: tuple[int, int, int, int], rule: str | None) -> None:
    assert broken(m0=[(0, 0, 200, 1000), other]) == ({rule} if rule else set())


def test_the_bottom_of_a_dent_is_no_line_end() -> None:
    dent = [(0, 0, 2000, 1000), (0, 1000, 900, 1050), (1100, 1000, 2000, 1050)]
    assert broken(m0=[*dent, (0, 1255, 2000, 2000)]) == set()


@pytest.mark.parametrize(("count", "pitch", "fails"), [(3, 400, True), (3, 500, False), (2, 400, False)])
def test_arrays_of_cuts_keep_more_room(count: int, pitch: int, fails: bool) -> None:
    cuts = [(i * pitch, j * pitch, i * pitch + 200, j * pitch + 200) for i in range(count) for j in range(3)]
    assert broken(m0=[PLATE], c0=cuts, m1=[PLATE]) == ({"c0.space<0.3 (array of 3 x 3)"} if fails else set())


@pytest.mark.parametrize(
    ("pad", "rule"),
    [
        ((0, -60, 200, 260), None),
        ((-60, -20, 260, 220), None),
        ((-100, -15, 300, 215), None),
        ((0, -40, 200, 240), "c0.enclosure by m1<0/0.05 or 0.02/0.02"),
        ((-20, -20, 220, 220), "c0.enclosure by m1<0.06 (line end<0.3)"),
    ],
)
def test_one_of_several_enclosures_is_enough_but_line_ends_need_theirs(
    pad: tuple[int, int, int, int], rule: str | None
) -> None:
    found = broken(m0=[PLATE], c0=[(0, 0, 200, 200)], m1=[pad])
    assert (rule in found) if rule else not found


def test_picture_marks_a_violation_however_small(tmp_path: Path) -> None:
    from PIL import Image

    checkpictures.violations(tmp_path / "clean.png", (0, 0, 100_000, 50_000), [])
    checkpictures.violations(tmp_path / "one.png", (0, 0, 100_000, 50_000), [(50_000, 25_000, 50_010, 25_010)])
    clean, one = Image.open(tmp_path / "clean.png"), Image.open(tmp_path / "one.png")
    assert clean.size == one.size == (1040, 540)
    red = (211, 47, 47)
    colours = clean.getcolors(1000) or []
    assert red not in [colour for _, colour in colours]
    assert one.getpixel((520, 270)) == red


def test_several_processes_find_the_same_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, lef = random.Random(5), Lef()
    lef.parse(STACK)
    regions = {}
    for name in ("m0", "c0", "m1"):
        corners = [(rng.randrange(20000), rng.randrange(20000)) for _ in range(400)]
        boxes = [kdb.Box(x, y, x + rng.randrange(150, 900), y + rng.randrange(150, 900)) for x, y in corners]
        regions[name] = kdb.Region(boxes).merged()
    rules = RuleCheck(lef, ["m0", "c0", "m1"])

    def listed(found: list[Violation]) -> list[tuple[str, str, str, str]]:
        return [(v.rule, v.layer, v.kind, str(v.box)) for v in found]

    alone = listed(layerchecks.violations(rules, regions, 2))
    assert alone == listed(list(rules.violations(regions)))
    assert len({rule for rule, *_ in alone}) > 6
    monkeypatch.setattr(layerchecks, "MANY_POLYGONS", 0)
    monkeypatch.setattr(rules, "violations", None)
    assert listed(layerchecks.violations(rules, regions, 2)) == alone


@pytest.mark.parametrize("seed", range(20))
def test_spacing_near_close_edges_is_all_there_is(seed: int) -> None:
    rng, region = random.Random(seed), kdb.Region()
    grid = rng.choice((5, 50, 100, 200))
    for _ in range(rng.choice((100, 300))):
        x, y = rng.randrange(0, 8000, grid), rng.randrange(0, 8000, grid)
        width, height = (rng.randrange(grid, 11 * grid, grid) for _ in range(2))
        slanted = kdb.Polygon([kdb.Point(x, y), kdb.Point(x + width, y + height), kdb.Point(x + width, y)])
        region.insert(slanted if rng.random() < 0.2 else kdb.Box(x, y, x + width, y + height))
    region.merge()
    lef = Lef()
    lef.parse(STACK)
    found = RuleCheck(lef, ["m1"]).violations({"m1": region}, "metal")
    pairs = [pair for pairs in (region.notch_check(200), region.isolated_check(200)) for pair in pairs.each()]
    wanted = sorted(pair.bbox().to_s() for pair in pairs)
    assert wanted
    assert sorted(v.box.to_s() for v in found if v.rule == "m1.space<0.2") == wanted
