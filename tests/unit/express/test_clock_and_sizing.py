"""Balanced trees, room in rows, and choices of drive strength, on a library computed by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from a6hub_jupyter.express.balancedtree import BalancedTree
from a6hub_jupyter.express.buffering import TreeBuilder
from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.lefcells import Macro, Pin
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.room import Room
from a6hub_jupyter.express.timing.constraints import Constraints
from a6hub_jupyter.express.timing.drives import Choice, worst_response
from a6hub_jupyter.express.timing.sizing import sizes_for_setup
from tests.unit.express import tinylib

NO_LIMITS: dict[str, float | None] = {}


def _macro(name: str, width: int, inputs: str, output: str) -> Macro:
    metal = [Shape("M1", Box(0, 0, 100, 100))]
    pins = {pin: Pin("INPUT", "SIGNAL", metal) for pin in inputs.split()}
    return Macro(name, width, 1000, "CORE", {**pins, output: Pin("OUTPUT", "SIGNAL", metal)})


MACROS = {
    "dff_1": _macro("dff_1", 4000, "CK D", "Q"),
    "buf_1": _macro("buf_1", 1000, "A", "Y"),
    "buf_2": _macro("buf_2", 2000, "A", "Y"),
    "buf_4": _macro("buf_4", 4000, "A", "Y"),
}


def _design(registers: int) -> Database:
    """Registers on a 10 um grid, all on one clock."""
    names = [f"r{k}" for k in range(registers)]
    nets = {"clk": " ".join(f"{name}.CK" for name in names)}
    found = tinylib.netlist(dict.fromkeys(names, "dff_1"), nets, "clk:INPUT")
    database = Database(found, 100_000, 100_000, 1000, 500, 0, 100_000)
    database.components = [
        Component(name, "dff_1", 10_000 * (k % 8), 10_000 * (k // 8)) for k, name in enumerate(names)
    ]
    return database


def _tree(database: Database, directory: Path, settings: dict[str, float | None], buffers: list[str]) -> BalancedTree:
    timer: Any = SimpleNamespace(
        library=tinylib.library(directory), per_um=(0.001, 0.0001), pin_vias=0.0, constraints=Constraints(10, ("clk",))
    )
    return BalancedTree(TreeBuilder(database, MACROS), timer, buffers, settings)


def _depths(database: Database) -> dict[str, int]:
    """How many buffers are above each register."""
    net_of = database.netlist.net_of()
    driver = {net: pin[0] for net, pins in database.netlist.nets.items() for pin in pins if pin[1] == "Y"}
    found = {}
    for name, cell in database.netlist.cells.items():
        if cell == "dff_1":
            depth, net = 0, net_of[name, "CK"]
            while net != "clk":
                depth, net = depth + 1, net_of[driver[net], "A"]
            found[name] = depth
    return found


@pytest.mark.parametrize("registers", [5, 17, 64])
def test_every_register_is_below_as_many_buffers(registers: int, tmp_path: Path) -> None:
    database = _design(registers)
    count = _tree(database, tmp_path, NO_LIMITS, ["buf_1", "buf_2", "buf_4"]).grow(
        "clk", 6, "clkbuf", database.netlist.cells
    )
    assert len(database.netlist.cells) == registers + count == len(database.components)
    assert len(set(_depths(database).values())) == 1
    assert len(database.netlist.nets["clk"]) == 1
    library = tinylib.library(tmp_path)
    for net, pins in database.netlist.nets.items():
        loads = [p for p in pins if p[1] != "Y"]
        assert len(loads) <= 6
        for instance in (i for i, pin in pins if pin == "Y"):
            most = library[database.netlist.cells[instance]].pins["Y"].max_capacitance or 0
            assert sum(0.02 if pin == "CK" else 0.01 for _, pin in loads) <= most, net


def test_groups_shrink_until_the_load_is_allowed(tmp_path: Path) -> None:
    """0.02 pF each: a limit of 0.065 pF leaves three registers to a buffer, less with wires."""
    database = _design(16)
    _tree(database, tmp_path, {"clock_max_capacitance": 0.065}, ["buf_1"]).grow(
        "clk", 16, "clkbuf", database.netlist.cells
    )
    assert max(len(pins) - 1 for net, pins in database.netlist.nets.items() if net != "clk") <= 3


def test_buffers_over_their_limits_are_counted(tmp_path: Path) -> None:
    """No buffer may drive even two registers of 0.02 pF when 0.03 pF are the most."""
    database = _design(16)
    tree = _tree(database, tmp_path, {"clock_max_capacitance": 0.03}, ["buf_1", "buf_4"])
    tree.grow("clk", 16, "clkbuf", database.netlist.cells)
    assert tree.overloaded >= 8
    easy = _tree(_design(16), tmp_path, NO_LIMITS, ["buf_1", "buf_4"])
    easy.grow("clk", 16, "clkbuf", _design(16).netlist.cells)
    assert easy.overloaded == 0


def test_unknown_clock_buffers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="CTS_CLK_BUFFERS or CTS_ROOT_BUFFER names 'none'"):
        _tree(_design(8), tmp_path, NO_LIMITS, ["none"])


def test_room_is_taken_and_given_back() -> None:
    """100 rows of 100 um, 95 % of them, less two registers of 4 um."""
    room = Room(_design(2), MACROS)
    assert not room.take(*[94_920] * 100, 500)
    assert room.take(*[94_920] * 100)
    assert not room.take(500)
    assert room.take(93_920, instead_of=94_920)
    assert room.take(1000)
    assert "2 changes found no room. Lower FP_CORE_UTIL" in (room.sentence() or "")
    assert Room(_design(2), MACROS).sentence() is None


def test_choice_knows_the_lef_and_the_exclusions(tmp_path: Path) -> None:
    library = tinylib.library(tmp_path)
    assert Choice(library, MACROS, ["buf_2"]).matching("buf_*") == ["buf_1", "buf_4"]
    assert Choice(library, MACROS, []).matching("buf_1") == [], "no pattern: a name stands for itself"
    assert [c.name for c in Choice(library, MACROS, []).stronger("buf_1")] == ["buf_4"]
    assert Choice(library, MACROS, ["buf_*"]).stronger("buf_1") == []
    assert [c.name for c in Choice(library, MACROS, ["buf_2"]).delays()] == ["buf_1", "buf_4"]
    assert list(worst_response(library["buf_1"], 0.3, 0.2)) == pytest.approx([0.3, 0.05])


@pytest.mark.parametrize(("loads", "expected"), [(1, {}), (8, {"b": "buf_4"})])
def test_sizing_weighs_the_gain_against_the_load_before(loads: int, expected: dict[str, str], tmp_path: Path) -> None:
    """buf_4 is faster by 0.75 ns per pF behind it, and takes 0.03 ns more before it (0.03 pF at 1 ns per pF)."""
    registers = {f"r{k}": "dff_1" for k in range(loads)}
    cells = {"r": "dff_1", "b": "buf_1", **registers}
    data = " ".join(f"{name}.D" for name in registers)
    nets = {"clk": " ".join(f"{name}.CK" for name in ["r", *registers]), "q": "r.Q b.A", "n": f"b.Y {data}"}
    found = tinylib.netlist(cells, nets, "clk:INPUT")
    library = tinylib.library(tmp_path)
    slacks = tinylib.analyse(found, library, Constraints(0.4, ("clk",)))
    ends = slacks.setup.ends[:10]
    assert ends[0].slack < 0
    assert sizes_for_setup(slacks, Choice(library, MACROS, []), ends, 0.0, frozenset()) == expected
    assert sizes_for_setup(slacks, Choice(library, MACROS, []), ends, 0.0, {"n"}) == {}
