"""The timing graph: a node for each transition of each connected pin, an edge for each way it can cause another.

Nodes are numbered 2 * pin + transition (0 rise, 1 fall). Ports are pins of the instance "".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.timing.tables import TableStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.timing.cells import Cell
    from a6hub_jupyter.express.timing.wires import Terminal
    from a6hub_jupyter.express.verilog import Netlist

    Array = np.ndarray[Any, Any]

WIRE, CELL, LAUNCH = 0, 1, 2
"""Kinds of edges: along a net, through logic, from a clock pin to the output of a register."""
SHOWN_IN_LOOP = 6


@dataclass
class Checks:
    """Setup and hold checks as arrays: data node, clock node, table of the margin, kind."""

    data: Array
    clock: Array
    table: Array
    kind: list[str]


class Graph:
    """Pins, edges in the order of their levels, and checks. `loops` are sentences about loops that were cut."""

    def __init__(self, netlist: Netlist, library: Mapping[str, Cell]) -> None:
        self.netlist = netlist
        self.library = library
        self.tables = TableStack()
        self.loops: list[str] = []
        self.pins: list[Terminal] = []
        self.index: dict[Terminal, int] = {}
        self.net_of: list[str] = []
        self.unknown = sorted(set(netlist.cells.values()) - set(library))
        """Cells without a Liberty model: no path goes through them."""
        for net, connections in netlist.nets.items():
            for instance, pin in connections:
                cell = netlist.cells[instance]
                if cell in library and pin in library[cell].pins:
                    self._add(instance, pin, net)
        for port in netlist.ports:
            self._add("", port.name, port.net)
        self.inputs = [p.name for p in netlist.ports if p.direction == "INPUT"]
        self._input_ports = set(self.inputs)
        self.outputs = [p.name for p in netlist.ports if p.direction == "OUTPUT"]
        self.drivers: dict[str, list[int]] = defaultdict(list)
        self.sinks: dict[str, list[int]] = defaultdict(list)
        for number, (instance, pin) in enumerate(self.pins):
            if self.drives(instance, pin):
                self.drivers[self.net_of[number]].append(number)
            else:
                self.sinks[self.net_of[number]].append(number)
        self._connect()
        self.checks = self._all_checks()

    def _add(self, instance: str, pin: str, net: str) -> None:
        self.index[instance, pin] = len(self.pins)
        self.pins.append((instance, pin))
        self.net_of.append(net)

    def drives(self, instance: str, pin: str) -> bool:
        """Whether a pin, or a port seen from inside, drives its net; a cell without a model drives nothing."""
        if not instance:
            return pin in self._input_ports
        cell = self.netlist.cells[instance]
        return cell in self.library and self.library[cell].pins[pin].direction != "input"

    def node(self, instance: str, pin: str, transition: int) -> int:
        """The node of a pin's transition."""
        return 2 * self.index[instance, pin] + transition

    def cell_of(self, pin: int) -> str:
        """The cell that a pin belongs to; empty for ports."""
        instance = self.pins[pin][0]
        return self.netlist.cells[instance] if instance else ""

    # -- edges

    def _templates(self, cell: Cell) -> list[tuple[str, int, str, int, int, int, int]]:
        """Edges of one cell: pin, transition, pin, transition, kind, delay table, slew table."""
        found = []
        for pin in cell.outputs():
            for arc in pin.arcs:
                launches = arc.kind in ("rising_edge", "falling_edge")
                # presets and clears start no path, and a latch is taken as opening at its edge
                if arc.kind in ("preset", "clear") or (cell.storage == "latch" and not launches):
                    continue
                for out in (0, 1):
                    delay, slew = arc.delays[out], arc.slews[out]
                    if delay is None:
                        continue
                    numbers = self.tables.add(delay), self.tables.add(slew)
                    kind = LAUNCH if launches else CELL
                    found += [(arc.related, cause, pin.name, out, kind, *numbers) for cause in arc.causes(out)]
        return found

    def _instances(self) -> dict[str, list[str]]:
        by_cell: dict[str, list[str]] = defaultdict(list)
        for instance, cell in self.netlist.cells.items():
            if cell in self.library:
                by_cell[cell].append(instance)
        return by_cell

    def _connect(self) -> None:
        parts: list[Array] = []
        for name, instances in self._instances().items():
            cell = self.library[name]
            number = {pin: np.array([self.index.get((i, pin), -1) for i in instances], np.int64) for pin in cell.pins}
            for source, cause, target, out, kind, delay, slew in self._templates(cell):
                if source not in number:
                    continue
                both = (number[source] >= 0) & (number[target] >= 0)
                a, b = number[source][both] * 2 + cause, number[target][both] * 2 + out
                constant = [np.full(len(a), value, np.int64) for value in (kind, delay, slew)]
                parts.append(np.array([a, b, *constant]))
        wires = [(d, s) for net, ds in self.drivers.items() for d in ds for s in self.sinks.get(net, ())]
        ends = np.array(wires, np.int64).reshape(-1, 2)
        for transition in (0, 1):
            a, b = ends[:, 0] * 2 + transition, ends[:, 1] * 2 + transition
            none = np.full(len(a), -1, np.int64)
            parts.append(np.array([a, b, np.zeros(len(a), np.int64), none, none]))
        edges = np.concatenate(parts, axis=1)
        edges = self._levelled(edges)
        self.source, self.target, self.kind, self.delay_table, self.slew_table = edges
        target_level = self.level[self.target >> 1]
        bounds = np.searchsorted(target_level, np.arange(1, int(self.level.max(initial=0)) + 2))
        self.levels = [slice(int(a), int(b)) for a, b in pairwise(bounds) if b > a]
        by_target = np.argsort(self.target, kind="stable")
        self.into = by_target
        self.into_start = np.searchsorted(self.target[by_target], np.arange(2 * len(self.pins) + 1))

    def _levelled(self, edges: Array) -> Array:
        """Edges sorted by the level of their target, loops cut; fills `level` by pin."""
        count = len(self.pins)
        while True:
            a, b = edges[0] >> 1, edges[1] >> 1
            pairs = np.unique(a * count + b)
            a, b = pairs // count, pairs % count
            waiting = np.bincount(b, minlength=count)
            start = np.searchsorted(a, np.arange(count + 1))
            self.level = np.zeros(count, np.int64)
            front = np.flatnonzero(waiting == 0)
            depth, done = 0, len(front)
            while len(front):
                depth += 1
                lengths = start[front + 1] - start[front]
                offsets = np.repeat(start[front] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
                reached, times = np.unique(b[offsets + np.arange(int(lengths.sum()))], return_counts=True)
                waiting[reached] -= times
                front = reached[waiting[reached] == 0]
                self.level[front] = depth
                done += len(front)
            if done == count:
                order = np.lexsort((edges[1], self.level[edges[1] >> 1]))
                return edges[:, order]
            edges = self._cut(edges, waiting > 0)

    def _cut(self, edges: Array, stuck: Array) -> Array:
        """Remove one cell's edges on a loop, and say so."""
        before: dict[int, list[int]] = defaultdict(list)
        for a, b in zip((edges[0] >> 1).tolist(), (edges[1] >> 1).tolist(), strict=True):
            if stuck[a] and stuck[b]:
                before[b].append(a)
        pin = int(np.flatnonzero(stuck)[0])
        seen: dict[int, int] = {}
        walk: list[int] = []
        while pin not in seen:
            seen[pin] = len(walk)
            walk.append(pin)
            pin = min(before[pin])
        loop = walk[seen[pin] :][::-1]
        cells = list(dict.fromkeys(self.pins[p][0] for p in loop))
        shown = ", ".join(cells[:SHOWN_IN_LOOP]) + (", ..." if len(cells) > SHOWN_IN_LOOP else "")
        following = dict(zip(loop, [*loop[1:], loop[0]], strict=True))
        through = [(p, q) for p, q in following.items() if self.pins[p][0] == self.pins[q][0] != ""]
        a, b = min(through)
        self.loops.append(
            f"The cells {shown} form a combinational loop: timing is estimated with the way from {self.pins[a][0]}/"
            f"{self.pins[a][1]} to {self.pins[b][1]} cut. Break the loop with a register if it is not meant."
        )
        keep = ~(((edges[0] >> 1) == a) & ((edges[1] >> 1) == b))
        return edges[:, keep]

    # -- checks

    def _all_checks(self) -> Checks:
        data: list[int] = []
        clock: list[int] = []
        table: list[int] = []
        kind: list[str] = []
        for name, instances in self._instances().items():
            cell = self.library[name]
            templates = [
                (pin.name, t, check.related, check.edge, self.tables.add(check.margins[t]), check.kind)
                for pin in cell.pins.values()
                for check in pin.checks
                for t in (0, 1)
                if check.margins[t] is not None
            ]
            for instance in instances:
                for pin_name, t, related, edge, number, what in templates:
                    d, c = self.index.get((instance, pin_name)), self.index.get((instance, related))
                    if d is None or c is None:
                        continue
                    is_latch = cell.storage == "latch"
                    opening = 1 - edge if is_latch and what == "setup" else edge
                    data.append(2 * d + t)
                    clock.append(2 * c + opening)
                    table.append(number)
                    kind.append(what)
        return Checks(
            np.array(data, np.int64),
            np.array(clock, np.int64),
            np.array(table, np.int64),
            kind,
        )
