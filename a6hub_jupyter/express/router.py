"""Negotiated routing: nets may collide at a price, the price of contested nodes rises, until none collide.

After PathFinder (L. McMurchie, C. Ebeling, FPGA 1995), with the design rules in the collision offsets.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express import maze
from a6hub_jupyter.express.grid import NO_WIRE
from a6hub_jupyter.express.pinaccess import Access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.grid import Grid

    Array = np.ndarray[Any, Any]

VIA_PRICE = 1.2
"""A via costs as much as so many um of wire."""
SCARCE = 2
"""A pin with so few ways to it keeps other nets off them."""
SCARCE_PRICE = 8.0
PENALTY_START, PENALTY_GROWTH, PENALTY_MOST = 0.5, 1.4, 4.0
HISTORY_STEP, HISTORY_GROWTH = 0.8, 1.5
MARGIN_START, MARGIN_MOST = 12, 60
LARGE_TREE, NEAREST_NODES = 600, 300
SHAKE_FROM_PASS, SHAKE_BELOW = 4, 200
SHAKE_COLUMNS, SHAKE_ROWS = 4, 6
HEAP_MOST = 40_000_000


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
    """A net and its present route: edges between nodes; `extensions` are nodes added for minimum area."""

    name: str
    terminals: list[Terminal]
    order: list[int] = field(default_factory=list)
    margin: int = MARGIN_START
    complete: bool = False
    edges: set[tuple[int, int]] = field(default_factory=set)
    extensions: dict[int, range] = field(default_factory=dict)
    wires: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    vias: Array = field(default_factory=lambda: np.zeros(0, np.int64))


class Router:
    """Routes nets on a grid. `collided` holds the nodes still contested after the last pass."""

    def __init__(self, grid: Grid, nets: list[Net]) -> None:
        self.grid = grid
        self.nets = {net.name: net for net in nets}
        self.collided: set[int] = set()
        technology = grid.technology
        layers = technology.layers
        self._pitch_x, self._pitch_y = technology.pitch_x / 1000, technology.pitch_y / 1000
        self._vertical = np.array([layer.vertical for layer in layers])
        # offsets from nodes near the edge reach past both ends of the arrays: there they find these zeros
        beyond = 5 * (grid.columns + 1)
        self._wires = np.zeros(grid.size + beyond, np.int16)
        self._vias = np.zeros(grid.size + beyond, np.int16)
        self.history = np.zeros(grid.size, np.float32)
        kinds = ("wire_wire", "wire_via", "via_via")
        tables = [self._offset_table([getattr(layer, kind) for layer in layers]) for kind in kinds]
        self._wire_offsets = (*tables[0], *tables[1])
        self._via_offsets = (*tables[1], *tables[2])
        self._all_offsets = (*tables[0], *tables[1], *tables[2])
        self._layer_price = np.ones(len(layers))
        self._reached, self._parent, self._wanted = (np.zeros(grid.size, np.int32) for _ in range(3))
        self._cost, self._end_cost = np.zeros(grid.size), np.zeros(grid.size, np.float32)
        heap = min(6 * grid.size, HEAP_MOST) + 1000
        self._keys, self._heap = np.zeros(heap), np.zeros(heap, np.int32)
        self._stamp = 0
        self._found = np.zeros(min(grid.size, 2_000_000), np.int64)
        self._passes = 0
        self._price_scarce_pins()

    def _offset_table(self, offsets: list[tuple[tuple[int, int], ...]]) -> tuple[Array, Array]:
        """Offsets in node numbers, one row per layer, and how many each row has."""
        table = np.zeros((len(offsets), max(len(o) for o in offsets)), np.int64)
        for k, row in enumerate(offsets):
            table[k, : len(row)] = [j * self.grid.columns + i for i, j in row]
        return table, np.array([len(o) for o in offsets], np.int64)

    def _price_scarce_pins(self) -> None:
        for net in self.nets.values():
            for terminal in net.terminals:
                if terminal.instance and len(terminal.ways) <= SCARCE:
                    for node, access in terminal.ways.items():
                        self.history[node] = SCARCE_PRICE
                        if access.extra is not None:
                            self.history[access.extra] = SCARCE_PRICE

    # -- one net

    def _search(
        self, sources: Array, source_costs: Array, terminal: Terminal, margin: int, penalty: float
    ) -> list[int]:
        """Nodes from the terminal back to the nearest source; empty when there is no way."""
        grid = self.grid
        targets, target_costs = self._ends(terminal, penalty)
        tj, ti = np.divmod(targets % grid.plane, grid.columns)
        sj, si = np.divmod(sources % grid.plane, grid.columns)
        target_box = int(ti.min()), int(ti.max()), int(tj.min()), int(tj.max())
        low_i, high_i = min(int(si.min()), target_box[0]), max(int(si.max()), target_box[1])
        low_j, high_j = min(int(sj.min()), target_box[2]), max(int(sj.max()), target_box[3])
        while True:
            self._stamp += 1
            box = (
                max(1, low_i - margin),
                min(grid.columns - 2, high_i + margin),
                max(1, low_j - margin),
                min(grid.rows - 2, high_j + margin),
            )
            end = maze.shortest_path(
                grid.columns,
                grid.plane,
                self._vertical,
                sources,
                source_costs,
                targets,
                target_costs,
                box,
                target_box,
                self._wires,
                self._vias,
                self.history,
                grid.blocked,
                penalty,
                self._pitch_x,
                self._pitch_y,
                VIA_PRICE,
                *self._all_offsets,
                self._layer_price,
                self._reached,
                self._cost,
                self._parent,
                self._wanted,
                self._end_cost,
                self._stamp,
                self._keys,
                self._heap,
            )
            if end >= 0 or margin >= max(grid.columns, grid.rows):
                break
            margin *= 4
        path = []
        while end >= 0:
            path.append(int(end))
            end = self._parent[end]
        return path

    def _ends(self, terminal: Terminal, penalty: float) -> tuple[Array, Array]:
        """Nodes of a terminal and what ending there costs, the pin via included (um)."""
        nodes = np.fromiter(terminal.ways, np.int64, len(terminal.ways))
        costs = [
            access.price + sum(self._via_cost(n, penalty) for n in (node, access.extra) if n is not None)
            for node, access in terminal.ways.items()
        ]
        return nodes, np.array(costs, np.float32)

    def _via_cost(self, node: int, penalty: float) -> float:
        layer = node // self.grid.plane
        hits = maze.via_collisions(node, layer, self._wires, self._vias, *self._via_offsets)
        return float(penalty * hits + 0.5 * self.history[node])

    def _route(self, net: Net, penalty: float) -> None:
        """Connect all terminals, the nearest first, each to the tree so far."""
        terminals = net.terminals
        edges: set[tuple[int, int]] = set()
        tree: set[int] = set()
        net.complete = True
        for terminal in terminals:
            terminal.chosen = None
        if len(terminals) == 1:
            terminals[0].chosen = next(iter(terminals[0].ways))
            self._finish(net, edges, {terminals[0].chosen})
            return
        if not net.order:
            net.order = self._nearest_first(terminals)
        sources, source_costs = self._ends(terminals[0], penalty)
        for k in net.order:
            if tree:
                sources = np.fromiter(tree, np.int64, len(tree))
                if len(sources) > LARGE_TREE:
                    sources = self._nearest_part(sources, next(iter(terminals[k].ways)))
                source_costs = np.zeros(len(sources), np.float32)
            path = self._search(sources, source_costs, terminals[k], net.margin, penalty)
            if not path:
                net.complete = False
                continue
            terminals[k].chosen = path[0]
            if not tree:
                terminals[0].chosen = path[-1]
            tree.update(path)
            edges.update((min(a, b), max(a, b)) for a, b in pairwise(path))
        self._finish(net, edges, tree)

    def _nearest_part(self, nodes: Array, target: int) -> Array:
        """The nodes of a large tree that are nearest to the target."""
        _, i, j = self.grid.place(target)
        row, column = np.divmod(nodes % self.grid.plane, self.grid.columns)
        away = np.abs(column - i) * self._pitch_x + np.abs(row - j) * self._pitch_y
        return nodes[np.argsort(away, kind="stable")[:NEAREST_NODES]]

    def _nearest_first(self, terminals: list[Terminal]) -> list[int]:
        """Order of the terminals after the first, each the nearest to those before (Prim)."""
        places = [self.grid.place(next(iter(t.ways))) for t in terminals]
        points = np.array([[i * self._pitch_x, j * self._pitch_y] for _, i, j in places])
        away = np.abs(points - points[0]).sum(axis=1)
        done, order = [0], []
        away[0] = np.inf
        while len(done) < len(terminals):
            k = int(np.argmin(away))
            order.append(k)
            done.append(k)
            away = np.minimum(away, np.abs(points - points[k]).sum(axis=1))
            away[done] = np.inf
        return order

    def _finish(self, net: Net, edges: set[tuple[int, int]], nodes: set[int]) -> None:
        """Lengthen runs that are short of the minimum area, join what touches, list wires and vias."""
        grid = self.grid
        nodes = set(nodes)
        vias = {n for a, b in edges if b - a == grid.plane for n in (a, b)}
        net.extensions = {}
        for terminal in net.terminals:
            access = terminal.access
            if terminal.chosen is None or access is None or access.via is None:
                continue
            vias.add(terminal.chosen)
            if access.extra is not None:
                nodes.add(access.extra)
                vias.add(access.extra)
                net.extensions[access.extra] = range(terminal.chosen, terminal.chosen + 1)
        seen: set[int] = set()
        for node in sorted(nodes):
            if node not in seen:
                seen.update(self._lengthen(net, nodes, vias, node))
        for node in nodes:
            step = grid.step(node // grid.plane)
            if node + step in nodes:
                edges.add((node, node + step))
        net.edges = edges
        net.wires = np.array(sorted(nodes), np.int64)
        net.vias = np.array(sorted(vias), np.int64)

    def _lengthen(self, net: Net, nodes: set[int], vias: set[int], node: int) -> range:
        """Extend the run through `node` to its minimum length; returns the run as it was."""
        grid = self.grid
        k = node // grid.plane
        layer, step = grid.technology.layers[k], grid.step(k)
        first = last = node
        while first - step in nodes:
            first -= step
        while last + step in nodes:
            last += step
        run = range(first, last + 1, step)
        wanted = layer.least_steps_at_via if first == last and first in vias else layer.least_steps
        while (last - first) // step < wanted:
            ways = []
            for beyond in (last + step, first - step):
                hits = maze.wire_collisions(beyond, k, self._wires, self._vias, *self._wire_offsets)
                ways.append((int(grid.blocked[beyond]) & NO_WIRE, hits + 0.5 * float(self.history[beyond]), beyond))
            blocked, _, beyond = min(ways)
            if blocked:
                break
            nodes.add(beyond)
            net.extensions[beyond] = range(first, last + 1, step)
            first, last = min(first, beyond), max(last, beyond)
        return run

    def _mark(self, net: Net, by: int) -> None:
        self._wires[net.wires] += by
        self._vias[net.vias] += by

    def _own_cuts_too_near(self, net: Net) -> list[int]:
        """Nodes where two cuts of one net are too close: the spacing of cuts knows no nets."""
        grid, technology = self.grid, self.grid.technology
        by_cut: dict[int, set[int]] = {0: set()}
        for a, b in net.edges:
            if b - a == grid.plane:
                by_cut.setdefault(a // grid.plane + 1, set()).add(a % grid.plane)
        for terminal in net.terminals:
            access = terminal.access
            if terminal.chosen is not None and access is not None and access.via is not None:
                by_cut[0].add(terminal.chosen % grid.plane)
        bad = []
        for k, places in by_cut.items():
            cut = technology.cuts[k]
            for i, j in ((1, 0), (0, 1), (1, 1), (-1, 1)):
                gap_x = max(abs(i) * technology.pitch_x - cut.size, 0)
                gap_y = max(j * technology.pitch_y - cut.size, 0)
                if math.hypot(gap_x, gap_y) < cut.spacing:
                    offset = j * grid.columns + i
                    bad += [p + offset + max(k - 1, 0) * grid.plane for p in sorted(places) if p + offset in places]
        return bad

    # -- all nets

    def negotiate(self, names: Iterable[str] | None, passes: int, until: float) -> list[str]:
        """Route the named nets (None: all), then again all that collide. Returns the nets still in trouble.

        `until`: time.monotonic() after which no further pass starts.
        """
        order = sorted(self.nets, key=lambda n: (len(self.nets[n].terminals), n))
        todo = order if names is None else [n for n in order if n in set(names)]
        penalty = PENALTY_START if names is None else PENALTY_MOST / 2
        bad: list[str] = []
        for turn in range(passes):
            for name in todo:
                self._reroute(self.nets[name], penalty)
            bad = self._assess(order, turn)
            self._passes += 1
            print(f"Routing pass {self._passes}: {len(self.collided)} conflicts in {len(bad)} nets.")
            if not bad or time.monotonic() > until:
                break
            penalty = min(penalty * PENALTY_GROWTH, PENALTY_MOST)
            todo = bad
            if turn >= SHAKE_FROM_PASS and len(self.collided) < SHAKE_BELOW:
                todo = bad + self._neighbours(order, set(bad))
            for name in bad:
                self.nets[name].margin = min(MARGIN_START + turn * 4, MARGIN_MOST)
        return bad

    def _reroute(self, net: Net, penalty: float) -> None:
        self._mark(net, -1)
        self.grid.open_for(net.name)
        self._route(net, penalty)
        self.grid.close_for(net.name)
        self._mark(net, 1)

    def _assess(self, order: list[str], turn: int) -> list[str]:
        """Find all collisions, raise the price of their nodes, and return the nets concerned."""
        bad, contested = [], set()
        rise = HISTORY_STEP + HISTORY_GROWTH * turn
        for name in order:
            net = self.nets[name]
            self._mark(net, -1)
            count = maze.collisions(
                self.grid.plane, net.wires, net.vias, self._wires, self._vias, *self._all_offsets, self._found
            )
            nodes = set(self._found[:count].tolist()) | set(self._own_cuts_too_near(net))
            self._mark(net, 1)
            if not nodes and net.complete:
                continue
            bad.append(name)
            contested |= nodes
            for node, run in net.extensions.items():
                if node in nodes:  # what collides is a consequence of the run: make that dear
                    self.history[run.start : run.stop : run.step] += rise
        self.history[sorted(contested)] += rise
        self.collided = contested
        return bad

    def _neighbours(self, order: list[str], known: set[str]) -> list[str]:
        """Nets that pass close to the last conflicts: they must make room."""
        plane, columns = self.grid.plane, self.grid.columns
        near = {
            node % plane + j * columns + i
            for node in self.collided
            for j in range(-SHAKE_ROWS, SHAKE_ROWS + 1)
            for i in range(-SHAKE_COLUMNS, SHAKE_COLUMNS + 1)
        }
        return [n for n in order if n not in known and any(int(u) % plane in near for u in self.nets[n].wires)]
