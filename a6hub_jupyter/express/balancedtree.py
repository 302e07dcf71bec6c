"""Balanced clock trees: the same number of levels above every register, and buffers chosen by load.

Sinks are halved by recursive bisection until each group is small enough; a level of buffers, one in the middle
of each group, then becomes the sinks of the next. A level takes the weakest buffer that is nearly as fast as any
for its heaviest group; groups with less to drive, or less delay below them, get weaker ones, so that all
registers are about as late as the latest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from a6hub_jupyter.express.buffering import Sink, groups
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.timing.drives import worst_response
from a6hub_jupyter.express.timing.placedtree import placed_tree

if TYPE_CHECKING:
    from a6hub_jupyter.express.buffering import TreeBuilder
    from a6hub_jupyter.express.timing.cells import Cell
    from a6hub_jupyter.express.timing.timer import Timer

TYPICAL_SLEW = 0.1
"""Slew at the inputs of clock buffers while they are chosen, ns."""
FEWEST_IN_GROUP = 2
NEARLY = 1.15
"""A buffer so many times slower than the fastest is still taken, for it is smaller."""
EVEN_SLEW = 1.1
SLEW_SHARE = 0.1
"""Of the period, for the slew of a clock, unless CTS_MAX_SLEW says."""


@dataclass(frozen=True)
class Load:
    """What a group is to its buffer: pF in all, the largest Elmore delay to a pin, and that to a register, ns."""

    capacitance: float
    delay: float
    below: float


class BalancedTree:
    """Grows the tree of one net at a time."""

    def __init__(
        self, builder: TreeBuilder, timer: Timer, buffers: list[str], settings: dict[str, float | None]
    ) -> None:
        self._builder = builder
        self._timer = timer
        library = timer.library
        for name in buffers:
            if name not in library:
                raise ProblemError(f"CTS_CLK_BUFFERS or CTS_ROOT_BUFFER names '{name}', which no Liberty file has.")
        self._buffers = sorted((library[name] for name in buffers), key=lambda c: (c.drive(), c.area, c.name))
        slew = settings.get("clock_max_slew")
        self._most_slew = slew or SLEW_SHARE * timer.constraints.period
        self._most_load = settings.get("clock_max_capacitance") or math.inf
        self._below: dict[tuple[str, str], float] = {}
        self.overloaded = 0
        """Buffers over a limit, though no stronger one is named."""

    def grow(self, net: str, fanout: int, prefix: str, cells: dict[str, str]) -> int:
        """Buffer `net` down to a single buffer; returns how many buffers it took. `cells` is the netlist's own."""
        drivers, sinks = self._builder.ends(net)
        level = count = 0
        while len(sinks) > 1:
            found, chosen = self._level(sinks, fanout, cells)
            tops = []
            for k, (group, cell) in enumerate(zip(found, chosen, strict=True)):
                load = self._load(group, cells)
                top = self._builder.add_buffer(f"{prefix}_{net}_{level}_{k}", cell.name, group, _middle(group))
                self._below[top.instance, top.pin] = self._latency(cell, load)
                tops.append(top)
            sinks = tops
            count, level = count + len(found), level + 1
        self._builder.set_ends(net, drivers, sinks)
        return count

    def _level(self, sinks: list[Sink], fanout: int, cells: dict[str, str]) -> tuple[list[list[Sink]], list[Cell]]:
        """Groups as large as the buffers allow, down to two, and the buffer of each, at worst the strongest."""
        size = min(fanout, len(sinks))
        while True:
            found = groups(sinks, size)
            loads = [self._load(group, cells) for group in found]
            strong = self._strong(loads)
            if strong is not None or size <= FEWEST_IN_GROUP:
                break
            size = max(FEWEST_IN_GROUP, size * 3 // 4)
        if strong is None:
            strong = self._buffers[-1]
            self.overloaded += sum(not self._fits(strong, load) for load in loads)
        return found, [self._balanced(strong, load, loads) for load in loads]

    def _strong(self, loads: list[Load]) -> Cell | None:
        """The weakest buffer that is nearly as fast as any for the worst of these loads; None when none can."""
        fitting = [c for c in self._buffers if all(self._fits(c, load) for load in loads)]
        times = [max(self._latency(c, load) - load.below for load in loads) for c in fitting]
        least = min(times, default=0.0)
        return next((c for c, time in zip(fitting, times, strict=True) if time <= NEARLY * least), None)

    @staticmethod
    def _latency(cell: Cell, load: Load) -> float:
        """From the input of a buffer to the latest register below it, ns."""
        return worst_response(cell, TYPICAL_SLEW, load.capacitance)[0] + load.below

    def _load(self, group: list[Sink], cells: dict[str, str]) -> Load:
        """Wire and pins of a group, seen from its middle."""
        points = {(s.instance, s.pin): (s.x, s.y) for s in group}
        tree = placed_tree("", ("", ""), {("", ""): _middle(group), **points}, self._timer.per_um, self._timer.pin_vias)
        load = list(tree.capacitances)
        for terminal, node in tree.terminals.items():
            cell = cells[terminal[0]] if terminal[0] else ""
            if cell in self._timer.library:  # a hard macro may have no Liberty model
                load[node] += max(self._timer.library[cell].pins[terminal[1]].capacitance)
        for node in range(len(load) - 1, 0, -1):
            load[tree.parents[node]] += load[node]
        delay = [0.0] * len(load)
        for node in range(1, len(load)):
            delay[node] = delay[tree.parents[node]] + tree.resistances[node] * load[node]
        ends = [(delay[node], self._below.get(t, 0.0)) for t, node in tree.terminals.items() if t[0]]
        return Load(load[0], max(delay), max(wire + below for wire, below in ends))

    def _fits(self, cell: Cell, load: Load) -> bool:
        pin = cell.outputs()[0]
        most = min(self._most_load, pin.max_capacitance or math.inf)
        return load.capacitance <= most and self._slew(cell, load) <= min(
            self._most_slew, pin.max_transition or math.inf
        )

    def _slew(self, cell: Cell, load: Load) -> float:
        slew = worst_response(cell, TYPICAL_SLEW, load.capacitance)[1]
        return math.hypot(slew, self._timer.library.slew_factor * load.delay)

    def _balanced(self, strong: Cell, load: Load, loads: list[Load]) -> Cell:
        """The buffer with which a group is most nearly as late as the latest group is with `strong`.

        Its slew may not be much worse than that of the others, for what is below would be late again by that.
        """
        target = max(self._latency(strong, other) for other in loads)
        most = EVEN_SLEW * max(self._slew(strong, other) for other in loads)
        weaker = [c for c in self._buffers if c.drive() <= strong.drive() and self._slew(c, load) <= most]
        fitting = [c for c in weaker if self._fits(c, load)] or [strong]
        return min(fitting, key=lambda c: (abs(self._latency(c, load) - target), c.drive()))


def _middle(group: list[Sink]) -> tuple[int, int]:
    """The centre of the box around a group: no sink is much farther away than another."""
    xs, ys = [s.x for s in group], [s.y for s in group]
    return (min(xs) + max(xs)) // 2, (min(ys) + max(ys)) // 2
