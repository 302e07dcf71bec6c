"""Pins of hard macros between the tracks. Tracks are 400 nm apart, wires 160 nm wide, 160 nm between them."""

from __future__ import annotations

from itertools import combinations

import pytest

from a6hub_jupyter.express.cellmetal import CellBlocks, CellMetal
from a6hub_jupyter.express.database import Component
from a6hub_jupyter.express.geometry import Box, Shape, closer
from a6hub_jupyter.express.grid import Grid
from a6hub_jupyter.express.lefcells import Macro, Pin
from a6hub_jupyter.express.macropins import Lead, MacroPins
from tests.unit.express.metals import four_metals

SPACING = 160
LEFT, BOTTOM = 4000, 4000
"""Where the macro is; the tracks are at 200, 600, ... nm."""


def macro(*lefts: int, layer: str = "m2") -> Macro:
    """12 x 8 um, full of metal but for its edge, where pins of 160 nm begin at these places of the lower edge."""
    pins = {f"p{n}": Pin(shapes=[Shape(layer, Box(x, 0, x + 160, 500))]) for n, x in enumerate(lefts)}
    return Macro("ram", 12000, 8000, "BLOCK", pins, [Shape(name, Box(0, 700, 12000, 8000)) for name in ("m1", "m2")])


def leads(ram: Macro, fixed: list[Shape], orientation: str = "N") -> tuple[Grid, Component, dict[str, Lead]]:
    grid = Grid(four_metals(), 20000, 16000)
    block = Component("u", "ram", LEFT, BOTTOM, orientation)
    macros = {"ram": ram}
    CellBlocks(grid, macros).block([block], {("u", name): name for name in ram.pins})
    for layer, box in fixed:
        grid.block(int(layer[1]) - 1, box)
    metal = CellMetal(macros, [layer.name for layer in grid.technology.layers])
    found = MacroPins(grid, metal, fixed).leads([block], {("u", name) for name in ram.pins})
    return grid, block, {pin: lead for (_, pin), lead in found.items()}


def check(grid: Grid, block: Component, ram: Macro, found: dict[str, Lead], fixed: list[Shape]) -> None:
    """Leads are connected metal from a node to their pin, and keep off all else; so do wires that go on below."""
    metal = CellMetal({"ram": ram}, ["m1", "m2"])
    placed = list(metal.placed(block))
    whole = {}
    for name, lead in found.items():
        layer, i, j = grid.place(lead.node)
        on = grid.technology.layers[layer].name
        wire = Box(grid.x(i) - 80, grid.y(j) - 1000, grid.x(i) + 80, grid.y(j) + 80)
        (pin,) = [shape.box for owner, shape in placed if owner == name]
        whole[name] = [*(box for _, box in lead.metal), wire]
        assert any(not_apart(box, pin) for box in whole[name])
        assert any(not_apart(box, wire) for box in whole[name][:-1])
        assert {of for of, _ in lead.metal} == {on}
        others = [shape.box for owner, shape in placed if owner != name and shape.layer == on]
        others += [box for of, box in fixed if of == on]
        assert not any(closer(box, other, SPACING) for box in whole[name] for other in others), name
    for one, two in combinations(whole, 2):
        assert not any(closer(a, b, SPACING) for a in whole[one] for b in whole[two]), (one, two)


def not_apart(a: Box, b: Box) -> bool:
    return closer(a, b, 1)


def test_a_pin_on_a_track_needs_no_lead() -> None:
    assert leads(macro(2120), [])[2] == {}, "the track is in the middle of the pin"
    assert set(leads(macro(2120, 3500), [])[2]) == {"p1"}


@pytest.mark.parametrize("left", range(3210, 3500, 40))
def test_a_pin_between_tracks_is_led_to_one(left: int) -> None:
    ram = macro(left)
    grid, block, found = leads(ram, [])
    check(grid, block, ram, found, [])
    on_track = any(left <= x - LEFT <= left + 160 for x in range(200, 20000, 400))
    assert bool(found) != on_track


def test_pins_as_close_as_wires_find_a_track_each() -> None:
    """The outer ones have to give way to those between."""
    ram = macro(*range(2040, 2040 + 5 * 330, 330))
    grid, block, found = leads(ram, [])
    check(grid, block, ram, found, [])
    tracks = {grid.place(lead.node)[1] for lead in found.values()}
    assert len(tracks) == len(found) == 5


def test_leads_keep_off_what_is_beside() -> None:
    ram, strap = macro(3500), [Shape("m2", Box(LEFT + 2900, 0, LEFT + 3300, BOTTOM - 100))]
    nodes = []
    for beside in ([], strap):
        grid, block, found = leads(ram, beside)
        check(grid, block, ram, found, beside)
        nodes.append(grid.x(grid.place(found["p0"].node)[1]) - LEFT)
    assert nodes == [3400, 3800]


def test_a_pin_that_is_walled_in_gets_none() -> None:
    walls = [Shape("m2", Box(LEFT + x, 2000, LEFT + x + 160, BOTTOM + 500)) for x in (3100, 3900)]
    assert leads(macro(3500), walls[:1])[2]
    assert leads(macro(3500), walls)[2] == {}


@pytest.mark.parametrize("orientation", ["N", "FN"])
def test_leads_leave_the_macro(orientation: str) -> None:
    """Between the pins and what is farther within there is room that leads nowhere."""
    ram = macro(2640, 3500)
    ram.obstructions[:] = [Shape("m2", Box(0, 5000, 12000, 8000))]
    grid, _, found = leads(ram, [], orientation)
    assert found
    assert all(grid.y(grid.place(lead.node)[2]) < BOTTOM + 500 for lead in found.values())


def test_pins_below_the_routing_layers_are_not_its_business() -> None:
    assert leads(macro(3500, layer="m0"), [])[2] == {}
