"""Well taps and end caps: staggered, and dense where a row has no neighbour."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.geometry import Box
from a6hub_jupyter.express.lefcells import Macro
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.taps import add_taps
from a6hub_jupyter.express.verilog import Netlist

DISTANCE, SITE, ROW = 20_000, 500, 4000
WIDTH = 2 * SITE


def _tapped(database: Database, **changes: Any) -> dict[int, list[int]]:
    """Where taps begin, by row."""
    job = SimpleNamespace(**{"tap_cell": "tap", "tap_distance": DISTANCE, "endcap_cell": None, **changes})
    lef = SimpleNamespace(macros={name: Macro(name, WIDTH, ROW) for name in ("tap", "cap")})
    add_taps(cast("Any", job), database, cast("Any", lef))
    found: dict[int, list[int]] = {}
    for tap in database.taps:
        if tap.cell == "tap":
            found.setdefault(tap.y // ROW, []).append(tap.x)
    return {row: sorted(xs) for row, xs in found.items()}


@pytest.fixture
def die() -> Database:
    return Database(Netlist("top"), 200_000, 8 * ROW, ROW, SITE, 0, 200_000)


def _farthest(*rows: list[int]) -> int:
    """The greatest way along x from a place in one of these rows to a tap in one of them, nm."""
    taps = sorted(x for row in rows for x in row)
    ends = [2 * taps[0], 2 * (200_000 - taps[-1] - WIDTH)]
    return max([*ends, *(b - a for a, b in pairwise(taps))]) // 2


def test_rows_with_neighbours_are_staggered(die: Database) -> None:
    rows = _tapped(die)
    for low in range(1, 6):
        assert _farthest(rows[low], rows[low + 1]) <= DISTANCE // 2
    assert all(len(rows[row]) <= 7 for row in range(1, 7))


def test_rows_at_the_edge_have_enough_of_their_own(die: Database) -> None:
    rows = _tapped(die)
    for row in (0, 7):
        assert _farthest(rows[row]) <= DISTANCE // 2 + WIDTH
    assert len(rows[0]) > len(rows[1])


def test_rows_over_and_under_a_macro_too(die: Database) -> None:
    die.kept_free = [Box(50_000, 3 * ROW, 120_000, 5 * ROW)]
    rows = _tapped(die)
    for row in (2, 5):
        assert _farthest(rows[row]) <= DISTANCE // 2 + WIDTH


def test_without_a_tap_cell_there_are_only_end_caps(die: Database) -> None:
    assert _tapped(die, tap_cell=None, tap_distance=0, endcap_cell="cap") == {}
    assert len(die.taps) == 16


def test_a_cell_without_lef_is_named(die: Database) -> None:
    with pytest.raises(ProblemError, match="WELLTAP_CELL names 'none', which no LEF file defines"):
        _tapped(die, tap_cell="none")
