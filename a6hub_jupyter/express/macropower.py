"""Supply of hard macros: which metal of theirs is supply, and where power straps may pass over them.

A macro has its supply pins on the layer of the vertical straps, as those that Express builds: straps keep off it and
horizontal straps feed it. Or it leaves that layer free, as memories do: straps pass over it and feed the pins on the
metal right below them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from a6hub_jupyter.express.geometry import Box, gaps
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from a6hub_jupyter.express.database import Component, Database, Strap
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.lef import Lef
    from a6hub_jupyter.express.lefcells import Macro

STEP = 10
"""Vias stand at whole multiples of this, nm."""


@dataclass(frozen=True)
class SupplyPin:
    """A rectangle of supply metal of a hard macro, nm on the die."""

    instance: str
    net: str
    layer: str
    box: Box


class MacroPower:
    """The hard macros of a placed design as its power grid sees them."""

    def __init__(self, job: Job, database: Database, lef: Lef, stack: list[str]) -> None:
        self._job, self._database, self._lef = job, database, lef
        at = stack.index(job.strap_layer)
        self.cut, self.below = (stack[at - 1], stack[at - 2]) if at >= 2 else ("", "")
        """The cut under the straps, and the metal under that."""
        self._passed = {b.name for b in database.blocks if not self._uses(lef.macros[b.cell], job.strap_layer)}

    @staticmethod
    def _uses(macro: Macro, layer: str) -> bool:
        drawn = [*macro.obstructions, *(shape for pin in macro.pins.values() for shape in pin.shapes)]
        return any(shape.layer == layer for shape in drawn)

    def barriers(self) -> list[Box]:
        """Where vertical straps must not be: macros that use their layer, with their halos."""
        database = self._database
        solid = [self._outline(block) for block in database.blocks if block.name not in self._passed]
        return [box for box in database.kept_free if any(max(gaps(box, other)) < 0 for other in solid)]

    def _outline(self, block: Component) -> Box:
        macro = self._lef.macros[block.cell]
        return Box(block.x, block.y, block.x + macro.width, block.y + macro.height)

    def pins(self, layer: str) -> Iterator[SupplyPin]:
        """Supply metal on one layer, of the macros that are fed there."""
        for block in self._database.blocks:
            passed = block.name in self._passed
            if layer == (self.below if passed else self._job.strap_layer):
                for pin in self._supply(block):
                    if pin.layer == layer:
                        yield pin

    def _supply(self, block: Component) -> Iterator[SupplyPin]:
        job, macro = self._job, self._lef.macros[block.cell]
        for net, names, use in (
            (job.power_net, {job.power_net, *job.power_pins}, "POWER"),
            (job.ground_net, {job.ground_net, *job.ground_pins}, "GROUND"),
        ):
            for name, pin in macro.pins.items():
                if name in names or pin.use == use:
                    for layer, box in pin.shapes:
                        yield SupplyPin(block.name, net, layer, block.place(box, macro))

    def check(self) -> None:
        """Refuse, in one sentence, a macro whose supply no strap can reach."""
        fed = {(p.instance, p.net) for layer in (self.below, self._job.strap_layer) for p in self.pins(layer)}
        for block in self._database.blocks:
            there: dict[str, set[str]] = {}
            for pin in self._supply(block):
                there.setdefault(pin.net, set()).add(pin.layer)
            for net, layers in there.items():
                if (block.name, net) not in fed:
                    raise ProblemError(
                        f"The macro {block.cell} has its supply {net} on {', '.join(sorted(layers))} only: straps on "
                        f"{self._job.strap_layer} reach pins on that layer, or, where the macro leaves it free, on "
                        f"{self.below}. Choose another PDN_VERTICAL_LAYER."
                    )

    def overlaps(self, straps: Iterable[Strap], least: tuple[int, int]) -> Iterator[tuple[SupplyPin, Box]]:
        """Where straps are over pins of their net by `least` (width, height) at least; boxes have whole middles."""
        pins = list(self.pins(self.below))
        for strap in straps:
            for pin in pins:
                box = _whole(strap.left, pin.box.x1, strap.right, pin.box.x2)
                side = _whole(strap.bottom, pin.box.y1, strap.top, pin.box.y2)
                if pin.net == strap.net and box[1] - box[0] >= least[0] and side[1] - side[0] >= least[1]:
                    yield pin, Box(box[0], side[0], box[1], side[1])


def _whole(low: int, other_low: int, high: int, other_high: int) -> tuple[int, int]:
    """The common part of two intervals, its ends and its middle on whole steps."""
    first = -(-max(low, other_low) // STEP) * STEP
    return first, first + (min(high, other_high) - first) // (2 * STEP) * 2 * STEP
