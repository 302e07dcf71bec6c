"""Express.TimingEstimate: slacks of the routed design, in every corner. An estimate, no sign-off.

python -m a6hub_jupyter.express.timingestimate job.json
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.timing import defnets, limits, report, spef
from a6hub_jupyter.express.timing.analysis import EARLY, LATE
from a6hub_jupyter.express.timing.pinmap import PinMap
from a6hub_jupyter.express.timing.timer import Timer, timers

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.timing.limits import Limits
    from a6hub_jupyter.express.timing.slacks import Ends, Slacks

SHOWN_LOOPS = 5


def corner_metrics(slacks: Slacks, broken: Limits) -> dict[str, float]:
    """Metrics of one corner under LibreLane's names, without the corner; ns. Slack metrics need paths."""
    found: dict[str, float] = {}
    for word, all_ends, register_ends in (
        ("setup", slacks.setup, slacks.setup_between_registers),
        ("hold", slacks.hold, slacks.hold_between_registers),
    ):
        found |= _slack_metrics(word, all_ends, register_ends)
    # LibreLane's conventions: the worst setup skew is the least, the worst hold skew the greatest
    found["clock__skew__worst_setup"] = -slacks.skew(LATE)
    found["clock__skew__worst_hold"] = slacks.skew(EARLY)
    found["design__max_slew_violation__count"] = len(broken.slew)
    found["design__max_cap_violation__count"] = len(broken.capacitance)
    found["design__max_fanout_violation__count"] = len(broken.fanout)
    return found


def _slack_metrics(word: str, all_ends: Ends, register_ends: Ends) -> dict[str, float]:
    found: dict[str, float] = {}
    if not math.isinf(all_ends.worst):
        found[f"timing__{word}__ws"] = all_ends.worst
    if not math.isinf(register_ends.worst):
        found[f"timing__{word}_r2r__ws"] = register_ends.worst
    found[f"timing__{word}__wns"] = min(all_ends.worst, 0.0)
    found[f"timing__{word}__tns"] = all_ends.total_negative
    found[f"timing__{word}_vio__count"] = len(all_ends.violations())
    found[f"timing__{word}_r2r_vio__count"] = len(register_ends.violations())
    return found


def notes_of(timer: Timer) -> list[str]:
    """What a report rests on, one line each."""
    library = timer.library
    constraints = timer.constraints
    clocks = ", ".join(constraints.clocks) or "none: inputs and outputs refer to a virtual clock"
    return [
        f"Corner: {timer.corner.name}. Liberty: {', '.join(library.described())}.",
        *(f"Resistance and capacitance of {source}." for source in timer.rules.sources),
        f"Clock: {clocks}; period {constraints.period:g} ns, input and output delay {constraints.io_delay:g} ns,",
        f"uncertainty {constraints.uncertainty:g} ns, derating {constraints.derate * 100:g} %.",
        "Elmore delays of the routed wires; no coupling, no credit for common clock paths, no clock gating checks.",
    ]


