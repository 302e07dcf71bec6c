"""What routing still changes in the rows: cells moved by a few sites, diodes in gaps. Sites are 0.4 x 2.8 um."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from a6hub_jupyter.express import antennarepair, nudging, routing, rows
from a6hub_jupyter.express.antennacheck import AntennaViolation
from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.drawing import Drawing
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.job import Job
from a6hub_jupyter.express.lefcells import Macro, Pin
from a6hub_jupyter.express.verilog import Netlist
from tests.unit.express.jobs import job

SITE, ROW = 400, 2800
FOREVER = float("inf")
METAL = [Shape("m0", Box(100, 100, 300, 300))]
MACROS = {
    "cell": Macro("cell", 4 * SITE, ROW, pins={"A": Pin("INPUT", shapes=METAL, gate_area=0.1)}),
    "diode": Macro("diode", 2 * SITE, ROW, pins={"D": Pin("INPUT", shapes=METAL, diffusion_area=0.4)}),
    "fill_1": Macro("fill_1", SITE, ROW),
    "fill_2": Macro("fill_2", 2 * SITE, ROW),
    "fill_4": Macro("fill_4", 4 * SITE, ROW),
}
TECHNOLOGY = cast("Any", SimpleNamespace(pitch_x=400, pitch_y=400, lef=SimpleNamespace(macros=MACROS)))
GRID = SimpleNamespace(place=lambda node: (0, node, 2), x=lambda i: 400 * i, y=lambda j: 400 * j)


@pytest.fixture
def settings(tmp_path: Path) -> Job:
    return job(tmp_path, fillers=["fill_*"], decaps=[], diode_cell="diode/D")


def database(*sites: int, length: int) -> Database:
    """One row of so many sites, with cells at some."""
    found = Database(Netlist("top"), length * SITE, 2 * ROW, ROW, SITE, 0, length * SITE, row_top=ROW)
    found.components = [Component(f"u{k}", "cell", x * SITE, 0) for k, x in enumerate(sites)]
    found.netlist.cells = {c.name: c.cell for c in found.components}
    found.netlist.nets = {f"n{k}": [(f"u{k}", "A")] for k in range(len(sites))}
    found.fillers = rows.fill(found, MACROS, [], ["fill_*"])
    return found


def taken(found: Database) -> list[int]:
    """The sites under all cells, in order; each once when nothing overlaps."""
    return sorted(site for c in found.everything() for site in range(c.x // SITE, (c.x + MACROS[c.cell].width) // SITE))


def at(found: Database, *nodes: int) -> Any:
    """A design with conflicts at these columns."""
    return SimpleNamespace(
        grid=GRID, technology=TECHNOLOGY, database=found, router=SimpleNamespace(collided=np.array(nodes))
    )


@pytest.mark.parametrize("turn", range(6))
def test_one_cell_beside_a_conflict_moves_by_a_few_sites(turn: int, settings: Job) -> None:
    before = database(3, 8, 13, 30, length=40)
    after = nudging.nudged(settings, at(before, 10, 11), turn)
    assert after is not None
    ways = [b.x - a.x for a, b in zip(before.components, after.components, strict=True)]
    (moved,) = [way for way in ways if way]
    assert abs(moved) in range(SITE, 3 * SITE + 1, SITE)
    assert ways[3] == 0
    assert taken(after) == list(range(40))


def test_in_a_full_row_nothing_moves(settings: Job) -> None:
    assert nudging.nudged(settings, at(database(0, 4, 8, length=12), 5), 0) is None


@pytest.mark.parametrize(("rounds", "left"), [(2, 0), (nudging.ROUNDS + 1, 1)])
def test_cells_move_until_nothing_is_in_conflict_or_it_was_tried_enough(
    rounds: int, left: int, settings: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A router that finds its way after so many moves."""
    tries: list[int] = []

    def assembled(moved: Database) -> Any:
        return SimpleNamespace(**{**vars(at(moved, 10, 11)), "job": settings, "with_cells": assembled})

    def routed(assembly: Any, until: float, before: Any = None) -> routing.Routed:
        assert before is None or taken(assembly.database) == list(range(40))
        tries.append(len(tries))
        return routing.Routed(assembly, {}, [], ["n0"] if len(tries) <= rounds else [])

    monkeypatch.setattr(routing, "route_and_repair", routed)
    first = routed(assembled(database(3, 8, 13, 30, length=40)), FOREVER)
    assert len(routing.nudged_until_clean(first, FOREVER).conflicts) == left
    assert len(tries) == 1 + min(rounds, nudging.ROUNDS)


