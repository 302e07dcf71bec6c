"""Conflicts are looked for only where there can be new ones, and none is overlooked."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from a6hub_jupyter.express.board import Board
from a6hub_jupyter.express.fabric import Net, Terminal
from a6hub_jupyter.express.grid import Grid
from a6hub_jupyter.express.nearby import Nearby
from a6hub_jupyter.express.pinaccess import Access
from a6hub_jupyter.express.regions import Region
from tests.unit.express.metals import four_metals


def crowded(seed: int) -> Board:
    """A board with many nets on little room, each by its own shortest way."""
    grid, random = Grid(four_metals(), 24000, 24000), np.random.default_rng(seed)
    nets = []
    for k in range(40):
        ends = random.integers(3, min(grid.columns, grid.rows) - 3, (2 + k % 4, 2)).tolist()
        pins = [Terminal("", f"{k}_{n}", {grid.node(0, *end): Access(0.0, None)}) for n, end in enumerate(ends)]
        nets.append(Net(f"n{k}", pins))
    board = Board(grid, nets)
    board.reroute_in_turn(board.fabric, board.everything, 0.0)
    return board


def raised(board: Board, near: Nearby | None) -> tuple[list[int], list[int], np.ndarray]:
    """The nodes and nets that collide, and by how much dearer each node has become."""
    fabric = board.fabric._replace(history=np.zeros_like(board.fabric.history))
    nodes, nets = board.assess(fabric, board.everything, 1.0, near)
    return nodes.tolist(), nets.tolist(), fabric.history


@pytest.mark.parametrize("seed", range(6))
def test_after_nets_were_routed_again_all_that_collides_is_beside_what_they_left_and_took(seed: int) -> None:
    board = crowded(seed)
    seen = 0
    for penalty in (0.5, 2.0, 8.0):
        _, bad = board.assess(board.fabric, board.everything, 1.0)
        places = board.no_places()
        board.mark_routes(bad, places)
        board.reroute(bad, penalty)
        board.mark_routes(bad, places)
        near = Nearby(board.grid)
        near.add_places(places)
        (nodes, nets, prices), (all_nodes, all_nets, all_prices) = raised(board, near), raised(board, None)
        assert (nodes, nets) == (all_nodes, all_nets)
        assert (prices == all_prices).all()
        seen += len(nodes)
    assert seen, "nothing collided: the test shows nothing"


@pytest.mark.parametrize("seed", range(6))
def test_after_a_window_was_routed_again_the_rest_is_as_it_was(seed: int) -> None:
    board, window = crowded(seed), Region(12, 30, 10, 34)
    before, _ = board.assess(board.fabric, board.everything, 0.0)
    near = Nearby(board.grid)
    near.add_window(window)
    inside = board.assess(board.fabric, board.everything, 0.0, near)[0]
    assert len(inside) < len(before)
    near.add_nodes(before)
    board.rewire(board.fabric, board.within(window), window, 4.0)
    after = board.assess(board.fabric, board.everything, 0.0)[0]
    assert after.tolist() != before.tolist()
    assert board.assess(board.fabric, board.everything, 0.0, near)[0].tolist() == after.tolist()
