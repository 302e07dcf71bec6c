"""The state of routing, and what is done with it: nets routed anew, collisions found, routes put back.

All that is compiled is called from here; nets are numbers, in the order in which they are routed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from a6hub_jupyter.express import conflicts, maze, regions, rerouting, rewiring, routes
from a6hub_jupyter.express.cores import cores
from a6hub_jupyter.express.fabric import SCARCE_PRICE, ends_of, fabric_of
from a6hub_jupyter.express.nearby import Nearby

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.fabric import Net
    from a6hub_jupyter.express.grid import Grid

    Array = np.ndarray[Any, Any]

MARGIN_START = 12
GUARD = 16
"""Grid steps that metal may reach past the box of a search: lengthened wires, and what they keep free."""
HEAP_MOST = 20_000_000
ROUTE_MOST = 2_000_000
"""Nodes of the longest route."""
POOL_FREE = 8_000_000
"""Room for new routes, in nodes, that each thread gets for one pass."""
TRIES = 8
"""Searches for one terminal, each with a wider margin, at most."""


class Kept(NamedTuple):
    """Routes set aside, to be put back."""

    nets: Array
    entries: list[Array]
    chosen: list[Array]
    complete: Array


class Board:
    """Routes of nets on a grid. `margins`: by how much the search for each net may leave the box around its ends."""

    def __init__(self, grid: Grid, nets: list[Net]) -> None:
        self.grid = grid
        self.nets = nets
        self.everything = np.arange(len(nets))
        self.fabric = fabric_of(grid)
        self._ends = ends_of(grid, nets)
        count = len(nets)
        self._routes = routes.Routes(
            np.zeros(0, np.int64),
            np.zeros(count, np.int64),
            np.zeros(count, np.int64),
            np.full(int(self._ends.first_terminal[-1]), -1, np.int64),
            np.zeros(count, np.bool_),
        )
        self.margins = np.full(count, MARGIN_START, np.int64)
        self._everywhere = Nearby.everywhere(grid)
        self._threads = cores()
        shared: list[Array] = [
            np.zeros(grid.size, kind) for kind in (np.int32, np.float64, np.int32, np.int32, np.float32)
        ]
        shared += [np.zeros(grid.size, np.int32), np.zeros(grid.size, np.uint8)]
        heap = min(4 * grid.size, HEAP_MOST) + 1000
        scratches = [
            maze.Scratch(*shared, np.empty(heap), np.empty(heap, np.int32), np.empty(ROUTE_MOST, np.int64))  # type: ignore[call-arg]
            for _ in range(self._threads)
        ]
        self._scratch: SimpleQueue[maze.Scratch] = SimpleQueue()
        for scratch in scratches:
            self._scratch.put(scratch)
        self._stamp = 1
        self._free_from = 0
        """Where the pool of routes has room."""
        self.price_scarce(self.fabric)

    def price_scarce(self, fabric: maze.Fabric) -> None:
        """Keep all nets off the few ways to scarce pins of others, in the history of `fabric`."""
        for net in range(len(self.nets)):
            rerouting.price_scarce(fabric, self._ends, net, SCARCE_PRICE)

    def reroute(self, todo: Array, penalty: float) -> None:
        """Route nets anew: those in separate regions side by side, then those that found no way in theirs."""
        columns, rows = self.grid.columns, self.grid.rows
        boxes = np.empty((len(todo), 4), np.int64)
        routes.extents(self.fabric, self._ends, self._routes, todo, boxes)
        reach = self.margins[todo] + GUARD
        boxes += np.stack([-reach, reach, -reach, reach], axis=1)
        left = [todo[:0]]
        with ThreadPoolExecutor(self._threads) as executor:
            for stage in regions.divide(boxes, columns, rows):
                shares = [(share.region, todo[share.nets], self._take_stamps(todo[share.nets])) for share in stage]
                begins = self._make_room(len(shares))
                jobs = [
                    executor.submit(self._route_share, self.fabric, *share, begin, 0, penalty)
                    for share, begin in zip(shares, begins, strict=True)
                ]
                left += [job.result() for job in jobs]
        self.reroute_in_turn(self.fabric, np.sort(np.concatenate(left)), penalty)

    def reroute_in_turn(self, fabric: maze.Fabric, nets: Array, penalty: float) -> None:
        """Route nets anew one after the other, at the prices of `fabric`; a search may go as far as it must."""
        columns, rows = self.grid.columns, self.grid.rows
        everywhere = regions.whole(columns, rows)
        while len(nets):
            begin = self._free_from
            if len(self._routes.pool) - begin < POOL_FREE // 2:
                (begin,) = self._make_room(1)
            stamps = self._take_stamps(nets)
            nets = self._route_share(fabric, everywhere, nets, stamps, begin, max(columns, rows), penalty)

    def _route_share(
        self,
        fabric: maze.Fabric,
        region: regions.Region,
        nets: Array,
        stamps: Array,
        begin: int,
        last_margin: int,
        penalty: float,
    ) -> Array:
        """Route one share into the pool from `begin` on; returns the nets that are still to be routed."""
        scratch = self._scratch.get()
        done, free = rerouting.reroute(
            fabric,
            self._ends,
            self._routes,
            scratch,
            nets,
            stamps,
            self.margins[nets],
            (region.low_i, region.high_i, region.low_j, region.high_j),
            last_margin,
            penalty,
            begin,
            min(begin + POOL_FREE, len(self._routes.pool)),
        )
        self._scratch.put(scratch)
        if last_margin:
            self._free_from = free
        left: Array = nets[done:]
        if not last_margin:
            left = np.concatenate([left, nets[:done][~self._routes.complete[nets[:done]]]])
        return left

    def _make_room(self, shares: int) -> list[int]:
        """Gather the routes at the beginning of a new pool with room behind; where the room of each share begins."""
        used = int(self._routes.length.sum())
        pool = np.empty(used + shares * POOL_FREE, np.int64)
        routes.gather(self._routes, pool)
        self._routes = self._routes._replace(pool=pool)
        self._free_from = used + shares * POOL_FREE
        return [used + k * POOL_FREE for k in range(shares)]

    def _take_stamps(self, nets: Array) -> Array:
        """The first of the stamps that each of these nets may use up."""
        first_terminal = self._ends.first_terminal
        needed = 1 + TRIES * (first_terminal[nets + 1] - first_terminal[nets])
        stamps: Array = self._stamp + np.cumsum(needed) - needed
        self._stamp += int(needed.sum())
        return stamps

    def assess(self, fabric: maze.Fabric, nets: Array, rise: float, near: Nearby | None = None) -> tuple[Array, Array]:
        """The nodes at which nets collide with any other, made dearer in `fabric`; and which of the nets these are.

        `near`: where nets have come or gone since nothing collided, and where they collided then; None: anywhere.
        """
        bad = np.zeros(len(nets), np.bool_)
        scratch = self._scratch.get()
        found = np.empty(int(self._routes.length[nets].sum()) + 1, np.int64)
        marks = (near or self._everywhere).marks
        count = conflicts.assess(fabric, self._routes, scratch, nets, self._stamp, rise, found, bad, marks)
        self._scratch.put(scratch)
        self._stamp += len(nets) + 1
        return found[:count].copy(), nets[bad]

    def no_places(self) -> Array:
        """(rows, columns) of the grid, all false."""
        return np.zeros((self.grid.rows, self.grid.columns), np.bool_)

    def mark_routes(self, nets: Array, places: Array) -> None:
        """Make the places true that the routes of some nets pass over."""
        routes.mark(self.fabric, self._routes, nets, places.ravel())

    def rewire(self, fabric: maze.Fabric, nets: Array, window: regions.Region, penalty: float) -> None:
        """Route anew what nets have within a window, one after the other, at the prices of `fabric`."""
        begin = self._free_from
        if len(self._routes.pool) - begin < POOL_FREE // 2:
            (begin,) = self._make_room(1)
        scratch = self._scratch.get()
        self._stamp, self._free_from = rewiring.rewire_all(
            fabric, self._ends, self._routes, scratch, nets, self._stamp, (*window,), penalty, begin
        )
        self._scratch.put(scratch)

    def within(self, window: regions.Region) -> Array:
        """Nets that have something in the window, on any layer."""
        places = self.no_places()
        places[window.low_j : window.high_j + 1, window.low_i : window.high_i + 1] = True
        return self._over(places, self.everything)

    def _over(self, near: Array, nets: Array) -> Array:
        """Those of the nets that pass over some places; `near`: (rows, columns), true at these."""
        passing = np.zeros(len(nets), np.bool_)
        routes.pass_through(self.fabric, self._routes, near.ravel(), nets, passing)
        return nets[passing]

    def passing(self, nodes: Array, columns: int, rows: int, nets: Array | None = None) -> Array:
        """Nets (of all, or of those given) within so many columns and rows of some nodes, on any layer."""
        return self._over(self._near(nodes, columns, rows), self.everything if nets is None else nets)

    def clear_away(self, nodes: Array, columns: int, rows: int, by: float) -> None:
        """Make the lowest two layers dearer within so many columns and rows of some nodes, for what only passes by."""
        near = self._near(nodes, columns, rows).ravel()
        for k in range(2):
            self.fabric.history[k * self.grid.plane : (k + 1) * self.grid.plane][near] += by

    def _near(self, nodes: Array, columns: int, rows: int) -> Array:
        """(rows, columns) of the grid: whether a place is within so many columns and rows of some nodes."""
        near = self.no_places()
        for row, column in zip(
            *(n.tolist() for n in np.divmod(nodes % self.grid.plane, self.grid.columns)), strict=True
        ):
            near[max(row - rows, 0) : row + rows + 1, max(column - columns, 0) : column + columns + 1] = True
        return near

    def keep(self, nets: Array) -> Kept:
        """A copy of the routes of some nets."""
        own, first = self._routes, self._ends.first_terminal
        return Kept(
            nets,
            [own.pool[own.start[k] : own.start[k] + own.length[k]].copy() for k in nets],
            [own.chosen[first[k] : first[k + 1]].copy() for k in nets],
            own.complete[nets].copy(),
        )

    def put_back(self, kept: Kept) -> None:
        """Make routes what they were."""
        free = self._free_from
        if len(self._routes.pool) - free < sum(len(entries) for entries in kept.entries):
            (free,) = self._make_room(1)
        own, first = self._routes, self._ends.first_terminal
        for k, entries, chosen, complete in zip(kept.nets, kept.entries, kept.chosen, kept.complete, strict=True):
            routes.put_net(self.fabric, own, k, -1)
            own.pool[free : free + len(entries)] = entries
            own.start[k], own.length[k], own.complete[k] = free, len(entries), complete
            own.chosen[first[k] : first[k + 1]] = chosen
            routes.put_net(self.fabric, own, k, 1)
            free += len(entries)
        self._free_from = free

    def adopt(self, found: Mapping[str, Net]) -> list[int]:
        """Take over routes of nets by name, where all ends are what they were. Returns the nets without a route."""
        left, kept = [], []
        for k, net in enumerate(self.nets):
            old = found.get(net.name)
            if old is None or not old.complete or not old.fits(net):
                left.append(k)
                continue
            first = int(self._ends.first_terminal[k])
            numbers = []
            for n, terminal in enumerate(old.terminals):
                way = list(net.terminals[n].ways).index(terminal.chosen) if terminal.chosen is not None else 0
                numbers.append(int(self._ends.first_way[first + n]) + way)
            kept.append((k, old.nodes * routes.FLAGS + old.flags, np.array(numbers, np.int64)))
        nets = np.array([k for k, _, _ in kept], np.int64)
        complete = np.ones(len(nets), np.bool_)
        self.put_back(Kept(nets, [e for _, e, _ in kept], [c for _, _, c in kept], complete))
        return left

    def report(self) -> None:
        """Give the nets their routes."""
        own, ends = self._routes, self._ends
        for k, net in enumerate(self.nets):
            entries = np.sort(own.pool[own.start[k] : own.start[k] + own.length[k]])
            net.nodes, net.flags = entries // routes.FLAGS, entries % routes.FLAGS
            net.complete = bool(own.complete[k])
            first = int(ends.first_terminal[k])
            for n, terminal in enumerate(net.terminals):
                way = int(own.chosen[first + n])
                terminal.chosen = None if way < 0 else int(ends.node[way])
