"""Slacks at the ends of paths, and the paths behind them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.timing.analysis import EARLY, LATE, Tag
from a6hub_jupyter.express.timing.graph import LAUNCH

if TYPE_CHECKING:
    from a6hub_jupyter.express.timing.analysis import Analysis

    Array = np.ndarray[Any, Any]

SETUP_KINDS = ("setup", "recovery")


@dataclass(frozen=True)
class End:
    """A path's end: slack in ns, its data node, the tag it began with, and what captures it.

    `clock_node` is None at output ports; `margin` is the setup or hold time, or the outside delay of an output;
    `edge` is when the capturing edge leaves its source, `latency` how long it takes to the register.
    """

    slack: float
    node: int
    tag: Tag
    kind: str
    arrival: float
    required: float
    edge: float
    latency: float
    margin: float
    clock_node: int | None
    capture: Tag | None


@dataclass
class Ends:
    """The worst end at each endpoint pin, worst first; and pins that no constraint reaches."""

    ends: list[End] = field(default_factory=list)
    unconstrained: list[int] = field(default_factory=list)

    @property
    def worst(self) -> float:
        """Worst slack, ns; infinite when there is no path."""
        return self.ends[0].slack if self.ends else math.inf

    @property
    def total_negative(self) -> float:
        """Sum of the negative slacks, one of each endpoint, ns."""
        return sum(min(end.slack, 0.0) for end in self.ends)

    def violations(self) -> list[End]:
        """Ends with negative slack."""
        return [end for end in self.ends if end.slack < 0]


class Slacks:
    """Setup and hold ends of an analysis. Paths between different clocks have none."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._all: dict[int, list[End]] = {LATE: [], EARLY: []}
        self._check_registers()
        self._check_outputs()
        self.setup, self.hold = self._collect(LATE), self._collect(EARLY)
        self.setup_between_registers = self._collect(LATE, between_registers=True)
        self.hold_between_registers = self._collect(EARLY, between_registers=True)

    def _captures(self, launch: Tag, capture: Tag) -> tuple[float, float]:
        """The capturing edge for setup, the first after the launch; and for hold, one period before."""
        period = self.analysis.constraints.period
        begin, end = launch.nominal(period), capture.nominal(period)
        while end <= begin + 1e-9:
            end += period
        return end, end - period

    def _check_registers(self) -> None:
        analysis = self.analysis
        graph, constraints = analysis.graph, analysis.constraints
        checks = graph.checks
        if not len(checks.data):
            return
        is_setup = np.array([kind in SETUP_KINDS for kind in checks.kind])
        for mode in (LATE, EARLY):
            other = EARLY if mode == LATE else LATE
            chosen = np.flatnonzero(is_setup if mode == LATE else ~is_setup)
            data, clock = checks.data[chosen], checks.clock[chosen]
            clock_slew, data_slew = analysis.slew[other, clock], analysis.slew[mode, data]
            known = np.isfinite(clock_slew) & np.isfinite(data_slew)
            margins = graph.tables.evaluate(
                checks.table[chosen], np.where(known, clock_slew, 0.0), np.where(known, data_slew, 0.0)
            )
            for tag in analysis.tags:
                for (number, edge), clocks in analysis.clock.items():
                    if number != tag.clock:
                        continue
                    capture = Tag(number, edge)
                    nominal = capture.nominal(constraints.period)
                    setup_edge, hold_edge = self._captures(tag, capture)
                    at = setup_edge if mode == LATE else hold_edge
                    arrival, latency = analysis.data[tag][mode, data], clocks[other, clock] - nominal
                    for k in np.flatnonzero(np.isfinite(arrival) & np.isfinite(latency) & known).tolist():
                        sign = -1 if mode == LATE else 1
                        required = at + float(latency[k]) + sign * (constraints.uncertainty + float(margins[k]))
                        slack = required - float(arrival[k]) if mode == LATE else float(arrival[k]) - required
                        self._all[mode].append(
                            End(
                                slack, int(data[k]), tag, checks.kind[chosen[k]], float(arrival[k]), required, at,
                                float(latency[k]), float(margins[k]), int(clock[k]), capture,
                            )
                        )  # fmt: skip

    def _check_outputs(self) -> None:
        analysis = self.analysis
        graph, constraints = analysis.graph, analysis.constraints
        for port in graph.outputs:
            for transition in (0, 1):
                node = graph.node("", port, transition)
                for tag in analysis.tags:
                    if tag.clock != 0:
                        continue
                    setup_edge, hold_edge = self._captures(tag, Tag(0, 0))
                    for mode, at, sign in ((LATE, setup_edge, -1), (EARLY, hold_edge, 1)):
                        arrival = float(analysis.data[tag][mode, node])
                        if not math.isfinite(arrival):
                            continue
                        required = at - constraints.io_delay + sign * constraints.uncertainty
                        slack = required - arrival if mode == LATE else arrival - required
                        end = End(
                            slack, node, tag, "output", arrival, required, at, 0.0, constraints.io_delay, None, None
                        )
                        self._all[mode].append(end)

    def _endpoints(self) -> set[int]:
        graph = self.analysis.graph
        found = {graph.index["", port] for port in graph.outputs}
        for node, kind in zip(graph.checks.data.tolist(), graph.checks.kind, strict=True):
            if kind == "setup":
                found.add(node >> 1)
        return found

    def _collect(self, mode: int, *, between_registers: bool = False) -> Ends:
        worst: dict[int, End] = {}
        for end in self._all[mode]:
            if between_registers and (end.tag.from_inputs or end.clock_node is None):
                continue
            pin = end.node >> 1
            if pin not in worst or end.slack < worst[pin].slack:
                worst[pin] = end
        ends = sorted(worst.values(), key=lambda e: (e.slack, e.node))
        return Ends(ends, sorted(self._endpoints() - set(worst)))

    def pin_slacks(self) -> Array:
        """Setup slack through each node, ns; infinite where no constrained path goes through."""
        analysis = self.analysis
        by_tag: dict[Tag, dict[int, float]] = defaultdict(dict)
        for end in self._all[LATE]:
            ends = by_tag[end.tag]
            ends[end.node] = min(ends.get(end.node, math.inf), end.required)
        slack = np.full(2 * len(analysis.graph.pins), np.inf)
        for tag, ends in by_tag.items():
            arrival = analysis.data[tag][LATE]
            through = analysis.required(ends) - np.where(np.isfinite(arrival), arrival, -np.inf)
            slack = np.minimum(slack, through)
        return slack

    # -- paths

    def launch_path(self, mode: int, end: End) -> tuple[list[int], list[int]]:
        """Nodes of the clock's way to the launching register, and of the data's way from there to the end."""
        analysis = self.analysis
        arrivals = analysis.data[end.tag][mode]
        start = analysis.start(mode, end.tag)
        path, node = [end.node], end.node
        while True:
            edge = self._cause(mode, node, arrivals, start, end.tag)
            if edge is None:
                return [], path[::-1]
            node = int(analysis.graph.source[edge])
            if analysis.graph.kind[edge] == LAUNCH:
                return self.clock_path(mode, end.tag, node), path[::-1]
            path.append(node)

    def clock_path(self, mode: int, tag: Tag, node: int) -> list[int]:
        """Nodes from a clock's port to a clock pin."""
        arrivals = self.analysis.clock[tag.clock, tag.edge][mode]
        start = self.analysis.start(mode, tag)
        path = [node]
        while (edge := self._cause(mode, node, arrivals, start, None)) is not None:
            node = int(self.analysis.graph.source[edge])
            path.append(node)
        return path[::-1]

    def _cause(self, mode: int, node: int, arrivals: Array, start: dict[int, float], tag: Tag | None) -> int | None:
        """The edge that set a node's arrival; None where the path begins. `tag`: registers may have launched it."""
        analysis = self.analysis
        graph = analysis.graph
        edges = analysis.causes(node)
        times = arrivals[graph.source[edges]]
        launches = graph.kind[edges] == LAUNCH
        if launches.any():
            none = -np.inf if mode == LATE else np.inf
            launched = none
            if tag is not None and not tag.from_inputs:
                launched = analysis.clock[tag.clock, tag.edge][mode][graph.source[edges]]
            times = np.where(launches, launched, times)
        times = times + analysis.delay[mode][edges]
        if not len(times) or not np.isfinite(times).any():
            return None
        best = int(np.argmax(times) if mode == LATE else np.argmin(times))
        if node in start and not (times[best] > start[node] if mode == LATE else times[best] < start[node]):
            return None
        return int(edges[best])

    # -- summaries

    def shortest_period(self) -> float | None:
        """The least period at which all paths between registers would meet setup, ns; None without such paths.

        A path that has part of a period for itself (to the other edge) counts for a whole one.
        """
        analysis = self.analysis
        period = analysis.constraints.period
        needed = [
            period * (1 - end.slack / (end.edge - end.tag.nominal(period))) for end in self.setup_between_registers.ends
        ]
        return max(needed, default=None)

    def latencies(self, mode: int) -> dict[tuple[int, int], dict[int, float]]:
        """Per clock edge, the latency at each register's clock node, ns."""
        analysis = self.analysis
        period = analysis.constraints.period
        nodes = np.unique(analysis.graph.checks.clock)
        result: dict[tuple[int, int], dict[int, float]] = {}
        for (number, edge), arrivals in analysis.clock.items():
            times = arrivals[mode, nodes] - Tag(number, edge).nominal(period)
            found = {int(n): float(t) for n, t in zip(nodes, times, strict=True) if math.isfinite(t)}
            if found:
                result[number, edge] = found
        return result

    def skew(self, mode: int) -> float:
        """The largest difference of latency between registers of one clock edge, ns."""
        return max((max(at.values()) - min(at.values()) for at in self.latencies(mode).values()), default=0.0)
