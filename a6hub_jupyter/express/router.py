"""Negotiated routing: nets may collide at a price, the price of contested nodes rises, until none collide.

After PathFinder (L. McMurchie, C. Ebeling, FPGA 1995), with the design rules in the collision offsets.
"""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express import maze, regions, rerouting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.grid import Grid
    from a6hub_jupyter.express.pinaccess import Access

    Array = np.ndarray[Any, Any]

VIA_PRICE = 1.2
"""A via costs as much as so many um of wire."""
FIRST_LAYER_PRICE = 1.6
"""Wires on the first routing layer block the pins below them: they cost so many times as much."""
SCARCE = 2
"""A pin with so few ways to it keeps other nets off them."""
SCARCE_PRICE = 8.0
PENALTY_START, PENALTY_GROWTH, PENALTY_MOST = 0.5, 1.4, 12.0
HISTORY_STEP, HISTORY_GROWTH, HISTORY_MOST = 0.5, 0.6, 8.0
MARGIN_START, MARGIN_MOST = 12, 60
GUARD = 16
"""Grid steps that metal may reach past the box of a search: lengthened wires, and what they keep free."""
SHAKE_FROM_PASS, SHAKE_BELOW = 4, 2000
SHAKE_COLUMNS, SHAKE_ROWS = 3, 4
HEAP_MOST = 20_000_000
ROUTE_MOST = 2_000_000
"""Nodes of the longest route."""
POOL_FREE = 8_000_000
"""Room for new routes, in nodes, that each thread gets for one pass."""
THREADS_MOST = 4
PATIENCE = 25
"""Passes without fewer nets in conflict, after which the router gives up."""
TRIES = 8
"""Searches for one terminal, each with a wider margin, at most."""


@dataclass
class Terminal:
    """One end of a net: a cell pin (instance, pin) or a port ("", name), and the ways to reach it."""

    instance: str
    pin: str
    ways: dict[int, Access]
    chosen: int | None = None

    @property
    def access(self) -> Access | None:
        """The way that the route took."""
        return None if self.chosen is None else self.ways[self.chosen]


@dataclass
class Net:
    """A net and its route: its nodes in ascending order, and the `rerouting` flags of each."""

    name: str
    terminals: list[Terminal]
    complete: bool = False
    nodes: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    flags: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def entries(self) -> bytes:
        """The route and the ways taken, to tell whether it has changed."""
        chosen = np.array([-1 if t.chosen is None else t.chosen for t in self.terminals], np.int64)
        return self.nodes.tobytes() + self.flags.tobytes() + chosen.tobytes()


def threads() -> int:
    """How many threads route: as many as there are processors for this process, up to a few."""
    given = os.environ.get("EXPRESS_THREADS", "")
    return int(given) if given.isdigit() and int(given) > 0 else min(len(os.sched_getaffinity(0)), THREADS_MOST)


