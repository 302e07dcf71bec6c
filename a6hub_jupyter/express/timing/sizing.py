"""Which cells on paths that miss setup would gain from more drive.

A stronger cell is faster by itself and loads the cell before it more; both are looked up in the Liberty tables,
slews as they are. What remains unseen, the change of slews further on, shows in the next analysis.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from a6hub_jupyter.express.timing.analysis import LATE
from a6hub_jupyter.express.timing.drives import response

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from a6hub_jupyter.express.timing.cells import Cell
    from a6hub_jupyter.express.timing.drives import Choice
    from a6hub_jupyter.express.timing.slacks import End, Slacks

LEAST_GAIN = 0.001
"""A change must promise so much, ns."""


def _slowest(cell: Cell, source: str, target: str, transition: int, slew: float, load: float) -> float | None:
    """The largest delay of a cell from one pin to a transition of another, ns."""
    answers = [
        answer[0]
        for arc in cell.pins[target].arcs
        if arc.related == source and (answer := response(arc, transition, slew, load)) is not None
    ]
    return max(answers, default=None)


def sizes_for_setup(
    slacks: Slacks, choice: Choice, ends: list[End], margin: float, left_alone: AbstractSet[str]
) -> dict[str, str]:
    """A stronger cell for each instance on the paths to `ends` that gains by it; neighbours do not change together.

    `left_alone`: nets whose cells stay as they are.
    """
    analysis = slacks.analysis
    graph = analysis.graph
    changes: dict[str, str] = {}
    touched: set[str] = set()
    for end in ends:
        if end.slack >= margin:
            break
        clock, data = slacks.launch_path(LATE, end)
        path = [*clock[-1:], *data]
        for before, node in pairwise(path):
            instance, target = graph.pins[node >> 1]
            if not instance or graph.pins[before >> 1][0] != instance or instance in touched:
                continue
            source = graph.pins[before >> 1][1]
            best = _best(slacks, choice, (instance, source, target), before, node)
            net = graph.net_of[node >> 1]
            if best is None or net in left_alone:
                continue
            changes[instance] = best
            # neighbours wait for the next round: their gains would be counted on loads that have changed
            touched.add(instance)
            touched |= {graph.pins[p][0] for p in graph.drivers.get(graph.net_of[before >> 1], ())}
    return changes


def _best(slacks: Slacks, choice: Choice, way: tuple[str, str, str], before: int, node: int) -> str | None:
    """The strength with the largest gain over LEAST_GAIN; None when there is none."""
    analysis = slacks.analysis
    graph = analysis.graph
    instance, source, target = way
    cell = graph.library[graph.netlist.cells[instance]]
    slew, load = float(analysis.slew[LATE, before]), float(analysis.load[node])
    now = _slowest(cell, source, target, node & 1, slew, load)
    if now is None:
        return None
    best, gain = None, LEAST_GAIN
    for stronger in choice.stronger(cell.name):
        then = _slowest(stronger, source, target, node & 1, slew, load)
        if then is None:
            continue
        extra = stronger.pins[source].capacitance[before & 1] - cell.pins[source].capacitance[before & 1]
        gained = now - then - _slower_before(slacks, before, extra)
        if gained > gain:
            best, gain = stronger.name, gained
    return best


def _slower_before(slacks: Slacks, node: int, extra: float) -> float:
    """How much longer the driver of a node's net takes with `extra` pF on it, ns."""
    analysis = slacks.analysis
    graph = analysis.graph
    drivers = graph.drivers.get(graph.net_of[node >> 1], ())
    if not drivers or not graph.pins[drivers[0]][0]:
        return 0.0
    instance, target = graph.pins[drivers[0]]
    out = 2 * drivers[0] + (node & 1)
    worst = 0.0
    for edge in analysis.causes(out).tolist():
        cause = int(graph.source[edge])
        source = graph.pins[cause >> 1][1]
        slew, load = float(analysis.slew[LATE, cause]), float(analysis.load[out])
        cell = graph.library[graph.netlist.cells[instance]]
        now = _slowest(cell, source, target, out & 1, slew, load)
        then = _slowest(cell, source, target, out & 1, slew, load + extra)
        if now is not None and then is not None:
            worst = max(worst, then - now)
    return worst
