"""Cells as timing sees them: pins with capacitance and limits, delay arcs, setup and hold checks.

Units: ns, pF, kOhm. Transitions are numbered 0 (rise) and 1 (fall) everywhere in this room.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.timing.unateness import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

STRENGTH = re.compile(r"_\d+$")


@dataclass(frozen=True)
class Table:
    """Values over (rows, columns): (input slew, load) for delays, (related slew, constrained slew) for checks."""

    rows: Array
    columns: Array
    values: Array


@dataclass
class Arc:
    """Delay from `related` to an output pin. `delays[t]` and `slews[t]` are for output transition t, or None."""

    related: str
    kind: str
    sense: str
    delays: list[Table | None]
    slews: list[Table | None]

    def causes(self, output: int) -> tuple[int, ...]:
        """Transitions of the related pin that make the output rise (0) or fall (1)."""
        if self.kind in ("rising_edge", "falling_edge"):
            return (0,) if self.kind == "rising_edge" else (1,)
        if self.sense == POSITIVE:
            return (output,)
        return (1 - output,) if self.sense == NEGATIVE else (0, 1)


@dataclass
class Check:
    """A constraint of a pin against the `edge` (0 rise, 1 fall) of `related`; margins by data transition."""

    related: str
    kind: str
    edge: int
    margins: list[Table | None]


@dataclass
class Pin:
    """A pin; capacitance in pF for (rise, fall), limits in ns, pF and loads."""

    name: str
    direction: str
    capacitance: tuple[float, float] = (0.0, 0.0)
    function: str = ""
    is_clock: bool = False
    max_transition: float | None = None
    max_capacitance: float | None = None
    max_fanout: float | None = None
    arcs: list[Arc] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


@dataclass
class Cell:
    """A cell; `storage` is "ff", "latch" or empty; area in um2."""

    name: str
    area: float
    storage: str
    pins: dict[str, Pin]
    state: tuple[tuple[str, str], ...] = ()
    is_clock_gate: bool = False
    unfit: bool = False
    """Liberty's dont_use or dont_touch."""

    def outputs(self) -> list[Pin]:
        """Output pins."""
        return [pin for pin in self.pins.values() if pin.direction == "output"]

    def inputs(self) -> list[Pin]:
        """Input pins."""
        return [pin for pin in self.pins.values() if pin.direction == "input"]

    def family(self) -> tuple[object, ...]:
        """What cells of the same function and the same name but for the drive strength have in common."""
        pins = tuple(sorted((p.name, p.direction, p.function) for p in self.pins.values()))
        return STRENGTH.sub("", self.name), pins, self.state

    def drive(self) -> float:
        """The largest load that the weakest output may have, pF: how cells of a family are ordered."""
        return min((pin.max_capacitance or 0.0 for pin in self.outputs()), default=0.0)