class Router:
    """Routes nets on a grid. `collided` holds the nodes still contested after the last pass."""

    def __init__(self, grid: Grid, nets: list[Net]) -> None:
        self.grid = grid
        self.nets = {net.name: net for net in nets}
        self.collided: Array = np.zeros(0, np.int64)
        self.passes = 0
        self._order = sorted(nets, key=lambda net: (len(net.terminals), net.name))
        self._number = {net.name: k for k, net in enumerate(self._order)}
        self._fabric = self._make_fabric()
        self.history = self._fabric.history
        self._ends = self._make_ends()
        count = len(self._order)
        self._routes = rerouting.Routes(
            np.zeros(0, np.int64),
            np.zeros(count, np.int64),
            np.zeros(count, np.int64),
            np.full(int(self._ends.first_terminal[-1]), -1, np.int64),
            np.zeros(count, np.bool_),
        )
        self._margins = np.full(count, MARGIN_START, np.int64)
        self._threads = threads()
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
        for k in range(count):
            rerouting.price_scarce(self._fabric, self._ends, k, SCARCE_PRICE)

    def _make_fabric(self) -> maze.Fabric:
        grid, technology = self.grid, self.grid.technology
        layers = technology.layers
        # offsets from nodes near the edge reach past both ends of the arrays: there they find these zeros
        beyond = 5 * (grid.columns + 1)
        wire_wire = self._offset_table([layer.wire_wire for layer in layers])
        wire_via = self._offset_table([layer.wire_via for layer in layers])
        via_via = self._offset_table([layer.via_via for layer in layers])
        prices = np.ones(len(layers))
        prices[0] = FIRST_LAYER_PRICE
        vertical = [layer.vertical for layer in layers]
        return maze.Fabric(
            grid.columns,
            grid.rows,
            grid.plane,
            technology.pitch_x / 1000,
            technology.pitch_y / 1000,
            VIA_PRICE,
            np.array(vertical),
            prices,
            maze.fewest_vias(vertical),
            grid.blocked,
            np.zeros(grid.size, np.float32),
            np.zeros(grid.size + beyond, np.int16),
            np.zeros(grid.size + beyond, np.int16),
            *wire_wire,
            *wire_via,
            *via_via,
            np.array([layer.least_steps for layer in layers], np.int64),
            np.array([layer.least_steps_at_via for layer in layers], np.int64),
            self._near_cuts(),
        )

    def _offset_table(self, offsets: list[tuple[tuple[int, int], ...]]) -> tuple[Array, Array]:
        """Offsets in node numbers, one row per layer, and how many each row has."""
        table = np.zeros((len(offsets), max(len(o) for o in offsets)), np.int64)
        for k, row in enumerate(offsets):
            table[k, : len(row)] = [j * self.grid.columns + i for i, j in row]
        return table, np.array([len(o) for o in offsets], np.int64)

    def _near_cuts(self) -> Array:
        """Offsets at which two cuts of one net are too near: the spacing of cuts knows no nets."""
        technology = self.grid.technology
        table = np.zeros((len(technology.cuts) + 1, 4), np.int64)
        for k, cut in enumerate(technology.cuts):
            for n, (i, j) in enumerate(((1, 0), (0, 1), (1, 1), (-1, 1))):
                gap_x = max(abs(i) * technology.pitch_x - cut.size, 0)
                gap_y = max(j * technology.pitch_y - cut.size, 0)
                if math.hypot(gap_x, gap_y) < cut.spacing:
                    table[k, n] = j * self.grid.columns + i
        return table

    def _make_ends(self) -> rerouting.Ends:
        terminals = [terminal for net in self._order for terminal in net.terminals]
        ways = [(node, access) for terminal in terminals for node, access in terminal.ways.items()]
        first_terminal = np.cumsum([0, *(len(net.terminals) for net in self._order)])
        first_way = np.cumsum([0, *(len(terminal.ways) for terminal in terminals)])
        order = np.arange(len(terminals))
        for k, net in enumerate(self._order):
            order[first_terminal[k] + 1 : first_terminal[k + 1]] = first_terminal[k] + self._nearest_first(net)
        own = [self.grid.own_nodes(net.name) for net in self._order]
        return rerouting.Ends(
            first_terminal,
            first_way,
            np.array([node for node, _ in ways], np.int64),
            np.array([-1 if access.extra is None else access.extra for _, access in ways], np.int64),
            np.array([access.via is not None for _, access in ways], np.bool_),
            np.array([access.price for _, access in ways], np.float64),
            np.array([bool(t.instance) and len(t.ways) <= SCARCE for t in terminals], np.bool_),
            SCARCE_PRICE,
            order,
            np.cumsum([0, *(len(nodes) for nodes in own)]),
            np.array([node for nodes in own for node, _ in nodes], np.int64),
            np.array([free for nodes in own for _, free in nodes], np.uint8),
        )

    def _nearest_first(self, net: Net) -> Array:
        """Positions of the terminals after the first, each the nearest to those before (Prim)."""
        places = [self.grid.place(next(iter(terminal.ways))) for terminal in net.terminals]
        points = np.array([[i * self._fabric.pitch_x, j * self._fabric.pitch_y] for _, i, j in places])
        away = np.abs(points - points[0]).sum(axis=1)
        away[0] = np.inf
        order = []
        for _ in range(len(places) - 1):
            k = int(np.argmin(away))
            order.append(k)
            away = np.minimum(away, np.abs(points - points[k]).sum(axis=1))
            away[[0, *order]] = np.inf
        return np.array(order, np.int64)

    # -- all nets

    def negotiate(self, names: Iterable[str] | None, passes: int, until: float) -> list[str]:
        """Route the named nets (None: all), then again all that collide. Returns the nets still in trouble.

        `until`: time.monotonic() after which no further pass starts.
        """
        everything = np.arange(len(self._order))
        todo = everything if names is None else np.array(sorted(self._number[name] for name in names), np.int64)
        penalty = PENALTY_START if names is None else PENALTY_MOST / 2
        bad = np.zeros(0, np.int64)
        fewest, since = len(everything) + 1, 0
        for turn in range(passes):
            self._reroute(todo, penalty)
            bad = self._assess(everything, min(HISTORY_STEP + HISTORY_GROWTH * turn, HISTORY_MOST))
            self.passes += 1
            print(f"Routing pass {self.passes}: {len(self.collided)} conflicts in {len(bad)} nets.")
            fewest, since = (len(bad), 0) if len(bad) < fewest else (fewest, since + 1)
            if not len(bad) or since >= PATIENCE or time.monotonic() > until:
                break
            penalty = min(penalty * PENALTY_GROWTH, PENALTY_MOST)
            todo = bad
            if turn >= SHAKE_FROM_PASS and len(self.collided) < SHAKE_BELOW:
                todo = np.union1d(bad, self._neighbours(everything))
            self._margins[bad] = min(MARGIN_START + turn * 4, MARGIN_MOST)
        self._report()
        return [self._order[k].name for k in bad]

    def _reroute(self, todo: Array, penalty: float) -> None:
        """Route nets anew: those in separate regions side by side, then those that found no way in theirs."""
        columns, rows = self.grid.columns, self.grid.rows
        boxes = np.empty((len(todo), 4), np.int64)
        rerouting.extents(self._fabric, self._ends, self._routes, todo, boxes)
        reach = self._margins[todo] + GUARD
        boxes += np.stack([-reach, reach, -reach, reach], axis=1)
        left = [todo[:0]]
        with ThreadPoolExecutor(self._threads) as executor:
            for stage in regions.divide(boxes, columns, rows):
                shares = [(share.region, todo[share.nets], self._take_stamps(todo[share.nets])) for share in stage]
                begins = self._make_room(len(shares))
                jobs = [
                    executor.submit(self._route_share, *share, begin, 0, penalty)
                    for share, begin in zip(shares, begins, strict=True)
                ]
                left += [job.result() for job in jobs]
        nets = np.sort(np.concatenate(left))
        while len(nets):
            stamps = self._take_stamps(nets)
            (begin,) = self._make_room(1)
            done = self._route_share(regions.whole(columns, rows), nets, stamps, begin, max(columns, rows), penalty)
            nets = nets[len(nets) - len(done) :] if len(done) < len(nets) else done[:0]

    def _route_share(
        self, region: regions.Region, nets: Array, stamps: Array, begin: int, last_margin: int, penalty: float
    ) -> Array:
        """Route one share into the pool from `begin` on; returns the nets that are still to be routed."""
        scratch = self._scratch.get()
        done, _ = rerouting.reroute(
            self._fabric,
            self._ends,
            self._routes,
            scratch,
            nets,
            stamps,
            self._margins[nets],
            (region.low_i, region.high_i, region.low_j, region.high_j),
            last_margin,
            penalty,
            begin,
            begin + POOL_FREE,
        )
        self._scratch.put(scratch)
        left: Array = nets[done:]
        if not last_margin:
            left = np.concatenate([left, nets[:done][~self._routes.complete[nets[:done]]]])
        return left

    def _make_room(self, shares: int) -> list[int]:
        """Gather the routes at the beginning of a new pool with room behind; where the room of each share begins."""
        used = int(self._routes.length.sum())
        pool = np.empty(used + shares * POOL_FREE, np.int64)
        rerouting.gather(self._routes, pool)
        self._routes = self._routes._replace(pool=pool)
        return [used + k * POOL_FREE for k in range(shares)]

    def _take_stamps(self, nets: Array) -> Array:
        """The first of the stamps that each of these nets may use up."""
        first_terminal = self._ends.first_terminal
        needed = 1 + TRIES * (first_terminal[nets + 1] - first_terminal[nets])
        stamps: Array = self._stamp + np.cumsum(needed) - needed
        self._stamp += int(needed.sum())
        return stamps

    def _assess(self, nets: Array, rise: float) -> Array:
        """Find all collisions, raise the price of their nodes, and return the nets concerned."""
        bad = np.zeros(len(nets), np.bool_)
        scratch = self._scratch.get()
        found = np.empty(int(self._routes.length.sum()) + 1, np.int64)
        count = rerouting.assess(self._fabric, self._routes, scratch, nets, self._stamp, rise, found, bad)
        self._scratch.put(scratch)
        self._stamp += len(nets) + 1
        self.collided = found[:count].copy()
        return nets[bad]

    def _neighbours(self, nets: Array) -> Array:
        """Nets that pass close to the last conflicts: they must make room."""
        near = np.zeros((self.grid.rows, self.grid.columns), np.bool_)
        j, i = np.divmod(self.collided % self.grid.plane, self.grid.columns)
        for row, column in zip(j.tolist(), i.tolist(), strict=True):
            near[
                max(row - SHAKE_ROWS, 0) : row + SHAKE_ROWS + 1,
                max(column - SHAKE_COLUMNS, 0) : column + SHAKE_COLUMNS + 1,
            ] = True
        passing = np.zeros(len(nets), np.bool_)
        rerouting.pass_through(self._fabric, self._routes, near.ravel(), nets, passing)
        found: Array = nets[passing]
        return found

    def _report(self) -> None:
        """Give the nets their routes."""
        routes, ends = self._routes, self._ends
        for k, net in enumerate(self._order):
            entries = np.sort(routes.pool[routes.start[k] : routes.start[k] + routes.length[k]])
            net.nodes, net.flags = entries // rerouting.FLAGS, entries % rerouting.FLAGS
            net.complete = bool(routes.complete[k])
            first = int(ends.first_terminal[k])
            for n, terminal in enumerate(net.terminals):
                way = int(routes.chosen[first + n])
                terminal.chosen = None if way < 0 else int(ends.node[way])
