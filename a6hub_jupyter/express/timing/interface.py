"""A block as the outside sees it: setup and hold at its inputs, delays and slews at its outputs.

All of it is read off analyses of the block with given slews at the inputs and loads at the outputs. Derating is in the
setup and hold times; it is taken out of the delays, for whoever uses the block derates those again. Recovery counts
as setup, removal as hold. Times in ns, loads in pF; transitions are 0 (rise) and 1 (fall).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.timing.analysis import EARLY, LATE, Analysis, Tag
from a6hub_jupyter.express.timing.graph import LAUNCH
from a6hub_jupyter.express.timing.limits import least
from a6hub_jupyter.express.timing.slacks import SETUP_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a6hub_jupyter.express.timing.constraints import Constraints
    from a6hub_jupyter.express.timing.graph import Graph
    from a6hub_jupyter.express.timing.wires import Wires

    Array = np.ndarray[Any, Any]

SLEWS = (0.01, 0.1, 0.5)
LOADS = (0.001, 0.02, 0.1)
AT_ONCE = 64
"""So many inputs are followed to the outputs in one pass."""


@dataclass(frozen=True)
class Margin:
    """Setup or hold of an input against an edge of a clock; tables (clock slew, data slew) by transition, or None."""

    port: str
    clock: str
    edge: int
    kind: str
    tables: list[Array | None]


@dataclass(frozen=True)
class Delay:
    """The way from an input to an output, the longest or the shortest, for the input's transition `cause`.

    `edge`: whether registers launch it; tables (input slew, load) by the output's transition, or None.
    """

    source: str
    target: str
    cause: int
    edge: bool
    mode: int
    delays: list[Array | None]
    slews: list[Array | None]


class Interface:
    """The ports of a block in one corner."""

    def __init__(self, graph: Graph, wires: Wires, constraints: Constraints, slew_factor: float) -> None:
        self.graph, self.constraints = graph, constraints
        self.slews = SLEWS
        self.loads = LOADS
        self._factors = 1 - constraints.derate, 1 + constraints.derate
        self._grid = [
            [
                Analysis(graph, wires, dataclasses.replace(constraints, output_load=load), slew_factor, slew)
                for load in self.loads
            ]
            for slew in self.slews
        ]
        self._clocked = [row[len(self.loads) // 2] for row in self._grid]
        self._out_edges = self._edges_by_source_level()

    def _edges_by_source_level(self) -> list[Array]:
        """Edges that lead data on, in groups by the level of their source, the last level first."""
        graph = self.graph
        onward = np.flatnonzero(graph.kind != LAUNCH)
        level = graph.level[graph.source[onward] >> 1]
        order = np.argsort(-level, kind="stable")
        cuts = np.flatnonzero(np.diff(level[order])) + 1
        return [onward[part] for part in np.split(order, cuts)] if len(order) else []

    # -- what a port is

    def capacitance(self, port: str) -> tuple[float, float]:
        """What an input's net loads its driver with when it rises and falls: pins and wires, pF."""
        node = self.graph.node("", port, 0)
        rise, fall = self._clocked[0].load[node : node + 2]
        return float(rise), float(fall)

    def most_slew(self, port: str) -> float | None:
        """The least of the limits of slew of the pins that an input leads to, ns."""
        net = self.graph.net_of[self.graph.index["", port]]
        return least(*(self._pin(number, "max_transition") for number in self.graph.sinks.get(net, ())))

    def most_load(self, port: str) -> float | None:
        """What may be added to an output, pF: the limit of its driver less what is on its net."""
        number = self.graph.index["", port]
        drivers = self.graph.drivers.get(self.graph.net_of[number], [])
        most = least(*(self._pin(driver, "max_capacitance") for driver in drivers))
        if most is None:
            return None
        inside = float(self._grid[0][0].load[2 * drivers[0] : 2 * drivers[0] + 2].max()) - self.loads[0]
        return max(most - inside, 0.0)

    def _pin(self, number: int, limit: str) -> float | None:
        instance, name = self.graph.pins[number]
        if not instance:
            return None
        found: float | None = getattr(self.graph.library[self.graph.netlist.cells[instance]].pins[name], limit)
        return found

    # -- inputs

    def margins(self) -> Iterator[Margin]:
        """Setup and hold of all inputs against each clock edge that captures what comes from them."""
        clocks = self.constraints.clocks
        for number, clock in enumerate(clocks):
            for edge in (0, 1):
                for kind in ("setup", "hold"):
                    needed = np.array([[self._needed(c, d, number, edge, kind) for d in self._clocked]
                                       for c in self._clocked])  # fmt: skip
                    for port in self.graph.inputs:
                        node = self.graph.node("", port, 0)
                        tables = [needed[:, :, node + t] for t in (0, 1)]
                        kept = [table if np.isfinite(table).all() else None for table in tables]
                        if port not in clocks and any(table is not None for table in kept):
                            yield Margin(port, clock, edge, kind, kept)

    def _needed(self, clocked: Analysis, driven: Analysis, number: int, edge: int, kind: str) -> Array:
        """By node: how long before (setup) or after (hold) the clock's edge at its port data must be there, ns.

        `clocked` is the analysis with the wanted slew of the clock, `driven` that with the wanted slew of the data.
        """
        graph, checks = self.graph, self.graph.checks
        mode = LATE if kind == "setup" else EARLY
        sign = 1 if kind == "setup" else -1
        needed = np.full(2 * len(graph.pins), -np.inf)
        chosen = np.flatnonzero(np.array([(k in SETUP_KINDS) == (kind == "setup") for k in checks.kind], bool))
        data, clock = checks.data[chosen], checks.clock[chosen]
        latency = clocked.clock[number, edge][1 - mode, clock] - Tag(number, edge).nominal(self.constraints.period)
        clock_slew, data_slew = clocked.slew[1 - mode, clock], driven.slew[mode, data]
        known = np.isfinite(latency) & np.isfinite(clock_slew) & np.isfinite(data_slew)
        tables = checks.table[chosen][known]
        if not len(tables):
            return needed
        margins = graph.tables.evaluate(tables, clock_slew[known], data_slew[known])
        np.maximum.at(needed, data[known], margins - sign * latency[known])
        delay = driven.delay[mode]
        for edges in self._out_edges:
            np.maximum.at(needed, graph.source[edges], needed[graph.target[edges]] + sign * delay[edges])
        return needed

    # -- outputs

    def delays(self) -> Iterator[Delay]:
        """From each clock to the outputs of its registers, and from inputs to outputs without registers between."""
        ends = np.array([self.graph.node("", port, t) for port in self.graph.outputs for t in (0, 1)], np.int64)
        for number, clock in enumerate(self.constraints.clocks):
            for edge in (0, 1):
                for mode in (LATE, EARLY):
                    nominal = Tag(number, edge).nominal(self.constraints.period)
                    found = [[a.launched(mode, Tag(number, edge))[ends] - nominal for a in row] for row in self._grid]
                    yield from self._to_outputs(np.array(found)[..., None], [(clock, edge)], mode, edge=True)
        starts = [(port, t) for port in self._leading_through() for t in (0, 1)]
        for first in range(0, len(starts), AT_ONCE):
            part = starts[first : first + AT_ONCE]
            nodes = [self.graph.node("", port, t) for port, t in part]
            for mode in (LATE, EARLY):
                found = [[a.arrivals_from(mode, nodes)[ends] for a in row] for row in self._grid]
                yield from self._to_outputs(np.array(found), part, mode, edge=False)

    def _leading_through(self) -> list[str]:
        """Inputs with a way to an output that no register interrupts."""
        graph = self.graph
        reaches = np.zeros(2 * len(graph.pins), bool)
        for port in graph.outputs:
            node = graph.node("", port, 0)
            reaches[node : node + 2] = True
        for edges in self._out_edges:
            np.logical_or.at(reaches, graph.source[edges], reaches[graph.target[edges]])
        return [port for port in graph.inputs if reaches[graph.node("", port, 0)] or reaches[graph.node("", port, 1)]]

    def _to_outputs(self, found: Array, starts: list[tuple[str, int]], mode: int, *, edge: bool) -> Iterator[Delay]:
        """`found`: arrivals by (input slew, load, output and transition, start)."""
        is_reached: Array = np.all(np.isfinite(found), axis=(0, 1))
        for number, port in enumerate(self.graph.outputs):
            first, node = 2 * number, self.graph.node("", port, 0)
            for column in np.flatnonzero(is_reached[first : first + 2].any(axis=0)).tolist():
                source, cause = starts[column]
                delays: list[Array | None] = [None, None]
                slews: list[Array | None] = [None, None]
                for t in (0, 1):
                    if is_reached[first + t, column]:
                        delays[t] = found[:, :, first + t, column] / self._factors[mode]
                        slews[t] = np.array([[a.slew[mode, node + t] for a in row] for row in self._grid])
                yield Delay(source, port, cause, edge, mode, delays, slews)
