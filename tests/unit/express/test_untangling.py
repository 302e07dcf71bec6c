"""Routing anew within a window, on grids small enough to check by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("numba")

from a6hub_jupyter.express.board import Board
from a6hub_jupyter.express.fabric import Net, Terminal
from a6hub_jupyter.express.grid import SHUT, Grid
from a6hub_jupyter.express.pinaccess import Access
from a6hub_jupyter.express.regions import Region
from a6hub_jupyter.express.untangling import untangle
from tests.unit.express.metals import four_metals

if TYPE_CHECKING:
    from collections.abc import Iterable

FOREVER = float("inf")
CLOSED = 50.0
"""A price, in um, that no way of these tests is worth."""


@pytest.fixture
def grid() -> Grid:
    return Grid(four_metals(), 24000, 24000)


def net(name: str, grid: Grid, *ends: tuple[int, int, int]) -> Net:
    return Net(name, [Terminal("", f"{name}{k}", {grid.node(*p): Access(0.0, None)}) for k, p in enumerate(ends)])


def places(grid: Grid, nodes: Iterable[int]) -> set[tuple[int, int, int]]:
    return {grid.place(node) for node in nodes}


def routed(grid: Grid, nets: list[Net]) -> Board:
    """Each net by its own shortest way, whatever the others do."""
    board = Board(grid, nets)
    board.reroute_in_turn(board.fabric, board.everything, 0.0)
    return board


def connected(grid: Grid, found: Net) -> bool:
    """Whether the metal of a net is one piece, by its wires and cuts, from one end to all others."""
    flags = dict(zip(found.nodes.tolist(), found.flags.tolist(), strict=True))
    ends = {terminal.chosen for terminal in found.terminals}
    waiting, seen = [min(end for end in ends if end is not None)], set()
    while waiting:
        node = waiting.pop()
        seen.add(node)
        step = grid.step(node // grid.plane)
        beside = [node - step, node + step]
        beside += [node + grid.plane] if flags[node] & 2 else []
        beside += [node - grid.plane] if flags.get(node - grid.plane, 0) & 2 else []
        waiting += [n for n in beside if n in flags and n not in seen]
    return ends <= seen


def test_only_what_is_inside_a_window_is_routed_anew(grid: Grid) -> None:
    found = net("a", grid, (2, 3, 20), (2, 50, 20))
    board = routed(grid, [found])
    board.fabric.history[grid.node(2, 20, 20) : grid.node(2, 30, 20)] = CLOSED
    window = Region(14, 36, 14, 26)
    board.rewire(board.fabric, board.everything, window, 1.0)
    board.report()
    here = places(grid, found.nodes)
    straight = {(2, i, 20) for i in range(3, 51)}
    assert {p for p in straight if not 14 < p[1] < 36} <= here
    assert not here & {(2, i, 20) for i in range(20, 30)}
    assert all(p in straight or (14 <= p[1] <= 36 and 14 <= p[2] <= 26) for p in here)
    assert found.complete
    assert connected(grid, found)


def test_ends_inside_a_window_find_their_way_again(grid: Grid) -> None:
    found = net("a", grid, (0, 20, 20), (0, 50, 20), (0, 24, 26), (0, 24, 14))
    board = routed(grid, [found])
    board.fabric.history[grid.node(0, 27, 20) : grid.node(0, 29, 20)] = CLOSED
    board.rewire(board.fabric, board.everything, Region(10, 36, 8, 32), 1.0)
    board.report()
    assert not places(grid, found.nodes) & {(0, 27, 20), (0, 28, 20)}
    assert connected(grid, found)


def test_net_that_finds_no_way_stays_as_it_is(grid: Grid) -> None:
    found = net("a", grid, (0, 3, 20), (0, 50, 20))
    board = routed(grid, [found])
    board.report()
    before = found.entries()
    for k in range(3):
        for j in range(grid.rows):
            grid.blocked[grid.node(k, 25, j)] = SHUT
    board.rewire(board.fabric, board.everything, Region(14, 36, 14, 26), 1.0)
    board.report()
    assert found.entries() == before


def test_collisions_are_counted_as_if_all_were_routed_afresh(grid: Grid) -> None:
    nets = [net("a", grid, (0, 3, 20), (0, 50, 20)), net("b", grid, (1, 25, 3), (1, 25, 50), (0, 30, 24))]
    board = routed(grid, nets)
    board.fabric.history[grid.node(0, 20, 20) : grid.node(0, 30, 20)] = CLOSED
    board.rewire(board.fabric, board.everything, Region(14, 36, 14, 26), 1.0)
    again = Board(grid, nets)
    again.put_back(board.keep(board.everything))
    assert (again.fabric.wire_hits == board.fabric.wire_hits).all()
    assert (again.fabric.via_hits == board.fabric.via_hits).all()


def test_untangling_resolves_what_lies_over_each_other(grid: Grid) -> None:
    nets = [net(f"n{k}", grid, (0, 10 + k, 20), (0, 40 + k, 20)) for k in range(4)]
    board = routed(grid, nets)
    collided, bad = board.assess(board.fabric, board.everything, 0.0)
    assert len(bad) == 4
    assert not len(untangle(board, collided, FOREVER, 0))
    board.report()
    assert all(connected(grid, found) for found in nets)
    taken = np.concatenate([found.nodes for found in nets])
    assert len(taken) == len(set(taken.tolist()))


def test_untangling_leaves_what_cannot_be_resolved_no_worse(grid: Grid) -> None:
    """Two nets with an end at the same place."""
    nets = [net("a", grid, (0, 20, 20), (0, 30, 20)), net("b", grid, (0, 20, 20), (0, 10, 30))]
    board = routed(grid, nets)
    collided, _ = board.assess(board.fabric, board.everything, 0.0)
    left = untangle(board, collided, FOREVER, 0)
    assert 0 < len(left) <= len(collided)
    assert grid.node(0, 20, 20) in left.tolist()


def test_what_only_passes_by_a_conflict_gives_way(grid: Grid) -> None:
    """A pin on the lowest layer, and a wire that runs over it although there is room beside."""
    passing = net("passing", grid, (0, 20, 20), (0, 30, 20))
    board = routed(grid, [passing])
    board.clear_away(np.array([grid.node(0, 25, 20)]), 2, 3, CLOSED)
    board.reroute_in_turn(board.fabric, board.everything, 0.0)
    board.report()
    low = {(i, j) for layer, i, j in places(grid, passing.nodes) if layer < 2}
    assert not low & {(i, j) for i in range(23, 28) for j in range(17, 24)}
    assert connected(grid, passing)
