"""Estimated crowding, and the room it makes for cells, on figures small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from a6hub_jupyter.express.crowding import NARROWEST, TILE, WIDEST, Crowding, room_for
from a6hub_jupyter.express.technology import Technology
from tests.unit.express.metals import four_metals


@pytest.fixture
def technology() -> Technology:
    """m1 (half of it counted) and m3 run across, m2 along: 12.5 + 25 and 25 tracks on 10 um."""
    return four_metals()


def crowding(technology: Technology, *nets: tuple[int, int, int, int, int]) -> Crowding:
    return Crowding(technology, 4 * TILE, 3 * TILE, np.array(nets, np.int64).reshape(-1, 5))


def test_a_straight_wire_takes_its_tiles_alone(technology: Technology) -> None:
    found = crowding(technology, (0, 15_000, 19_999, 15_000, 2)).usage
    expected = np.zeros((3, 4))
    expected[1, :2] = 19_999 / 2 / TILE / 37.5
    assert found == pytest.approx(expected)


def test_wires_along_have_fewer_tracks_than_wires_across(technology: Technology) -> None:
    assert crowding(technology, (5000, 0, 5000, 9999, 2)).most == pytest.approx(0.9999 / 25)
    assert crowding(technology, (0, 5000, 9999, 5000, 2)).most == pytest.approx(0.9999 / 37.5)


def test_many_pins_take_more_than_half_the_perimeter(technology: Technology) -> None:
    two = crowding(technology, (0, 0, 9999, 9999, 2)).most
    assert crowding(technology, (0, 0, 9999, 9999, 3)).most == two
    assert crowding(technology, (0, 0, 9999, 9999, 13)).most == pytest.approx(1.3 * two)
    assert crowding(technology, (0, 0, 9999, 9999, 200)).most == pytest.approx(1.8 * two)


def test_without_nets_nothing_is_taken(technology: Technology) -> None:
    found = crowding(technology)
    assert found.most == 0
    assert room_for(np.array([10, 20]), found.at(np.array([0, 39_999]), np.array([0, 29_999])), 1.5).tolist() == [
        15,
        30,
    ]


def test_usage_is_read_where_cells_are(technology: Technology) -> None:
    found = crowding(technology, (30_000, 20_000, 39_999, 20_000, 2))
    assert found.at(np.array([0, 35_000, 99_000]), np.array([0, 25_000, 99_000])) == pytest.approx(
        [0, found.most, found.most]
    )


def test_cells_where_wires_are_dense_get_more_room() -> None:
    widths = np.full(100, 100)
    usage = np.linspace(0.1, 1.0, 100)
    room = room_for(widths, usage, 1.8)
    assert room.sum() == pytest.approx(180 * 100, rel=0.01)
    assert (np.diff(room) >= 0).all()
    assert room[-1] / room[0] == pytest.approx(WIDEST / NARROWEST, rel=0.02)


def test_no_cell_is_made_narrower_than_it_is() -> None:
    widths = np.array([100, 100, 100, 300])
    room = room_for(widths, np.array([0.1, 0.1, 0.1, 0.9]), 1.05)
    assert (room >= widths).all()
    assert room.sum() == pytest.approx(1.05 * widths.sum(), rel=0.01)
