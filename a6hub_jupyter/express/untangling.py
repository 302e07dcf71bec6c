"""The last conflicts: the nets around one are taken out and routed together again, in another order, at fresh prices.

Negotiation alone can go on for ever with a few nets that take turns: the history of many passes has closed the ways
that they would need. A change is kept only if it leaves no more conflicts than there were.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from a6hub_jupyter.express.board import Board
    from a6hub_jupyter.express.maze import Fabric

    Array = np.ndarray[Any, Any]

SEED = 1
CONTEST = 1
"""Nets within so many grid steps of a conflict are always taken out."""
WINDOWS = ((0, 0, 0), (4, 4, 2), (6, 8, 4), (8, 12, 8))
"""Columns and rows around the conflict, and how many of the other nets there are taken out as well; in turn."""
TURNS = 6
PENALTY_START, PENALTY_GROWTH = 10.0, 1.6
RISE = 2.0
TRIES, TRIES_PER_CONFLICT = 40, 8


def untangle(board: Board, collided: Array, until: float) -> Array:
    """Try to resolve conflicts one by one; the nodes that are still contested.

    `until`: time.monotonic() after which no further try starts.
    """
    if not len(collided):
        return collided
    random = np.random.default_rng(SEED)
    fresh = board.fabric._replace(history=np.zeros_like(board.fabric.history))
    board.price_scarce(fresh)
    scarce = fresh.history.copy()
    left = collided
    for turn in range(TRIES + TRIES_PER_CONFLICT * len(collided)):
        if not len(left) or time.monotonic() > until:
            break
        columns, rows, most = WINDOWS[turn % len(WINDOWS)]
        node = left[[random.integers(len(left))]]
        nets = board.passing(node, CONTEST, CONTEST)
        others = np.setdiff1d(board.passing(node, columns, rows), nets)
        nets = np.concatenate([nets, random.permutation(others)[:most]])
        before, bad = board.assess(fresh, nets, 0.0)
        if not len(bad):
            left = np.setdiff1d(left, node)
            continue
        kept = board.keep(nets)
        after = _route_together(board, fresh, nets, random)
        fresh.history[:] = scarce
        if len(after) > len(before):
            board.put_back(kept)
        else:
            left = np.union1d(np.setdiff1d(left, before), after)
    return board.assess(fresh, board.everything, 0.0)[0]


def _route_together(board: Board, fabric: Fabric, nets: Array, random: np.random.Generator) -> Array:
    """Negotiate among a few nets, in a random order, at the prices of `fabric`; the nodes where they collide then."""
    todo, penalty = random.permutation(nets), PENALTY_START
    for _ in range(TURNS):
        board.reroute_in_turn(fabric, todo, penalty)
        collided, bad = board.assess(fabric, nets, RISE)
        if not len(bad):
            break
        todo, penalty = random.permutation(bad), penalty * PENALTY_GROWTH
    return collided