def test_what_was_filled_beside_diodes_that_are_left_out_is_left_out_too(
    settings: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = (Shape("m1", Box(x, 0, x + 200, 200)) for x in (0, 1000))
    drawing, before = Drawing(patches=[first]), database(3, length=40)
    design: Any = SimpleNamespace(database=before, with_cells=lambda _: design)

    def routed(_assembly: Any, _until: float, before: Any = None) -> routing.Routed:
        if before:
            drawing.patches.append(later)
        return routing.Routed(design, {"n0": drawing}, [], ["n0"] * (nudging.MOST_NETS + 1) if before else [])

    monkeypatch.setattr(routing, "assemble", lambda *_: design)
    monkeypatch.setattr(routing, "route_and_repair", routed)
    monkeypatch.setattr(antennarepair, "Antennas", lambda *_: SimpleNamespace(violations=lambda *_: [1]))
    monkeypatch.setattr(antennarepair, "with_diodes", lambda *_: before)
    assert routing.route_without_antennas(settings, TECHNOLOGY, before, FOREVER).is_clean
    assert drawing.patches == [first]


def violation(
    net: str, pin: str, ratio: float = 500.0, metal: tuple[Box, ...] = (), missing: float = 0.0
) -> AntennaViolation:
    return AntennaViolation(net, pin, "m4", "side area", ratio, 400.0, missing, metal)


def test_diode_takes_the_nearest_gap_and_joins_the_net(settings: Job) -> None:
    """Gaps of one site beside the gate are too narrow; that at 19 is the nearest of two sites."""
    before = database(0, 5, 10, 15, 21, 25, length=40)
    worse = violation("n2", "u2/A", 600.0)
    after = antennarepair.with_diodes(settings, TECHNOLOGY, before, [violation("n2", "u5/A"), worse])
    assert after is not None
    (diode,) = [c for c in after.components if c.cell == "diode"]
    assert (diode.x, diode.y) == (19 * SITE, 0)
    assert after.netlist.nets["n2"] == [("u2", "A"), (diode.name, "D")]
    assert after.netlist.cells[diode.name] == "diode"
    assert taken(after) == list(range(40))
    assert before.netlist.nets["n2"] == [("u2", "A")]


def test_diode_goes_to_the_metal_that_charges_the_gate(settings: Job) -> None:
    """The gap at 19 is nearer to the gate, that from 32 to 36 to the wire, which begins between two sites."""
    before = database(0, 5, 10, 15, 21, 28, 36, length=40)
    wire = Box(33 * SITE + 130, 0, 36 * SITE, SITE)
    after = antennarepair.with_diodes(settings, TECHNOLOGY, before, [violation("n2", "u2/A", metal=(wire,))])
    assert after is not None
    (diode,) = [c for c in after.components if c.cell == "diode"]
    assert (diode.x, diode.y) == (33 * SITE, 0)
    assert taken(after) == list(range(40))


@pytest.mark.parametrize(("missing", "diodes"), [(0.0, 1), (0.4, 1), (0.41, 2), (1.1, 3), (100.0, 12)])
def test_a_net_gets_as_many_diodes_as_it_lacks(missing: float, diodes: int, settings: Job) -> None:
    before = database(0, 5, length=60)
    after = antennarepair.with_diodes(settings, TECHNOLOGY, before, [violation("n1", "u1/A", missing=missing)])
    assert after is not None
    assert sum(c.cell == "diode" for c in after.components) == diodes
    assert len(after.netlist.nets["n1"]) == 1 + diodes
    assert taken(after) == list(range(60))


def test_each_diode_has_a_gap_and_a_name_of_its_own(settings: Job) -> None:
    before = database(0, 6, 12, length=16)
    after = antennarepair.with_diodes(settings, TECHNOLOGY, before, [violation(f"n{k}", f"u{k}/A") for k in range(3)])
    assert after is not None
    assert sorted(c.x // SITE for c in after.components if c.cell == "diode") == [4, 10]
    assert taken(after) == list(range(16))


@pytest.mark.parametrize(("cell", "length"), [("", 20), ("cell/A", 20), ("diode/Q", 20), ("diode/D", 4)])
def test_without_diode_or_gap_it_says_so(
    cell: str, length: int, settings: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.diode_cell = cell
    assert (
        antennarepair.with_diodes(settings, TECHNOLOGY, database(0, length=length), [violation("n0", "u0/A")]) is None
    )
    assert "1 nets violate them" in capsys.readouterr().out
