"""The last conflicts: in a window around each, nets are routed together anew, in other orders, at fresh prices.

Negotiation over whole nets can go on for ever with a few that take turns: the history of many passes has closed the
ways that they would need, and each search floods the die. A window is small enough for many tries. What a try finds is
kept only if it leaves no more conflicts than there were.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.nearby import Nearby
from a6hub_jupyter.express.regions import Region

if TYPE_CHECKING:
    from a6hub_jupyter.express.board import Board
    from a6hub_jupyter.express.maze import Fabric

    Array = np.ndarray[Any, Any]

SIZES = ((10, 12), (16, 20), (24, 30), (12, 14), (20, 24))
"""Columns and rows to each side of a conflict, in turn."""
TURNS = 8
PENALTY_START, PENALTY_GROWTH, PENALTY_MOST = 6.0, 1.5, 60.0
RISE = 2.0
BESIDE = (3, 4)
"""Nets within so many columns and rows of a conflict make way too, after the first turn."""


def untangle(board: Board, collided: Array, until: float, seed: int) -> Array:
    """Try to resolve conflicts window by window; the nodes that are still contested.

    `until`: time.monotonic() after which no further window is begun. `seed` makes for other orders each time.
    """
    random = np.random.default_rng(seed)
    fresh = board.fabric._replace(history=np.zeros_like(board.fabric.history))
    board.price_scarce(fresh)
    scarce = fresh.history.copy()
    left = collided
    for columns, rows in SIZES:
        waiting, near = left, Nearby(board.grid)
        near.add_nodes(left)
        while len(waiting) and time.monotonic() <= until:
            window = _around(board, int(waiting[random.integers(len(waiting))]), columns, rows)
            waiting = waiting[~_inside(board, waiting, window)]
            _route_together(board, fresh, window, random)
            fresh.history[:] = scarce
            near.add_window(window)
        left = board.assess(fresh, board.everything, 0.0, near)[0]
    return left


def _around(board: Board, node: int, columns: int, rows: int) -> Region:
    _, i, j = board.grid.place(node)
    last_i, last_j = board.grid.columns - 1, board.grid.rows - 1
    return Region(max(i - columns, 0), min(i + columns, last_i), max(j - rows, 0), min(j + rows, last_j))


def _inside(board: Board, nodes: Array, window: Region) -> Array:
    """Which of the nodes are in a window, and not at its edge, where nothing is changed."""
    j, i = np.divmod(nodes % board.grid.plane, board.grid.columns)
    inside: Array = (i > window.low_i) & (i < window.high_i) & (j > window.low_j) & (j < window.high_j)
    return inside


def _route_together(board: Board, fabric: Fabric, window: Region, random: np.random.Generator) -> None:
    """Negotiate within a window at the prices of `fabric`; keep the best that was found."""
    nets, near = board.within(window), Nearby(board.grid)
    near.add_window(window)
    collided, _ = board.assess(fabric, nets, 0.0, near)
    fewest, best = len(collided), board.keep(nets)
    penalty = PENALTY_START
    for turn in range(TURNS):
        inside = collided[_inside(board, collided, window)]
        if not len(inside):
            break
        todo = board.passing(inside, *(BESIDE if turn else (1, 1)), nets)
        board.rewire(fabric, random.permutation(todo), window, penalty)
        collided, _ = board.assess(fabric, nets, RISE, near)
        if len(collided) <= fewest:
            fewest, best = len(collided), board.keep(nets)
        penalty = min(penalty * PENALTY_GROWTH, PENALTY_MOST)
    if len(collided) > fewest:
        board.put_back(best)
