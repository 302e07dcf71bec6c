"""Cells dealt out to the parts of rows between taps, and how much wider they may become."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

if pytest.importorskip("klayout"):
    from a6hub_jupyter.express.database import Component, Database
    from a6hub_jupyter.express.geometry import Box
    from a6hub_jupyter.express.lefcells import Macro, Pin
    from a6hub_jupyter.express.packing import dealt_out, fits, free_parts, pack
    from a6hub_jupyter.express.problem import ProblemError
    from a6hub_jupyter.express.room import MOST_DEALT_OUT, Room
    from tests.unit.express import tinylib

SITE, ROW = 500, 1000
WIDTHS = {"tap": 2, "small": 2, "wide": 16, "wider": 20, "middle": 6}
"""In sites."""


def _macros() -> dict[str, Macro]:
    return {name: Macro(name, width * SITE, ROW, "CORE", {"A": Pin()}) for name, width in WIDTHS.items()}


def _rows(cells: dict[str, int], rows: int = 2, sites: int = 40) -> Database:
    """Rows with a tap in the middle of each: two parts of 19 sites. All cells are at the lower left."""
    names = [(f"{cell}_{k}", cell) for cell, count in cells.items() for k in range(count)]
    database = Database(tinylib.netlist(dict(names), {}, ""), sites * SITE, rows * ROW, ROW, SITE, 0, sites * SITE)
    database.components = [Component(name, cell, 0, 0) for name, cell in names]
    middle = (sites // 2 - 1) * SITE
    database.taps = [
        Component(f"tap_{r}", "tap", middle, r * ROW, database.orientation_at(r * ROW)) for r in range(rows)
    ]
    return database


def _taken(database: Database) -> list[tuple[int, int, int]]:
    """Row, first site and the site behind it of all that is placed, taps too."""
    found = []
    for component in (*database.components, *database.taps):
        assert component.x % SITE == component.y % ROW == 0
        left = component.x // SITE
        found.append((component.y // ROW, left, left + WIDTHS[component.cell]))
    return sorted(found)


def test_parts_are_what_taps_leave() -> None:
    assert free_parts(_rows({}), _macros()).tolist() == [19, 19, 19, 19]


def test_wide_cells_get_parts_of_their_own() -> None:
    """Four flip-flops of 16 sites, four cells of 2: they fill the four parts but for one site each."""
    database = _rows({"wide": 4, "small": 4})
    pack(database, _macros())
    taken = _taken(database)
    assert all(a[0] < b[0] or a[2] <= b[1] for a, b in pairwise(taken))
    assert {(row, left < 19) for row, left, right in taken if right - left == 16} == {
        (row, half) for row in (0, 1) for half in (True, False)
    }
    assert all(c.orientation == database.orientation_at(c.y) for c in database.components)


def test_cells_stay_near() -> None:
    database = _rows({"middle": 2})
    database.components[0].x, database.components[0].y = 30 * SITE, ROW
    pack(database, _macros())
    assert [(c.x // SITE, c.y // ROW) for c in database.components] == [(30, 1), (0, 0)]


def test_too_many_wide_cells_are_refused() -> None:
    """Five of 16 sites are 80 of 76 sites; one of 20 sites does not fit into parts of 19."""
    with pytest.raises(ProblemError, match=r"do not fit into the rows between the taps, the widest of them \d+ um"):
        pack(_rows({"wide": 5}), _macros())
    with pytest.raises(ProblemError, match=r"cell wider is \S+ um wide, .* \S+ um between the taps .* FP_TAPCELL_DIST"):
        pack(_rows({"wider": 1}), _macros())
    with pytest.raises(ProblemError, match="lower FP_CORE_UTIL"):
        pack(_rows({"small": 1}, rows=0), _macros())


@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_to_fit_is_packed(seed: int) -> None:
    numbers = random.Random(seed)
    for _ in range(20):
        cells = {name: numbers.randint(0, 6) for name in ("wide", "middle", "small")}
        database = _rows(cells, rows=numbers.randint(1, 6))
        widths = [WIDTHS[c.cell] for c in database.components]
        if dealt_out(sorted(widths, reverse=True), free_parts(database, _macros())) is not None:
            pack(database, _macros())
            taken = _taken(database)
            assert all(a[0] < b[0] or a[2] <= b[1] for a, b in pairwise(taken))


def test_whether_a_core_holds_its_cells() -> None:
    """Cells are taken for 15 % wider: 16 sites for 19. What is too much in all is another's to refuse."""
    assert fits([16 * SITE] * 2, _rows({}), _macros())
    assert not fits([20 * SITE] * 2, _rows({}), _macros())
    assert fits([20 * SITE] * 4, _rows({}), _macros())
    assert fits([], _rows({}), _macros())


def test_room_is_also_a_matter_of_parts() -> None:
    """Of 76 sites 24 are taken. A register of 20 sites finds no part, one of 16 does, three more do not."""
    room = Room(_rows({"wide": 1, "middle": 1, "small": 1}), _macros())
    assert not room.take(20 * SITE, instead_of=16 * SITE)
    assert room.take(16 * SITE)
    assert not room.take(16 * SITE, 16 * SITE, 16 * SITE)
    assert room.take(2 * SITE, instead_of=16 * SITE)
    assert (room.sentence() or "").startswith("The rows are as full as they may be (95 % in all")


def test_large_designs_are_taken_as_a_whole() -> None:
    rows = MOST_DEALT_OUT // 8
    room = Room(_rows({"small": MOST_DEALT_OUT + 1}, rows=rows), _macros())
    assert room.take(20 * SITE)
    assert not room.take(rows * 40 * SITE)


def test_kept_free_places_are_no_parts() -> None:
    database = _rows({})
    database.kept_free = [Box(0, 0, 10 * SITE, ROW)]
    assert free_parts(database, _macros()).tolist() == [9, 19, 19, 19]
