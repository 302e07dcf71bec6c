"""What of a design is fixed metal, and how it follows cells that come, go and move."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("numba")

from a6hub_jupyter.express.assembly import Assembly
from a6hub_jupyter.express.database import Component, Database, PowerGrid, Rail
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.verilog import Netlist
from tests.unit.express.jobs import job
from tests.unit.express.metals import four_metals

SITE, ROW = 400, 2800
RAIL = "PIN VDD DIRECTION INOUT ; USE POWER ; PORT LAYER m0 ; RECT 0 0 .4 .2 ; END END VDD"
CELLS = f"""
MACRO cell
  SIZE 1.6 BY 2.8 ; {RAIL}
  PIN A DIRECTION INPUT ; PORT LAYER m0 ; RECT .5 1 1.1 1.8 ; END END A
  OBS LAYER m1 ; RECT 0 2.2 .3 2.5 ; END
END cell
MACRO fill
  SIZE .4 BY 2.8 ; {RAIL}
END fill
"""


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    """Two cells on one net, and fillers beside them."""
    technology = four_metals()
    technology.lef.parse(CELLS)
    database = Database(Netlist("top"), 20000, 4 * ROW, ROW, SITE, 0, 20000)
    database.components = [Component(f"u{k}", "cell", (5 + 15 * k) * SITE, ROW) for k in range(2)]
    database.fillers = [Component(f"FILLER_{k}", "fill", (10 + k) * SITE, ROW) for k in range(4)]
    database.netlist.cells = {"u0": "cell", "u1": "cell"}
    database.netlist.nets = {"n": [("u0", "A"), ("u1", "A")]}
    database.grid = PowerGrid(rails=[Rail("VDD", ROW, 0, 20000)])
    return Assembly(job(tmp_path, rail_layer="m0", rail_width=200), technology, database)


def test_changes_lead_from_the_metal_of_one_design_to_that_of_the_other(assembly: Assembly) -> None:
    larger = assembly.database.copied()
    larger.components[1].x -= 2 * SITE
    larger.components.append(Component("ANTENNA_0", "cell", 30 * SITE, ROW))
    larger.netlist.cells["ANTENNA_0"] = "cell"
    larger.netlist.nets["n"].append(("ANTENNA_0", "A"))
    larger.fillers = [Component(f"FILLER_{k}", "fill", (11 + k) * SITE, ROW) for k in range(4)]  # all have new names
    after = assembly.with_cells(larger)
    gone, come = after.fixed_since(assembly)
    assert Counter(after.fixed()) == Counter(assembly.fixed()) - Counter(gone) + Counter(come)
    assert len(gone) == 3 + 1, "a cell of three rectangles, and the first filler"
    assert len(come) == 3 + 3 + 1


def test_a_cell_on_another_net_is_other_metal(assembly: Assembly) -> None:
    other = assembly.database.copied()
    other.netlist.nets = {"n": [("u0", "A")], "m": [("u1", "A")]}
    gone, come = assembly.with_cells(other).fixed_since(assembly)
    assert {net for net, _ in gone} == {"n", None}
    assert {net for net, _ in come} == {"m", None}
    assert [shape for _, shape in gone] == [shape for _, shape in come]


def test_metal_of_pins_is_that_of_their_net_alone(assembly: Assembly) -> None:
    (x1, x2) = (component.x for component in assembly.database.components)
    pins = [Shape("m0", Box(500, 1000, 1100, 1800).moved(x, ROW)) for x in (x1, x2)]
    assert list(assembly.pin_metal("n")) == pins
    assert list(assembly.pin_metal("no such net")) == []
    assert [shape for net, shape in assembly.fixed() if net == "n"] == pins
