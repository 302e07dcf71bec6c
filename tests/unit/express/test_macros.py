"""Hard macros: buses in netlists, places, power beside them, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from a6hub_jupyter.express import verilog
from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.diesize import outline
from a6hub_jupyter.express.floorplan import empty, place_blocks, roomy_outline
from a6hub_jupyter.express.geometry import Box
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.macroplaces import check_buses, to_tracks, without_slots
from a6hub_jupyter.express.packing import pack
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.taps import add_taps
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.verilog import Netlist
from tests.unit.express.jobs import job
from tests.unit.express.test_powergrid import planned

LAYERS = """
MANUFACTURINGGRID 0.005 ;
LAYER m0 TYPE ROUTING ; DIRECTION HORIZONTAL ; PITCH .4 ; WIDTH .2 ; SPACING .2 ; END m0
LAYER c0 TYPE CUT ; WIDTH .2 ; SPACING .2 ; ENCLOSURE .05 .05 ; END c0
LAYER m1 TYPE ROUTING ; DIRECTION VERTICAL ; PITCH .5 ; WIDTH .2 ; SPACING .2 ; END m1
LAYER c1 TYPE CUT ; WIDTH .2 ; SPACING .2 ; ENCLOSURE .05 .05 ; END c1
LAYER m2 TYPE ROUTING ; DIRECTION HORIZONTAL ; PITCH .4 ; WIDTH .2 ; SPACING .2 ; END m2
SITE unit SIZE 0.5 BY 4 ; END unit
MACRO ram
  CLASS BLOCK ; SIZE 20 BY 10 ;
  PIN q[2] DIRECTION OUTPUT ; PORT LAYER m1 ; RECT 1.1 0 1.3 1 ; END END q[2]
  PIN q[10] DIRECTION OUTPUT ; PORT LAYER m1 ; RECT 3.1 0 3.3 1 ; END END q[10]
  PIN d DIRECTION INPUT ; PORT LAYER m2 ; RECT 0 1.9 1 2.1 ; END END d
