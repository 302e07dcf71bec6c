"""Die and core by hand: a site is 0.4 x 2.8 um."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from a6hub_jupyter.express import rows
from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.diesize import Outline, outline
from a6hub_jupyter.express.geometry import Box
from a6hub_jupyter.express.job import Job
from a6hub_jupyter.express.lefcells import Macro
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.verilog import Netlist
from tests.unit.express.jobs import job

SITE, ROW = 400, 2800
TECHNOLOGY = cast("Any", SimpleNamespace(site=(SITE, ROW), pitch_x=400, pitch_y=400, lef=SimpleNamespace(macros={})))


def planned(directory: Path, area: int, **settings: object) -> Outline:
    usual: dict[str, object] = {"aspect_ratio": 1.0, "utilization": 0.5, "macros": [], "margins": [0, 0, 0, 0]}
    given: Job = job(directory, **{**usual, **settings})
    return outline(area, given, TECHNOLOGY, 0, 0)


def test_core_is_as_full_as_asked_and_margins_are_added(tmp_path: Path) -> None:
    """1,000 um2 at 50 %, with 3 % reserve: 2,060 um2; 46 um high are 17 rows, an even number is 18."""
    found = planned(tmp_path, 1_000_000_000, margins=[12, 4, 6, 2])
    assert found.core == Box(12 * SITE, 4 * ROW, 12 * SITE + 103 * SITE, 22 * ROW)
    assert (found.width, found.height) == ((12 + 103 + 6) * SITE, 24 * ROW)


def test_rows_begin_two_sites_from_the_edge_at_least(tmp_path: Path) -> None:
    found = planned(tmp_path, 1_000_000_000, margins=[0, 0, 0.5, 0.5])
    assert (found.core.x1, found.width - found.core.x2) == (2 * SITE, 2 * SITE)
    assert (found.core.y1, found.height - found.core.y2) == (0, ROW)


def test_given_die_keeps_its_margins(tmp_path: Path) -> None:
    found = planned(tmp_path, 1_000_000, die_area=[1000, 1000, 41000, 30000], margins=[5, 1, 5, 1])
    assert found == Outline(40000, 10 * ROW, Box(2000, ROW, 38000, 9 * ROW))


def test_given_core_goes_onto_sites_and_rows_within(tmp_path: Path) -> None:
    """Margins have no effect then. From the die's corner the core is (3.3, 3.0) to (30.1, 20.0) um."""
    found = planned(
        tmp_path,
        1_000_000,
        die_area=[1000, 1000, 41000, 30000],
        core_area=[4300, 4000, 31100, 21000],
        margins=[50, 50, 50, 50],
    )
    assert found.core == Box(3600, 2 * ROW, 30000, 7 * ROW)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"die_area": [0, 0, 20000, 20000]}, r"DIE_AREA holds \d+ um2 in whole rows"),
        ({"die_area": [0, 0, 90000, 90000], "core_area": [0, 0, 20000, 20000]}, r"CORE_AREA holds \d+ um2"),
        ({"die_area": [0, 0, 90000, 90000], "core_area": [0, 0, 95000, 20000]}, "CORE_AREA is not within DIE_AREA"),
        ({"die_area": [0, 0, 20000, 20000], "margins": [90, 90, 90, 90]}, "DIE_AREA holds 0 um2"),
    ],
)
def test_too_small_is_refused(settings: dict[str, object], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=sentence):
        planned(tmp_path, 1_000_000_000, **settings)


def test_rows_outside_the_core_have_no_place() -> None:
    database = Database(Netlist("top"), 40000, 28000, ROW, SITE, 4000, 36000, row_bottom=ROW, row_top=9 * ROW)
    assert [database.spans(row) for row in (0, 1, 8, 9)] == [[], [(4000, 36000)], [(4000, 36000)], []]
    assert database.room() == 8 * ROW * 32000


def row_of(*places: int, sites: int) -> Database:
    database = Database(Netlist("top"), sites * SITE, ROW, ROW, SITE, 0, sites * SITE)
    database.components = [Component(f"u{k}", "cell", x * SITE, 0) for k, x in enumerate(places)]
    return database


CELL = {"cell": Macro("cell", 4 * SITE, ROW)}


def test_neighbours_get_a_gap_of_two_sites() -> None:
    """Four sites wide, side by side at 20: they move apart by one each, the third stays."""
    database = row_of(20, 24, 40, sites=60)
    rows.spread(database, CELL)
    assert [c.x // SITE for c in database.components] == [19, 25, 40]


def test_gap_is_what_a_full_row_can_give() -> None:
    """Three cells in 15 sites: one site each is free."""
    database = row_of(0, 4, 8, sites=15)
    rows.spread(database, CELL)
    assert [c.x // SITE for c in database.components] == [0, 5, 10]


def test_spreading_keeps_sites_order_and_row() -> None:
    random = np.random.default_rng(5)
    for _ in range(50):
        free = np.sort(random.integers(0, 40, 20))
        database = row_of(*(int(f) + 4 * k for k, f in enumerate(free)), sites=125)
        rows.spread(database, CELL)
        xs = np.array([c.x for c in database.components])
        assert (xs % SITE == 0).all()
        assert (np.diff(xs) >= 6 * SITE).all()
        assert xs[0] >= 0
        assert xs[-1] + 4 * SITE <= 125 * SITE
