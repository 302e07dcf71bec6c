"""Rails, straps both ways and their vias on a made-up die, around a hard macro."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.lefcells import Macro, Pin
from a6hub_jupyter.express.powergrid import PowerPlanner, grid_shapes
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.verilog import Netlist

METAL = "TYPE ROUTING ; PITCH .4 ; WIDTH .2 ; SPACING .2"
CUT = "TYPE CUT ; WIDTH .2 ; SPACING .2 ; ENCLOSURE .05 .05"
STACK = (
    f"LAYER m1 {METAL} ; DIRECTION HORIZONTAL ; END m1 LAYER c1 {CUT} ; END c1 "
    f"LAYER m2 {METAL} ; DIRECTION VERTICAL ; END m2 LAYER c2 {CUT} ; END c2 "
    f"LAYER m3 {METAL} ; DIRECTION HORIZONTAL ; END m3 "
)
JOB: dict[str, Any] = {
    "ground_net": "VSS",
    "power_net": "VDD",
    "power_pins": ["VDD"],
    "ground_pins": ["VSS"],
    "rail_layer": "m1",
    "rail_width": 400,
    "strap_layer": "m2",
    "strap_width": 1000,
    "strap_spacing": 600,
    "strap_pitch": 10000,
    "strap_offset": 3000,
    "bar_layer": "m3",
    "bar_width": 1000,
    "bar_spacing": 600,
    "bar_pitch": 10000,
    "bar_offset": 3000,
}


def _supply(use: str, layer: str, *box: int) -> Pin:
    return Pin("INOUT", use, [Shape(layer, Box(*box))])


BLOCKS = {
    "ram": Macro("ram", 4000, 4000, pins={"VDD": _supply("POWER", "m2", 1000, 0, 2000, 4000)}),
    "sram": Macro(
        "sram",
        8000,
        6000,
        pins={
            "vccd": _supply("POWER", "m1", 0, 500, 8000, 1500),
            "gnd": _supply("GROUND", "m1", 6500, 3000, 7800, 4000),
        },
        obstructions=[Shape("m1", Box(0, 0, 8000, 6000))],
    ),
    "buried": Macro("buried", 4000, 4000, pins={"VDD": _supply("POWER", "m0", 0, 0, 4000, 1000)}),
}


def planned(database: Database, **changes: Any) -> tuple[Any, Database]:
    lef = Lef()
    lef.parse(STACK)
    for name, macro in BLOCKS.items():
        cast("Any", lef.macros)._parsed[name] = macro
        cast("Any", lef.macros)._texts[name] = ""
    job = SimpleNamespace(**{**JOB, **changes})
    technology = SimpleNamespace(lef=lef, stack=["m1", "c1", "m2", "c2", "m3"])
    database.grid = PowerPlanner(cast("Any", job), cast("Any", technology), database).plan()
    return job, database


@pytest.fixture
def die() -> Database:
    return Database(Netlist("top"), 20000, 20000, 2000, 400, 400, 19600)


def test_wires_of_one_net_have_vias_wherever_they_cross(die: Database) -> None:
    job, database = planned(die)
    shapes = list(grid_shapes(job, database))
    for lower, cut, upper in (("m1", "c1", "m2"), ("m2", "c2", "m3")):
        wires = {
            layer: [(net, b) for net, (la, b) in shapes if la == layer and max(b.width, b.height) == 20000]
            for layer in (lower, upper)
        }
        crossings = 0
        for net, low in wires[lower]:
            for other, high in wires[upper]:
                # at the die's edge half of a cut lies outside the wires
                centres = [Box(*b.center, *b.center) for _, (la, b) in shapes if la == cut]
                cuts = [c for c in centres if low.contains(c) and high.contains(c)]
                assert bool(cuts) == (net == other)
                crossings += net == other
        assert crossings > 0


def test_no_metal_of_two_nets_touches(die: Database) -> None:
    job, database = planned(die)
    shapes = list(grid_shapes(job, database))
    for n, (net, (layer, box)) in enumerate(shapes):
        for other, (its_layer, its_box) in shapes[:n]:
            if net != other and layer == its_layer:
                gap_x = max(box.x1, its_box.x1) - min(box.x2, its_box.x2)
                gap_y = max(box.y1, its_box.y1) - min(box.y2, its_box.y2)
                assert max(gap_x, gap_y) >= 200


def test_one_layer_only_when_asked_for(die: Database) -> None:
    job, database = planned(die, bar_layer="")
    assert not database.grid.bars
    assert {la for _, (la, _) in grid_shapes(job, database)} == {"m1", "c1", "m2"}


def test_grid_goes_around_a_macro_and_feeds_it(die: Database) -> None:
    die.blocks = [Component("u", "ram", 2000, 2000)]
    die.kept_free = [Box(1000, 1000, 7000, 7000)]
    job, database = planned(die)
    grid = database.grid
    assert all(s.right <= 1000 or s.left >= 7000 or s.bottom >= 7000 or s.top <= 1000 for s in grid.straps)
    assert [(r.left, r.right) for r in grid.rails if r.y == 4000] == [(7200, 20000)]
    assert [(r.left, r.right) for r in grid.rails if r.y == 10000] == [(0, 20000)]
    pin = Box(3000, 2000, 4000, 6000)
    fed = [b for net, (la, b) in grid_shapes(job, database) if la == "c2" and pin.contains(b) and net == "VDD"]
    assert fed


@pytest.mark.parametrize(("pitch", "offset"), [(10000, 3000), (20000, 16000)])
def test_straps_pass_over_a_macro_that_leaves_their_layer_free(die: Database, pitch: int, offset: int) -> None:
    """Pins right below the straps are fed from above, by straps of their own where the regular ones are elsewhere."""
    die.blocks = [Component("u", "sram", 4000, 6000)]
    die.kept_free = [Box(3000, 5000, 13_000, 13_000)]
    job, database = planned(die, strap_pitch=pitch, strap_offset=offset)
    over = [s for s in database.grid.straps if s.right > 4000 and s.left < 12_000]
    assert over
    assert {(s.bottom, s.top) for s in over} == {(0, 20_000)}
    for n, strap in enumerate(database.grid.straps):
        for other in database.grid.straps[:n]:
            assert max(other.left - strap.right, strap.left - other.right) >= 600
    pins = {"VDD": Box(4000, 6500, 12_000, 7500), "VSS": Box(10_500, 9000, 11_800, 10_000)}
    core = Box(4000, 6000, 12_000, 12_000)
    cuts = [(net, box) for net, (layer, box) in grid_shapes(job, database) if layer == "c1" and core.contains(box)]
    assert {net for net, _ in cuts} == {"VDD", "VSS"}
    assert all(pins[net].contains(box) for net, box in cuts)
    assert all(pins[net].contains(b) for net, (la, b) in grid_shapes(job, database) if la == "m1" and core.contains(b))


def test_supply_that_no_strap_reaches_is_named(die: Database) -> None:
    die.blocks = [Component("u", "buried", 4000, 6000)]
    die.kept_free = [Box(3000, 5000, 9000, 11_000)]
    with pytest.raises(
        ProblemError, match="The macro buried has its supply VDD on m0 only: straps on m2 reach pins on"
    ):
        planned(die)


def test_a_memory_that_no_strap_can_be_added_for_is_named(die: Database) -> None:
    """Its ground pin is 1.3 um wide, and a strap of power stands on 0.5 um of it."""
    die.row_left = 13_200
    die.blocks = [Component("u", "sram", 4000, 6000)]
    die.kept_free = [Box(3000, 5000, 13_000, 13_000)]
    with pytest.raises(
        ProblemError, match=r"no room for a power strap of VSS over the macro u: move it in MACROS, or lower PDN_VWIDTH"
    ):
        planned(die, strap_pitch=20_000, strap_offset=10_000)


def test_grid_keeps_off_a_macro_outside_of_the_core(die: Database) -> None:
    """Rails reach the edge of the die above and below the macro; the strap's piece below it would hang in the air."""
    die.row_left, die.row_bottom = 8000, 6000
    die.blocks = [Component("u", "ram", 2000, 4000)]
    die.kept_free = [Box(1000, 1000, 7000, 9000)]
    _, database = planned(die)
    grid = database.grid
    assert {(r.y, r.left) for r in grid.rails} == {(y, 8000 if y < 10000 else 0) for y in range(6000, 20001, 2000)}
    assert {r.right for r in grid.rails} == {20000}
    beside = [s for s in grid.straps if s.right > 1000 and s.left < 7000]
    assert beside
    assert {s.bottom for s in beside} == {9000}
