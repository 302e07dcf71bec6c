"""Reports in the style of OpenSTA and of LibreLane's summary, each with what it is in its first lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from a6hub_jupyter.express.timing.analysis import EARLY, LATE, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from a6hub_jupyter.express.timing.limits import Limits, Violation
    from a6hub_jupyter.express.timing.slacks import End, Slacks

BAR = "=" * 76
RULE = "-" * 84
ARROWS = ("^", "v")
SHOWN = 20
CHECKS = {"setup": "setup", "hold": "hold", "recovery": "recovery", "removal": "removal"}


def title(what: str, notes: Sequence[str]) -> Iterator[str]:
    """What a report is, and that it is an estimate."""
    yield BAR
    yield f"TIMING ESTIMATE, not a sign-off: {what}"
    yield BAR
    yield from notes
    yield ""


def _line(fanout: str, load: str, slew: str, delay: float | None, time: float, text: str) -> str:
    shown = "" if delay is None else f"{delay:.4f}"
    return f"{fanout:>6} {load:>9} {slew:>9} {shown:>9} {time:>9.4f} {text}".rstrip()


class PathReport:
    """One path as text."""

    def __init__(self, slacks: Slacks, mode: int, end: End) -> None:
        self._slacks = slacks
        self._graph = slacks.analysis.graph
        self._mode = mode
        self._end = end

    def lines(self) -> Iterator[str]:
        """The path from the launching to the capturing clock edge."""
        end, analysis = self._end, self._slacks.analysis
        period = analysis.constraints.period
        clock_nodes, data_nodes = self._slacks.launch_path(self._mode, end)
        first, last = data_nodes[0] >> 1, end.node >> 1
        start = clock_nodes[-1] >> 1 if clock_nodes else first
        yield f"Startpoint: {self._name(start)} ({self._kind_of_start(start)} clocked by {self._clock(end.tag)})"
        yield f"Endpoint: {self._name(last)} ({self._kind_of_end()} clocked by {self._clock(end.capture or Tag(0, 0))})"
        yield f"Path Type: {'max' if self._mode == LATE else 'min'}"
        yield ""
        yield "Fanout       Cap      Slew     Delay      Time   Description"
        yield RULE
        nominal = end.tag.nominal(period)
        yield _line("", "", "", nominal, nominal, f"  clock {self._clock(end.tag)} ({self._edge(end.tag)} edge)")
        before = nominal
        if clock_nodes:
            clock = analysis.clock[end.tag.clock, end.tag.edge][self._mode]
            for node in clock_nodes:
                yield self._step(node, before, float(clock[node]))
                before = float(clock[node])
        elif end.tag.from_inputs:
            before = analysis.constraints.io_delay
            yield _line("", "", "", before, before, "  input external delay")
        arrivals = analysis.data[end.tag][self._mode]
        for node in data_nodes:
            yield self._step(node, before, float(arrivals[node]))
            before = float(arrivals[node])
        yield _line("", "", "", None, end.arrival, "  data arrival time")
        yield ""
        yield from self._required()
        yield RULE
        yield _line("", "", "", None, end.required, "  data required time")
        yield _line("", "", "", None, -end.arrival, "  data arrival time")
        yield RULE
        yield _line("", "", "", None, end.slack, f"  slack ({'MET' if end.slack >= 0 else 'VIOLATED'})")
        yield ""

    def _required(self) -> Iterator[str]:
        end, analysis = self._end, self._slacks.analysis
        capture = end.capture or Tag(0, 0)
        sign = -1 if self._mode == LATE else 1
        yield _line("", "", "", end.edge, end.edge, f"  clock {self._clock(capture)} ({self._edge(capture)} edge)")
        time = end.edge
        if end.clock_node is not None:
            other = EARLY if self._mode == LATE else LATE
            arrivals = analysis.clock[capture.clock, capture.edge][other]
            shift = end.edge - capture.nominal(analysis.constraints.period)
            for node in self._slacks.clock_path(other, capture, end.clock_node):
                yield self._step(node, time, float(arrivals[node]) + shift)
                time = float(arrivals[node]) + shift
        uncertainty = sign * analysis.constraints.uncertainty
        time += uncertainty
        yield _line("", "", "", uncertainty, time, "  clock uncertainty")
        if end.clock_node is None:
            yield _line("", "", "", -end.margin, time - end.margin, "  output external delay")
        else:
            margin = sign * end.margin
            yield _line("", "", "", margin, time + margin, f"  library {CHECKS[end.kind]} time")
        yield _line("", "", "", None, end.required, "  data required time")

    def _step(self, node: int, before: float, time: float) -> str:
        analysis, graph = self._slacks.analysis, self._graph
        pin = node >> 1
        fanout = load = ""
        if graph.drives(*graph.pins[pin]):
            fanout = str(len(graph.sinks.get(graph.net_of[pin], ())))
            load = f"{analysis.load[node]:.4f}"
        slew = f"{analysis.slew[self._mode, node]:.4f}"
        cell = graph.cell_of(pin) or ("in" if graph.drives(*graph.pins[pin]) else "out")
        return _line(fanout, load, slew, time - before, time, f"{ARROWS[node & 1]} {self._name(pin)} ({cell})")

    def _name(self, pin: int) -> str:
        instance, name = self._graph.pins[pin]
        return f"{instance}/{name}" if instance else name

    def _clock(self, tag: Tag) -> str:
        clocks = self._slacks.analysis.constraints.clocks
        return clocks[tag.clock] if clocks else "__VIRTUAL_CLK__"

    @staticmethod
    def _edge(tag: Tag) -> str:
        return "fall" if tag.edge else "rise"

    def _kind_of_start(self, pin: int) -> str:
        return "input port" if not self._graph.pins[pin][0] else "register"

    def _kind_of_end(self) -> str:
        return "output port" if self._end.clock_node is None else f"{CHECKS[self._end.kind]} check of a register"


def paths(slacks: Slacks, mode: int, count: int, notes: Sequence[str]) -> Iterator[str]:
    """The worst paths, one of each endpoint."""
    ends = slacks.setup if mode == LATE else slacks.hold
    what = "report_checks -path_delay max (Setup)" if mode == LATE else "report_checks -path_delay min (Hold)"
    yield from title(what, notes)
    if not ends.ends:
        yield "No constrained paths."
    for end in ends.ends[:count]:
        yield from PathReport(slacks, mode, end).lines()


def checks(slacks: Slacks, limits: Limits, notes: Sequence[str]) -> Iterator[str]:
    """Limits broken, endpoints without constraints, loops, clocks."""
    yield from title("limits, unconstrained endpoints, clocks", notes)
    graph = slacks.analysis.graph
    for name, unit, found in (
        ("max slew", "ns", limits.slew),
        ("max capacitance", "pF", limits.capacitance),
        ("max fanout", "loads", limits.fanout),
    ):
        yield f"{name} violation count {len(found)}"
        yield from _violations(found, unit)
    unconstrained = slacks.setup.unconstrained
    yield f"unconstrained endpoints {len(unconstrained)}"
    for pin in unconstrained[:SHOWN]:
        instance, name = graph.pins[pin]
        yield f"  {instance}/{name}" if instance else f"  {name}"
    yield f"combinational loops {len(graph.loops)}"
    yield from (f"  {loop}" for loop in graph.loops)
    for (number, edge), at in slacks.latencies(LATE).items():
        clock = slacks.analysis.constraints.clocks[number]
        least, most = min(at, key=lambda n: at[n]), max(at, key=lambda n: at[n])
        yield f"Clock {clock}, {'falling' if edge else 'rising'} edge at the source: {len(at)} registers"
        for word, node in (("longest", most), ("shortest", least)):
            instance, name = graph.pins[node >> 1]
            yield f"  {word} latency {at[node]:.4f} ns at {instance}/{name}"
        yield f"  skew {at[most] - at[least]:.4f} ns"


def _violations(found: list[Violation], unit: str) -> Iterator[str]:
    for violation in found[:SHOWN]:
        yield f"  {violation.pin}: {violation.value:.4g} {unit}, limit {violation.limit:.4g} {unit}"
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN} more"


COLUMNS = (
    ("Hold Worst Slack", "timing__hold__ws"),
    ("Reg to Reg Paths", "timing__hold_r2r__ws"),
    ("Hold TNS", "timing__hold__tns"),
    ("Hold Vio Count", "timing__hold_vio__count"),
    ("of which reg to reg", "timing__hold_r2r_vio__count"),
    ("Setup Worst Slack", "timing__setup__ws"),
    ("Reg to Reg Paths", "timing__setup_r2r__ws"),
    ("Setup TNS", "timing__setup__tns"),
    ("Setup Vio Count", "timing__setup_vio__count"),
    ("of which reg to reg", "timing__setup_r2r_vio__count"),
    ("Max Cap Violations", "design__max_cap_violation__count"),
    ("Max Slew Violations", "design__max_slew_violation__count"),
)


def summary(rows: Mapping[str, Mapping[str, float]], notes: Sequence[str]) -> Iterator[str]:
    """A table like LibreLane's own: a row for each corner, `Overall` first."""
    yield from title("summary of all corners (ns)", notes)
    width = max(len(name) for name in rows)
    heads = [head for head, _ in COLUMNS]
    yield " | ".join([" " * width, *heads])
    yield "-|-".join(["-" * width, *("-" * len(head) for head in heads)])
    for name, metrics in rows.items():
        cells = []
        for head, metric in COLUMNS:
            value = metrics.get(metric)
            shown = "N/A" if value is None or math.isinf(value) else f"{value:.4f}"
            cells.append(f"{int(value) if metric.endswith('count') and value is not None else shown:>{len(head)}}")
        yield " | ".join([f"{name:<{width}}", *cells])
