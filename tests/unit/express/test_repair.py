"""Notches are filled; what two nets share goes back to the router."""

from __future__ import annotations

import random

import pytest

from a6hub_jupyter.express.drawing import Drawing
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.repair import Metal
from a6hub_jupyter.express.technology import Technology

pytest.importorskip("klayout.db")

RULES = "TYPE ROUTING ; PITCH .4 ; OFFSET .2 ; WIDTH .16 ; SPACING .16 ; AREA .03 ; MINENCLOSEDAREA .14"
CUT = "TYPE CUT ; WIDTH .16 ; SPACING .16 ; ENCLOSURE .03 .06"
STACK = (
    f"LAYER m0 {RULES} ; DIRECTION VERTICAL ; END m0 LAYER c0 {CUT} ; END c0 "
    f"LAYER m1 {RULES} ; DIRECTION HORIZONTAL ; END m1 LAYER c1 {CUT} ; END c1 "
    f"LAYER m2 {RULES} ; DIRECTION VERTICAL ; END m2 "
)


def metal(*fixed: tuple[str | None, Shape]) -> Metal:
    lef = Lef()
    lef.parse(STACK)
    return Metal(Technology(lef, (400, 2800), "m1", "m2"), "m2", fixed)


def drawn(*boxes: Box) -> Drawing:
    return Drawing(patches=[Shape("m1", box) for box in boxes])


def test_gap_within_a_net_is_filled_just_as_long_as_it_is() -> None:
    drawings = {"a": drawn(Box(0, 0, 1000, 200), Box(200, 300, 1200, 500))}
    assert metal().mend(drawings) == []
    added = drawings["a"].patches[2:]
    assert Shape("m1", Box(200, 200, 1000, 300)) in added


def test_step_in_an_edge_is_filled_without_sticking_out() -> None:
    """Two via pads on one wire, 15 nm wider than it: the patch must not grow into the next track."""
    drawings = {"a": drawn(Box(0, 0, 2000, 300), Box(200, -15, 500, 315), Box(600, -15, 900, 315))}
    assert metal().mend(drawings) == []
    assert all(s.box.y1 >= -15 and s.box.y2 <= 315 for s in drawings["a"].patches)


def test_gap_to_a_pin_of_the_same_net_is_filled() -> None:
    drawings = {"a": drawn(Box(0, 0, 1000, 200))}
    assert metal(("a", Shape("m1", Box(0, 300, 1000, 500)))).mend(drawings) == []


def test_hole_that_is_too_small_is_filled_and_no_more_than_that() -> None:
    """Wide enough for the spacing, so no gap; the router would make it again and again."""
    ring = [Box(0, 0, 1000, 200), Box(0, 0, 200, 1000), Box(0, 560, 1000, 1000), Box(560, 0, 1000, 1000)]
    drawings = {"a": drawn(*ring, Box(200, 200, 300, 300))}
    assert metal().mend(drawings) == []
    added = {(x, y) for s in drawings["a"].patches[5:] for x in (s.box.x1, s.box.x2) for y in (s.box.y1, s.box.y2)}
    assert added == {(300, 200), (560, 200), (300, 300), (560, 300), (200, 300), (200, 560), (560, 560)}


def test_hole_between_two_nets_is_the_routers() -> None:
    drawings = {
        "a": drawn(Box(0, 0, 1000, 200), Box(0, 0, 200, 1000)),
        "b": drawn(Box(0, 560, 1000, 1000), Box(560, 0, 1000, 1000)),
    }
    (finding,) = metal().mend(drawings)
    assert finding.rule.startswith("m1.enclosed area")
    assert finding.nets == ("a", "b")


@pytest.mark.parametrize("owner", [None, "b"])
def test_gap_to_other_metal_is_not_filled(owner: str | None) -> None:
    drawings = {"a": drawn(Box(0, 0, 1000, 200))}
    findings = metal((owner, Shape("m1", Box(0, 300, 1000, 500)))).mend(drawings)
    assert [(f.rule, f.nets) for f in findings] == [("m1.space<0.16", ("a",))]
    assert len(drawings["a"].patches) == 1


def test_gap_between_two_nets_names_both() -> None:
    drawings = {"a": drawn(Box(0, 0, 1000, 200)), "b": drawn(Box(0, 300, 1000, 500))}
    findings = metal().mend(drawings)
    assert [f.nets for f in findings] == [("a", "b")]
    assert findings[0].box.y1 == 200
    assert findings[0].box.y2 == 300


def test_violations_within_the_cells_are_not_the_routers() -> None:
    close = (Shape("m1", Box(0, 0, 1000, 200)), Shape("m1", Box(0, 300, 1000, 500)))
    assert metal(*((None, shape) for shape in close)).mend({"a": drawn(Box(5000, 0, 6000, 200))}) == []


def scattered(rng: random.Random) -> Drawing:
    """Wires of one net in a crowded square of 30 um."""
    patches = []
    for _ in range(rng.randrange(1, 5)):
        x, y, length = rng.randrange(0, 30000, 20), rng.randrange(0, 30000, 20), rng.randrange(160, 9000, 20)
        across = rng.random() < 0.5
        box = Box(x, y, x + (length if across else 160), y + (160 if across else length))
        patches.append(Shape(rng.choice(("m1", "m2", "c1")), box))
    return Drawing(patches=patches)


@pytest.mark.parametrize("seed", range(12))
def test_looking_only_where_metal_changed_finds_what_looking_everywhere_does(seed: int) -> None:
    rng = random.Random(seed)
    fixed: list[tuple[str | None, Shape]] = [
        (rng.choice((None, "n1", "n2")), Shape("m1", Box(x, 0, x + 200, 30000))) for x in range(0, 30000, 5000)
    ]
    drawings = {f"n{k}": scattered(rng) for k in range(25)}
    followed = metal(*fixed)
    seen = []
    for turn in range(6):
        if turn % 2:  # a cell has moved, and one has gone
            x = rng.randrange(0, 30000, 20)
            gone = fixed[turn : turn + 2]
            come = [(rng.choice((None, "n1")), Shape("m1", Box(x, 0, x + 200, 30000)))]
            fixed[turn : turn + 2] = come
            followed.change(gone, come)
        found = followed.mend(drawings)
        assert set(found) == set(metal(*fixed).mend(drawings))
        seen.append(len(found))
        for name in rng.sample(sorted(drawings), 3):
            drawings[name] = scattered(rng)
    assert min(seen) > 5, "there was little to find"
