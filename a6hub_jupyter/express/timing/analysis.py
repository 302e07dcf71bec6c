"""Delays and arrivals over the timing graph, level by level in bulk.

`late` takes the largest delays and slews, `early` the smallest; derating widens the gap. Setup compares a late
launch with an early capture, hold an early launch with a late capture. Nothing is given back for what both
clock paths have in common, so slacks are on the safe side there.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.timing.graph import LAUNCH, WIRE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.timing.constraints import Constraints
    from a6hub_jupyter.express.timing.graph import Graph
    from a6hub_jupyter.express.timing.wires import Terminal, Wires

    Array = np.ndarray[Any, Any]

EARLY, LATE = 0, 1
NEVER = (np.inf, -np.inf)
"""The arrival of what never arrives, early and late."""


@dataclass(frozen=True)
class Tag:
    """Where paths begin: an edge (0 rise, 1 fall) of a clock, at registers or at inputs."""

    clock: int
    edge: int
    from_inputs: bool = False

    def nominal(self, period: float) -> float:
        """When the edge happens at the source, ns."""
        return period / 2 if self.edge else 0.0


class Analysis:
    """Loads, slews, delays and arrivals of a design in one corner. First index of most arrays: EARLY or LATE."""

    def __init__(
        self,
        graph: Graph,
        wires: Wires,
        constraints: Constraints,
        slew_factor: float,
        input_slew: float | None = None,
    ) -> None:
        """`input_slew` in ns, where given, is that of all inputs, which then have no cells in front of them."""
        self.graph = graph
        self.constraints = constraints
        self._input_slew = input_slew
        self._slew_factor = slew_factor
        nodes = 2 * len(graph.pins)
        self.load = np.zeros(nodes)
        self.wire_delay = np.zeros(nodes)
        self._load_nets(wires)
        self.slew = np.array([np.full(nodes, NEVER[EARLY]), np.full(nodes, NEVER[LATE])])
        self.delay = np.zeros((2, len(graph.source)))
        self._start: list[dict[int, float]] = [{}, {}]
        self._drive_inputs()
        self._groups = [self._group(level) for level in graph.levels]
        for mode in (EARLY, LATE):
            self._find_delays(mode)
        factor = np.array([1 - constraints.derate, 1 + constraints.derate])
        self.delay *= factor[:, None]
        self.tags = self._all_tags()
        self.clock: dict[tuple[int, int], Array] = {}
        for number in range(len(constraints.clocks)):
            for edge in (0, 1):
                self.clock[number, edge] = np.array([self._clock_arrivals(m, number, edge) for m in (EARLY, LATE)])

    @functools.cached_property
    def data(self) -> dict[Tag, Array]:
        """Arrivals by where paths begin; not wanted where the ports alone are looked at."""
        return {tag: np.array([self._data_arrivals(m, tag) for m in (EARLY, LATE)]) for tag in self.tags}

    # -- electrical

    def _load_nets(self, wires: Wires) -> None:
        graph = self.graph
        capacitance: dict[Terminal, tuple[float, float]] = {}
        for instance, pin in graph.pins:
            if instance:
                capacitance[instance, pin] = graph.library[graph.netlist.cells[instance]].pins[pin].capacitance
        for port in graph.outputs:
            capacitance["", port] = (self.constraints.output_load,) * 2
        loads, delays = wires.solve(capacitance)
        for net, drivers in graph.drivers.items():
            values = loads.get(net)
            if values is None:
                ends = [*drivers, *graph.sinks.get(net, ())]
                values = np.array([capacitance.get(graph.pins[p], (0.0, 0.0)) for p in ends]).sum(axis=0)
            for driver in drivers:
                self.load[2 * driver : 2 * driver + 2] = values
        for number, terminal in enumerate(graph.pins):
            if terminal in delays:
                self.wire_delay[2 * number : 2 * number + 2] = delays[terminal]

    def _drive_inputs(self) -> None:
        """Slews at the inputs, and what the cells in front of them take beyond their unloaded delay."""
        graph, constraints = self.graph, self.constraints
        clocks = set(constraints.clocks)
        for port in graph.inputs:
            driver = (constraints.clock_driver or constraints.driver) if port in clocks else constraints.driver
            for transition in (0, 1):
                node = graph.node("", port, transition)
                if self._input_slew is None:
                    delay, slew = self._driven_by(driver, transition, float(self.load[node]))
                else:
                    delay, slew = 0.0, self._input_slew
                for mode in (EARLY, LATE):
                    self.slew[mode, node] = slew
                    self._start[mode][node] = delay

    def _driven_by(self, driver: tuple[str, str] | None, transition: int, load: float) -> tuple[float, float]:
        if driver is None:
            return 0.0, 0.0
        name, pin = driver
        library, tables = self.graph.library, self.graph.tables
        if name not in library or pin not in library[name].pins:
            raise ProblemError(
                f"SYNTH_DRIVING_CELL names {name}/{pin}, which no Liberty file of this corner has: correct it."
            )
        arcs = library[name].pins[pin].arcs
        for arc in arcs:
            delay, slew = arc.delays[transition], arc.slews[transition]
            if delay is None:
                continue
            numbers = np.array([tables.add(delay), tables.add(delay)])
            loaded, unloaded = tables.evaluate(numbers, np.zeros(2), np.array([load, 0.0]))
            edge = 0.0
            if slew is not None:
                edge = float(tables.evaluate(np.array([tables.add(slew)]), np.zeros(1), np.array([load]))[0])
            return float(loaded - unloaded), edge
        return 0.0, 0.0

    def _group(self, level: slice) -> tuple[slice, Array, Array, Array, Array]:
        """Of a level: its edges, the starts of its targets, the targets, and which edges are wires and cells."""
        graph = self.graph
        target = graph.target[level]
        starts = np.flatnonzero(np.concatenate([[True], target[1:] != target[:-1]]))
        is_wire = graph.kind[level] == WIRE
        first = level.start
        return level, starts, target[starts], np.flatnonzero(is_wire) + first, np.flatnonzero(~is_wire) + first

    def _find_delays(self, mode: int) -> None:
        graph, slew, delay = self.graph, self.slew[mode], self.delay[mode]
        after = np.zeros(len(graph.source))
        pick = np.maximum if mode == LATE else np.minimum
        for level, starts, targets, wires, cells in self._groups:
            if len(wires):
                before = slew[graph.source[wires]]
                delay[wires] = self.wire_delay[graph.target[wires]]
                spread = self._slew_factor * delay[wires]
                after[wires] = np.where(
                    np.isfinite(before), np.hypot(np.where(np.isfinite(before), before, 0), spread), before
                )
            if len(cells):
                before = slew[graph.source[cells]]
                valid = np.isfinite(before)
                known = np.where(valid, before, 0.0)
                load = self.load[graph.target[cells]]
                delay[cells] = np.where(valid, graph.tables.evaluate(graph.delay_table[cells], known, load), 0.0)
                has_table = graph.slew_table[cells] >= 0
                table = np.where(has_table, graph.slew_table[cells], 0)
                found = np.where(has_table, graph.tables.evaluate(table, known, load), known)
                after[cells] = np.where(valid, found, before)
            slew[targets] = pick(slew[targets], pick.reduceat(after[level], starts))

    # -- arrivals

    def _all_tags(self) -> list[Tag]:
        count = len(self.constraints.clocks)
        tags = [Tag(clock, edge) for clock in range(count) for edge in (0, 1)]
        return [*tags, Tag(0, 0, from_inputs=True)]

    def start(self, mode: int, tag: Tag) -> dict[int, float]:
        """Nodes at which the paths of a tag begin, and when: clock ports, or inputs."""
        graph, clocks = self.graph, self.constraints.clocks
        begin = self._start[mode]
        if tag.from_inputs:
            ports = [port for port in graph.inputs if port not in set(clocks)]
            nodes = [graph.node("", port, t) for port in ports for t in (0, 1)]
            return {node: self.constraints.io_delay + begin[node] for node in nodes}
        node = graph.node("", clocks[tag.clock], tag.edge)
        return {node: tag.nominal(self.constraints.period) + begin[node]}

    def _clock_arrivals(self, mode: int, number: int, edge: int) -> Array:
        return self._propagate(mode, self.start(mode, Tag(number, edge)), None)

    def _data_arrivals(self, mode: int, tag: Tag) -> Array:
        launched = None if tag.from_inputs else self.clock[tag.clock, tag.edge][mode]
        return self._propagate(mode, self.start(mode, tag), launched)

    def _propagate(self, mode: int, start: Mapping[int, float], launched: Array | None) -> Array:
        """Arrivals from given nodes; registers pass nothing on, unless `launched` gives their clocks' arrivals."""
        graph, delay = self.graph, self.delay[mode]
        arrival = np.full(2 * len(graph.pins), NEVER[mode])
        for node, time in start.items():
            arrival[node] = time
        pick = np.maximum if mode == LATE else np.minimum
        for level, starts, targets, _, _ in self._groups:
            source = graph.source[level]
            times = arrival[source]
            launches = graph.kind[level] == LAUNCH
            if launches.any():
                times = np.where(launches, NEVER[mode] if launched is None else launched[source], times)
            arrival[targets] = pick(arrival[targets], pick.reduceat(times + delay[level], starts))
        return arrival

    def launched(self, mode: int, tag: Tag) -> Array:
        """Arrivals of what registers launch at an edge of a clock, and of nothing else."""
        return self._propagate(mode, {}, self.clock[tag.clock, tag.edge][mode])

    def arrivals_from(self, mode: int, nodes: list[int]) -> Array:
        """Delays from each of some nodes (columns) to all nodes (rows) through no register, ns."""
        graph = self.graph
        arrival = np.full((2 * len(graph.pins), len(nodes)), NEVER[mode])
        arrival[nodes, np.arange(len(nodes))] = 0.0
        pick = np.maximum if mode == LATE else np.minimum
        for level, starts, targets, _, _ in self._groups:
            onward = np.where(graph.kind[level] == LAUNCH, NEVER[mode], self.delay[mode, level])
            times = arrival[graph.source[level]] + onward[:, None]
            arrival[targets] = pick(arrival[targets], pick.reduceat(times, starts, axis=0))
        return arrival

    def causes(self, node: int) -> Array:
        """Edges into a node."""
        graph = self.graph
        return graph.into[graph.into_start[node] : graph.into_start[node + 1]]