def estimate(job: Job) -> Metrics:
    """Analyse all corners and write their reports; metrics in ns."""
    technology = Technology.of(job)
    database = Database.load_placed(job.given("database"))
    pins = PinMap(database, technology.lef.macros)
    routed = defnets.read(Path(job.given("placement")).read_text())
    rows: dict[str, dict[str, float]] = {}
    metrics: Metrics = {}
    notes: list[str] = []
    count = int(job.timing["worst_paths"])
    for number, timer in enumerate(timers(job.timing, technology)):
        trees, unrouted, opens = timer.routed(pins, routed)
        slacks = timer.analyse(database, trees)
        broken = limits.check(slacks.analysis)
        notes = notes_of(timer)
        name = timer.corner.name
        directory = job.output(name)
        directory.mkdir(exist_ok=True)
        graph = slacks.analysis.graph
        for file, lines in (
            ("max.rpt", report.paths(slacks, LATE, count, notes)),
            ("min.rpt", report.paths(slacks, EARLY, count, notes)),
            ("checks.rpt", report.checks(slacks, broken, notes)),
            (f"{job.top}.spef", spef.lines(job.top, trees, graph)),
            (f"{job.top}__{name}.lib", timer.model(database, graph, trees).lines(f"{job.top}__{name}")),
        ):
            (directory / file).write_text("\n".join(lines) + "\n")
        rows[name] = corner_metrics(slacks, broken)
        if number == 0:
            job.output(f"{job.top}.sdc").write_text("\n".join(timer.constraints.sdc()) + "\n")
            _say_what_is_missing(slacks, unrouted, opens)
            metrics |= _of_default_corner(slacks)
        print(_sentence(name, rows[name], slacks))
        metrics |= {f"{key}__corner:{name}": _value(value) for key, value in rows[name].items()}
    overall = {key: _overall(key, [row[key] for row in rows.values() if key in row]) for key in _keys(rows)}
    summary = report.summary({"Overall": overall, **rows}, notes[1:])
    job.output("summary.rpt").write_text("\n".join(summary) + "\n")
    return metrics


def _keys(rows: dict[str, dict[str, float]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows.values() for key in row))


def _overall(key: str, values: list[float]) -> float:
    """The worst over the corners, as LibreLane aggregates: counts of slack violations add up."""
    if "_vio__count" in key:
        return sum(values)
    return min(values) if key.endswith(("ws", "wns", "tns", "setup")) else max(values)


def _value(value: float) -> float:
    return value if isinstance(value, int) else round(value, 6)


def _of_default_corner(slacks: Slacks) -> Metrics:
    """What LibreLane has no metric for: that this is an estimate, and of the default corner the least period."""
    found: Metrics = {
        "timing__estimated": 1,
        "timing__unconstrained_endpoint__count": len(slacks.setup.unconstrained),
        "timing__combinational_loop__count": len(slacks.analysis.graph.loops),
    }
    period = slacks.shortest_period()
    if period is not None and period > 0:
        found["timing__min_period__estimated"] = round(period, 6)
        found["timing__fmax__estimated"] = round(1000 / period, 3)
    return found


def _sentence(name: str, row: dict[str, float], slacks: Slacks) -> str:
    def shown(key: str) -> str:
        return f"{row[key]:.3f} ns" if key in row else "none (no paths)"

    period = slacks.shortest_period()
    speed = f", at most {1000 / period:.0f} MHz between registers" if period else ""
    return (
        f"Timing ESTIMATE, corner {name}: worst setup slack {shown('timing__setup__ws')}, worst hold slack "
        f"{shown('timing__hold__ws')}, skew {slacks.skew(LATE):.3f} ns{speed}; limits broken: "
        f"{row['design__max_slew_violation__count']} slew, {row['design__max_cap_violation__count']} load."
    )


def _say_what_is_missing(slacks: Slacks, unrouted: list[str], opens: int) -> None:
    """Sentences about what the estimate leaves out."""
    graph = slacks.analysis.graph
    for loop in graph.loops[:SHOWN_LOOPS]:
        print(f"WARNING: {loop}")
    if graph.unknown:
        print(f"WARNING: no Liberty model of {', '.join(graph.unknown)}: no path through these cells is timed.")
    if unrouted:
        print(f"WARNING: {len(unrouted)} nets are not routed: their wires are estimated from the placement.")
    if opens:
        print(f"WARNING: the wires of some nets are in pieces ({opens} gaps): they are timed as if joined.")
    if slacks.setup.unconstrained:
        print(f"{len(slacks.setup.unconstrained)} endpoints have no constraint: see checks.rpt.")
    gates = [i for i, c in graph.netlist.cells.items() if c in graph.library and graph.library[c].is_clock_gate]
    if gates:
        print(f"{len(gates)} clock gates: their enable pins are checked, gating by plain logic is not.")
    if len(slacks.analysis.constraints.clocks) > 1:
        print("Several clocks, one period: paths from one clock to another are not timed.")


if __name__ == "__main__":
    run(estimate)
