"""Negotiated routing: nets may collide at a price, the price of contested nodes rises, until none collide.

After PathFinder (L. McMurchie, C. Ebeling, FPGA 1995), with the design rules in the collision offsets.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.board import MARGIN_START, Board
from a6hub_jupyter.express.nearby import Nearby
from a6hub_jupyter.express.untangling import untangle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.fabric import Net
    from a6hub_jupyter.express.grid import Grid

    Array = np.ndarray[Any, Any]

PENALTY_START, PENALTY_GROWTH, PENALTY_MOST = 0.5, 1.4, 12.0
HISTORY_STEP, HISTORY_GROWTH, HISTORY_MOST = 0.5, 0.6, 8.0
MARGIN_MOST = 60
SHAKE_FROM_PASS, SHAKE_BELOW = 4, 2000
SHAKE_COLUMNS, SHAKE_ROWS = 3, 4
PATIENCE = 25
"""Passes without fewer nets in conflict, after which the router gives up."""
STUCK = 4
"""The same, for passes after which conflicts were looked at one by one."""
CLEARING = 3.0
"""How much dearer the surroundings of a conflict get, in um per um, each time that it could not be resolved."""
UNTANGLE_FROM_PASS, UNTANGLE_BELOW = 4, 60
"""When so few contested nodes are left, they are looked at one by one."""


class Router:
    """Routes nets on a grid. `collided` holds the nodes still contested after the last pass."""

    def __init__(self, grid: Grid, nets: list[Net]) -> None:
        self.grid = grid
        self.nets = {net.name: net for net in nets}
        self.collided: Array = np.zeros(0, np.int64)
        self.passes = 0
        order = sorted(nets, key=lambda net: (len(net.terminals), net.name))
        self._number = {net.name: k for k, net in enumerate(order)}
        self._board = Board(grid, order)
        self.history = self._board.fabric.history

    def adopt(self, other: Router) -> list[str]:
        """Take over the routes of another router that still fit; the names of the nets that have none then."""
        return [self._board.nets[k].name for k in self._board.adopt(other.nets)]

    def negotiate(self, names: Iterable[str] | None, passes: int, until: float) -> list[str]:
        """Route the named nets (None: all), then again all that collide. Returns the nets still in trouble.

        `until`: time.monotonic() after which no further pass starts.
        """
        board = self._board
        everything = board.everything
        todo = everything if names is None else np.array(sorted(self._number[name] for name in names), np.int64)
        penalty = PENALTY_START if names is None else PENALTY_MOST / 2
        bad = np.zeros(0, np.int64)
        fewest, since, stuck = len(everything) + 1, 0, 0
        for turn in range(passes):
            # all that collides is routed again, so after the first pass no more than that and its surroundings can
            places, near = board.no_places(), Nearby(self.grid) if turn else None
            board.mark_routes(todo, places)
            board.reroute(todo, penalty)
            board.mark_routes(todo, places)
            if near:
                near.add_places(places)
            rise = min(HISTORY_STEP + HISTORY_GROWTH * turn, HISTORY_MOST)
            self.collided, bad = board.assess(board.fabric, everything, rise, near)
            self.passes += 1
            looked_at = (names is not None or turn >= UNTANGLE_FROM_PASS) and 0 < len(self.collided) < UNTANGLE_BELOW
            if looked_at:
                print(f"Routing pass {self.passes}: {len(self.collided)} conflicts, looked at one by one.")
                self.collided = untangle(board, self.collided, until, self.passes)
                near = Nearby(self.grid)
                near.add_nodes(self.collided)
                _, bad = board.assess(board.fabric, everything, 0.0, near)
                board.clear_away(self.collided, SHAKE_COLUMNS, SHAKE_ROWS, CLEARING)
            print(f"Routing pass {self.passes}: {len(self.collided)} conflicts in {len(bad)} nets.")
            fewest, since, stuck = (len(bad), 0, 0) if len(bad) < fewest else (fewest, since + 1, stuck + looked_at)
            # nets that found no way now never will, as only what is fixed shuts a way; but see what untangling left
            if not len(bad) or not (len(self.collided) or looked_at):
                break
            if since >= PATIENCE or stuck >= STUCK or time.monotonic() > until:
                break
            penalty = min(penalty * PENALTY_GROWTH, PENALTY_MOST)
            todo = bad
            if turn >= SHAKE_FROM_PASS and len(self.collided) < SHAKE_BELOW:
                todo = np.union1d(bad, board.passing(self.collided, SHAKE_COLUMNS, SHAKE_ROWS))
            board.margins[bad] = min(MARGIN_START + turn * 4, MARGIN_MOST)
        board.report()
        return [board.nets[k].name for k in bad]
