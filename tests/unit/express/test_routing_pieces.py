"""Pieces of placement and routing on made-up geometry small enough to check by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from a6hub_jupyter.express.database import Component, Database, PlacedPort
from a6hub_jupyter.express.drawing import Drawing, Via, Wire, via_table
from a6hub_jupyter.express.geometry import Box, Shape, closer, distance, is_covered, oriented
from a6hub_jupyter.express.grid import NO_VIA, NO_WIRE, SHUT, Grid
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.lefcells import Macro, Pin
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.rows import fill, snap
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.verilog import Netlist

RULES = "TYPE ROUTING ; PITCH .4 ; OFFSET .2 ; WIDTH .16 ; SPACING .16 ; AREA .08"
CUT = "TYPE CUT ; WIDTH .16 ; SPACING .16 ; ENCLOSURE .03 .06"
STACK = (
    f"LAYER m0 {RULES} ; DIRECTION VERTICAL ; END m0 LAYER c0 {CUT} ; END c0 "
    f"LAYER m1 {RULES} ; DIRECTION HORIZONTAL ; END m1 LAYER c1 {CUT} ; END c1 "
    f"LAYER m2 {RULES} ; DIRECTION VERTICAL ; END m2 "
)


@pytest.fixture
def technology() -> Technology:
    lef = Lef()
    lef.parse(STACK)
    return Technology(lef, (400, 2800), "m1", "m2")


# -- geometry


@pytest.mark.parametrize("orientation", ["N", "S", "FN", "FS"])
def test_orientation_keeps_boxes_in_the_cell(orientation: str) -> None:
    box = oriented(Box(100, 200, 300, 500), 1000, 2000, orientation)
    assert (box.width, box.height) == (200, 300)
    assert Box(0, 0, 1000, 2000).contains(box)
    assert (box.x1 == 100) == (orientation in ("N", "FS"))
    assert (box.y1 == 200) == (orientation in ("N", "FN"))


@pytest.mark.parametrize("shift", [(0, 0), (150, 0), (0, 160), (100, 100), (113, 113), (114, 114), (160, 500)])
def test_closer_agrees_with_distance(shift: tuple[int, int]) -> None:
    a = Box(0, 0, 100, 100)
    b = Box(100, 100, 200, 200).moved(*shift)
    assert closer(a, b, 160) == (distance(a, b) < 160)
    assert closer(b, a, 160) == closer(a, b, 160)


def test_is_covered_by_a_union_only() -> None:
    halves = [Box(0, 0, 10, 20), Box(10, 0, 20, 20)]
    assert is_covered(Box(5, 5, 15, 15), halves)
    assert not is_covered(Box(5, 5, 15, 21), halves)
    assert not is_covered(Box(5, 5, 15, 15), halves[:1])


# -- grid


def test_blocks_keep_exactly_the_spacing(technology: Technology) -> None:
    grid = Grid(technology, 8000, 8000)
    metal = Box(3900, 3920, 4300, 4080)
    grid.block(0, metal)
    layer = technology.layers[0]
    for j in range(1, grid.rows - 1):
        for i in range(1, grid.columns - 1):
            blocked = grid.blocked[grid.node(0, i, j)]
            for bit, half in ((NO_WIRE, layer.wire_half()), (NO_VIA, layer.pad)):
                x, y = grid.x(i), grid.y(j)
                box = Box(x - half[0], y - half[1], x + half[0], y + half[1])
                inside = metal.x1 - 160 < box.x2 and box.x1 < metal.x2 + 160
                inside = inside and metal.y1 - 160 < box.y2 and box.y1 < metal.y2 + 160
                assert bool(blocked & bit) == inside, (i, j, bit)


def blocked(grid: Grid, node: int, net: str) -> int:
    """What blocks a node for a net."""
    return int(grid.blocked_for(np.array([node]), np.array([grid.number(net)]))[0])


def test_own_pins_open_for_their_net_alone(technology: Technology) -> None:
    grid = Grid(technology, 8000, 8000)
    grid.claim(0, Box(3900, 3920, 4300, 4080), "mine")
    grid.claim(0, Box(5900, 3920, 6300, 4080), "theirs")
    grid.settle_claims()
    node = grid.node(0, 10, 9)
    assert grid.place(node) == (0, 10, 9)
    assert grid.blocked[node] == SHUT
    assert blocked(grid, node, "theirs") == SHUT
    assert blocked(grid, node, "mine") == 0
    assert blocked(grid, node, "others") == SHUT


def test_nodes_that_two_nets_claim_are_for_neither(technology: Technology) -> None:
    grid = Grid(technology, 8000, 8000)
    grid.claim(0, Box(3900, 3920, 4380, 4080), "mine")
    grid.claim(0, Box(4800, 3920, 5200, 4080), "theirs")
    grid.settle_claims()
    mine, theirs = (set(grid.own_nodes(net)[0].tolist()) for net in ("mine", "theirs"))
    between = grid.node(0, 11, 9)
    assert grid.blocked[between] == SHUT
    assert between not in mine | theirs
    assert mine
    assert theirs
    assert not mine & theirs
    assert not len(grid.own_nodes("others")[0])


def test_a_node_stays_as_open_to_a_net_as_the_others_leave_it(technology: Technology) -> None:
    """Wires of the net keep their distance from the other's metal there, vias would not."""
    grid = Grid(technology, 8000, 8000)
    node, y = grid.node(0, 10, 9), grid.y(9)
    assert technology.layers[0].pad[1] > technology.layers[0].width // 2
    grid.claim(0, Box(3900, y + 120, 4380, y + 280), "mine")
    grid.claim(0, Box(3900, y - 800, 4380, y - 160 - technology.layers[0].width // 2), "theirs")
    grid.settle_claims()
    assert grid.blocked[node] == SHUT
    assert blocked(grid, node, "mine") == NO_VIA
    assert blocked(grid, node, "theirs") == SHUT


# -- drawing


def test_drawing_reaches_past_the_ends_of_wires(technology: Technology) -> None:
    table = via_table(technology)
    drawing = Drawing([Wire("m1", 0, 0, 400, 0, 110), Wire("m2", 0, 0, 0, 800, 140)], [Via("m1", 0, 0, "route_c1_0")])
    shapes = list(drawing.shapes(table, {"m1": 160, "m2": 160}))
    assert shapes[:2] == [Shape("m1", Box(-110, -80, 510, 80)), Shape("m2", Box(-80, -140, 80, 940))]
    assert {s.layer for s in shapes[2:]} == {"m1", "c1", "m2"}
    assert drawing.length() == 1200


# -- rows


def cell(name: str, sites: int, *, signal: bool = False) -> Macro:
    pins = {"A": Pin()} if signal else {}
    return Macro(name, sites * 400, 2800, pins=pins)


MACROS = {m.name: m for m in (cell("gate", 5, signal=True), cell("tap", 2), cell("fill_1", 1), cell("decap_4", 4))}


def database(xs: list[int]) -> Database:
    found = Database(Netlist("top"), 24 * 400, 2800, 2800, 400, 2 * 400, 22 * 400)
    found.components = [Component(f"g{k}", "gate", x, 0) for k, x in enumerate(xs)]
    found.taps = [Component("tap_0", "tap", 10 * 400, 0)]
    return found


def spans(found: Database) -> list[tuple[int, int]]:
    return sorted((c.x // 400, (c.x + MACROS[c.cell].width) // 400) for c in found.everything())


def test_snap_puts_cells_on_sites_beside_taps() -> None:
    found = database([850, 8200, 5100])
    snap(found, MACROS)
    assert spans(found) == [(2, 7), (10, 12), (12, 17), (17, 22)]
    assert {c.orientation for c in found.components} == {"N"}


def test_snap_says_when_a_row_is_full() -> None:
    with pytest.raises(ProblemError, match="Row 0 has no room for its cells: lower FP_CORE_UTIL"):
        snap(database([800, 900, 1000]), MACROS)


def test_fill_leaves_no_gap_and_takes_the_widest_first() -> None:
    found = database([800])
    found.fillers = fill(found, MACROS, ["decap_*"], ["fill_*"])
    covered = spans(found)
    assert covered[0][0] == 2
    assert covered[-1][1] == 22
    assert all(a[1] == b[0] for a, b in pairwise(covered))
    assert [c.cell for c in found.fillers] == ["fill_1"] * 3 + ["decap_4"] * 2 + ["fill_1"] * 2


def test_fill_needs_a_filler_of_one_site() -> None:
    with pytest.raises(ProblemError, match="FILL_CELLS must name one"):
        fill(database([800]), MACROS, ["decap_*"], [])


# -- ports


@pytest.mark.parametrize(
    ("side", "point"), [("WEST", (0, 700)), ("EAST", (2000, 700)), ("SOUTH", (700, 0)), ("NORTH", (700, 1000))]
)
def test_port_lies_on_its_side(side: str, point: tuple[int, int]) -> None:
    assert PlacedPort("p", "p", "INPUT", side, 700).point(2000, 1000) == point
