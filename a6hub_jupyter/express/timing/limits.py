"""Limits of slew, load and fan-out: where the design breaks those of the libraries and of the constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from a6hub_jupyter.express.timing.analysis import LATE

if TYPE_CHECKING:
    from a6hub_jupyter.express.timing.analysis import Analysis


@dataclass(frozen=True)
class Violation:
    """A pin over its limit: ns, pF or loads."""

    pin: str
    value: float
    limit: float


@dataclass(frozen=True)
class Limits:
    """Violations by kind, the worst first."""

    slew: list[Violation]
    capacitance: list[Violation]
    fanout: list[Violation]


def least(*limits: float | None) -> float | None:
    """The tightest of some limits; None when there is none."""
    return min((limit for limit in limits if limit is not None), default=None)


def check(analysis: Analysis) -> Limits:
    """All violations; each pin counts once, by its worse transition."""
    graph, constraints = analysis.graph, analysis.constraints
    slew, capacitance, fanout = [], [], []
    for number, (instance, name) in enumerate(graph.pins):
        nodes = slice(2 * number, 2 * number + 2)
        shown = f"{instance}/{name}" if instance else name
        pin = graph.library[graph.netlist.cells[instance]].pins[name] if instance else None
        most = least(pin.max_transition if pin else None, constraints.max_transition)
        slews = analysis.slew[LATE, nodes]
        worst = float(slews[np.isfinite(slews)].max(initial=0.0))
        if most is not None and worst > most + 1e-9:
            slew.append(Violation(shown, worst, most))
        if not graph.drives(instance, name):
            continue
        load = float(analysis.load[nodes].max())
        most = least(pin.max_capacitance if pin else None, constraints.max_capacitance)
        if most is not None and load > most + 1e-9:
            capacitance.append(Violation(shown, load, most))
        loads = len(graph.sinks.get(graph.net_of[number], ()))
        most = least(pin.max_fanout if pin else None, constraints.max_fanout)
        if most is not None and loads > most:
            fanout.append(Violation(shown, loads, most))

    def worst_first(found: list[Violation]) -> list[Violation]:
        return sorted(found, key=lambda v: (v.limit - v.value, v.pin))

    return Limits(worst_first(slew), worst_first(capacitance), worst_first(fanout))