END ram
"""


@pytest.fixture
def technology() -> Technology:
    lef = Lef()
    lef.parse(LAYERS)
    return Technology(lef, (500, 4000), "m1", "m2")


def test_bits_of_a_bus_go_to_the_pins_of_the_macro(technology: Technology, tmp_path: Path) -> None:
    path = tmp_path / "top.v"
    path.write_text("module top (a); input a; wire x, y; ram u (.q({x, y}), .d(a)); endmodule")
    netlist = verilog.read(path, "top", technology.lef.macros.bits)
    assert netlist.nets == {"x": [("u", "q[10]")], "y": [("u", "q[2]")], "a": [("u", "d")]}
    path.write_text(verilog.write(netlist))
    assert ".q({x, y})" in path.read_text()
    assert verilog.read(path, "top", technology.lef.macros.bits).nets.keys() == netlist.nets.keys()
    assert verilog.read(path, "top", technology.lef.macros.bits).net_of() == netlist.net_of()


@pytest.mark.parametrize("orientation", ["N", "S", "FN", "FS"])
def test_pins_come_to_stand_on_tracks(orientation: str, technology: Technology) -> None:
    block = Component("u", "ram", 7130, 5005, orientation)
    macro = technology.lef.macros["ram"]
    dx, dy = to_tracks(block, macro, technology)
    assert abs(dx) <= 250
    assert abs(dy) <= 200 * technology.layers[1].every
    assert (block.x, block.y) == (7130 + dx, 5005 + dy)
    for name in ("q[2]", "q[10]"):
        x, _ = block.place(macro.pins[name].shapes[0].box, macro).center
        assert (x - technology.offset_x) % technology.pitch_x == 0
    _, y = block.place(macro.pins["d"].shapes[0].box, macro).center
    assert (y - technology.offset_y) % technology.pitch_y == 0


RAM = {"name": "u", "cell": "ram", "orientation": "N"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"macros": [{**RAM, "x": 90_000, "y": 0}]}, "does not fit where MACROS puts it, on a die of 100.0 x 40.0 um"),
        ({"macros": [{**RAM, "x": 10_001, "y": 0}]}, "MACROS puts u at (10.001, 0) um, which is off .* use (10, 0)."),
        ({"macros": [{**RAM, "name": "v", "x": 0, "y": 0}]}, "MACROS places v (ram), which the netlist does not have."),
        (
            {"macros": [{**RAM, "cell": "rom", "x": 0, "y": 0}]},
            "MACROS places u (rom), which the netlist",
        ),
        (
            {"macros": [{**RAM, "x": 10_000, "y": 0}, {**RAM, "name": "w", "x": 25_000, "y": 0}]},
            "The macros w and u are too close: move one in MACROS.",
        ),
        ({"macros": []}, "The netlist has the hard macro u (ram): give its place in MACROS."),
        ({"bar_layer": "m2", "macros": [{**RAM, "x": 0, "y": 0}]}, "has metal on m2, .* PDN_MULTILAYER set to false"),
    ],
)
def test_what_cannot_be_placed_is_refused(
    changes: dict[str, object], said: str, technology: Technology, tmp_path: Path
) -> None:
    cells = {"u": "ram", **({"w": "ram"} if len(cast("list[Any]", changes["macros"])) > 1 else {})}
    die = Database(Netlist("top", cells), 100_000, 40_000, 4000, 500, 0, 100_000)
    with pytest.raises(ProblemError, match=said.replace("(", r"\(").replace(")", r"\)")):
        place_blocks(job(tmp_path, **{"halo": [0, 0], **changes}), die, technology)


def test_a_bus_that_counts_up_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ram.v"
    path.write_text("module ram (q); output [0:7] q; endmodule")
    with pytest.raises(ProblemError, match=r"declares q as \[0:7\].*declare it \[7:0\]"):
        check_buses(["ram"], [str(path)])
    path.write_text("module ram (input wire [7:0] a /* [0:7] */, output q); endmodule module other (input [0:1] a);")
    check_buses(["ram"], [str(path)])


@pytest.fixture
def beside() -> Database:
    """A die with a macro so wide that its left channel has no regular strap of either net."""
    die = Database(Netlist("top"), 30_000, 24_000, 2000, 400, 400, 29_600)
    die.blocks = [Component("u", "ram", 9000, 6000)]
    die.kept_free = [Box(8000, 4000, 21_000, 16_000)]
    return die


def test_rails_beside_a_macro_get_straps_and_the_macro_a_bar(beside: Database) -> None:
    _, database = planned(beside, strap_pitch=30_000, strap_offset=12_000, bar_pitch=20_000, bar_offset=500)
    grid = database.grid
    for rail in grid.rails:
        over = [s for s in grid.straps if s.net == rail.net and rail.left <= s.left and s.right <= rail.right]
        assert any(s.bottom <= rail.y <= s.top for s in over), rail
    for n, strap in enumerate(grid.straps):
        for other in grid.straps[:n]:
            if strap.bottom < other.top and other.bottom < strap.top:
                assert max(other.left - strap.right, strap.left - other.right) >= 600
    pin = Box(10_000, 6000, 11_000, 10_000)
    assert any(b.net == "VDD" and pin.y1 <= b.bottom and b.top <= pin.y2 for b in grid.bars)


def test_a_channel_without_room_is_named(beside: Database) -> None:
    beside.kept_free = [Box(5200, 4000, 26_000, 16_000)]
    with pytest.raises(ProblemError, match=r"no room for a power strap of \w+ on the row parts from 0.0 to 5.2 um"):
        planned(beside, strap_pitch=30_000, strap_offset=12_000)


def test_macros_without_horizontal_straps_are_refused(beside: Database) -> None:
    with pytest.raises(ProblemError, match="cross the power pins of the macro u: leave PDN_MULTILAYER on"):
        planned(beside, bar_layer="")


def test_narrow_channels_have_no_rows() -> None:
    halos = [Box(3000, 0, 10_000, 9000), Box(12_000, 5000, 20_000, 9000), Box(50_000, 0, 60_000, 9000)]
    grown = without_slots(halos, 90_000, 5000)
    assert grown == [Box(0, 0, 12_000, 9000), Box(10_000, 5000, 20_000, 9000), halos[2]]


@pytest.mark.needs("express")
@pytest.mark.parametrize("orientation", ["W", "E", "FW", "FE"])
def test_macro_turned_by_a_quarter_is_refused(orientation: str, tmp_path: Path) -> None:
    """LibreLane has these orientations; the sentence names the variable, the instance, and what there is instead."""
    from librelane.config.variable import Instance, Macro, Orientation

    from a6hub_jupyter.express.steps.floorplanning import macros

    instance = Instance((Decimal(10), Decimal(20)), Orientation[orientation])
    view = [str(tmp_path / "ram")]
    config = {"MACROS": {"ram": Macro(gds=view, lef=view, instances={"u": instance})}}
    with pytest.raises(ProblemError, match=rf"MACROS turns u \(ram\) to {orientation}, .* one of N, S, FN, FS\."):
        macros(config)
    instance.orientation = Orientation.FS
    assert macros(config) == [{"name": "u", "cell": "ram", "x": 10000, "y": 20000, "orientation": "FS"}]


@pytest.mark.parametrize(("width", "helps"), [(3, False), (14, True), (60, False)])
def test_core_grows_until_its_cells_fit_between_taps(width: int, helps: bool, tmp_path: Path) -> None:
    """Small cells fit as FP_CORE_UTIL says; what is wider than taps are apart fits nowhere, and changes nothing."""
    lef = Lef()
    lef.parse(LAYERS)
    for name, wide in (("tap", 1), ("cell", width)):
        lef.parse(f"MACRO {name}\n  CLASS CORE ;\n  SIZE {wide} BY 4 ;\nEND {name}\n")
    technology = Technology(lef, (500, 4000), "m1", "m2")
    settings = job(
        tmp_path,
        tap_cell="tap",
        tap_distance=10_000,
        utilization=0.6,
        margins=[0, 0, 0, 0],
        aspect_ratio=1.0,
        macros=[],
        halo=(0, 0),
    )
    netlist = Netlist("top", {f"u{k}": "cell" for k in range(24)})
    asked = outline(24 * width * 1000 * 4000, settings, technology, 0, width * 1000)
    size = roomy_outline(netlist, settings, technology)
    assert (size.core != asked.core) == helps
    assert size.core.width * size.core.height >= asked.core.width * asked.core.height
    database = empty(netlist, size, technology)
    add_taps(settings, database, lef)
    database.components = [Component(name, cell, 0, 0) for name, cell in netlist.cells.items()]
    if width == 60:
        with pytest.raises(
            ProblemError, match="is 60 um wide, and the rows have 19 um between the taps at most: raise FP_TAP"
        ):
            pack(database, lef.macros)
    else:
        pack(database, lef.macros)
