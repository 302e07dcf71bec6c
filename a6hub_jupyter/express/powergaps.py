"""Power beside and over hard macros: where the regular straps leave rails or a macro without supply, more are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express.database import Bar, Strap
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from a6hub_jupyter.express.database import Database, PowerGrid, Rail
    from a6hub_jupyter.express.geometry import Box
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.macropower import MacroPower, SupplyPin

EDGE = 2000
"""Least distance of an added strap from the die's edge, nm: ports end before it."""
STEP = 10
"""Straps begin at whole multiples of this, nm."""


def crosses(strap: Strap, rail: Rail) -> bool:
    """Whether a strap of the rail's net stands on the rail with its whole width."""
    inside = rail.left <= strap.left and strap.right <= rail.right
    return strap.net == rail.net and inside and strap.bottom <= rail.y <= strap.top


def from_the_middle(low: int, high: int) -> Iterator[int]:
    """Whole steps of [low, high], the middle first."""
    middle = (low + high) // 2 // STEP * STEP
    for away in range(0, (high - low) // 2 + 2 * STEP, STEP):
        for at in dict.fromkeys((middle - away, middle + away)):
            if low <= at <= high:
                yield at


def missing_straps(job: Job, database: Database, grid: PowerGrid, power: MacroPower) -> Iterator[Strap]:
    """Straps for the rails that none of their net stands on. ProblemError where there is no room for one."""
    straps, barriers = list(grid.straps), power.barriers()
    for rail in sorted(grid.rails, key=lambda r: (r.left, r.right, r.y)):
        if any(crosses(strap, rail) for strap in straps):
            continue
        lefts = from_the_middle(max(rail.left, EDGE), min(rail.right, database.width - EDGE) - job.strap_width)
        added = next(_strap_options(job, database, rail.net, rail.y, lefts, straps, barriers), None)
        if added is None:
            raise ProblemError(
                f"There is no room for a power strap of {rail.net} on the row parts from {rail.left / 1000:.1f} to "
                f"{rail.right / 1000:.1f} um at y = {rail.y / 1000:.1f} um, beside a hard macro: move the macro in "
                "MACROS, or widen FP_MACRO_HORIZONTAL_HALO so that no cells stand there."
            )
        straps.append(added)
        yield added


def missing_feeders(
    job: Job, database: Database, straps: list[Strap], power: MacroPower, least: tuple[int, int]
) -> Iterator[Strap]:
    """Straps for the hard macros that none of a net feeds from above; `least`: the overlap that a via needs, nm."""
    straps, barriers = list(straps), power.barriers()
    fed = {(pin.instance, pin.net) for pin, _ in power.overlaps(straps, least)}
    reached: dict[tuple[str, str], list[Box]] = {}
    for pin in power.pins(power.below):
        reached.setdefault((pin.instance, pin.net), []).append(pin.box)
    for (instance, net), boxes in reached.items():
        if (instance, net) in fed:
            continue
        wide = sorted((b for b in boxes if b.height >= least[1]), key=lambda b: -min(b.width, job.strap_width))
        options = (
            strap
            for box in wide
            for strap in _strap_options(job, database, net, box.center[1], _lefts(box, job), straps, barriers)
            if any(pin.instance == instance for pin, _ in power.overlaps([strap], least))
        )
        added = next(options, None)
        if added is None:
            raise ProblemError(
                f"There is no room for a power strap of {net} over the macro {instance}: move it in MACROS, or lower "
                "PDN_VWIDTH or PDN_VSPACING."
            )
        straps.append(added)
        yield added


def _lefts(box: Box, job: Job) -> Iterator[int]:
    """Where a strap may begin that is to stand on a pin with its whole width, or else on the whole pin."""
    spare = box.width - job.strap_width
    return from_the_middle(box.x1 + min(spare, 0), box.x1 + max(spare, 0))


def _strap_options(
    job: Job,
    database: Database,
    net: str,
    y: int,
    lefts: Iterable[int],
    straps: Iterable[Strap],
    barriers: Iterable[Box],
) -> Iterator[Strap]:
    """Straps that may stand at a height, as high as hard macros let them be."""
    width = job.strap_width
    for left in lefts:
        over = [b for b in barriers if b.x1 < left + width and left < b.x2]
        bottom = max((b.y2 for b in over if b.y2 <= y), default=0)
        top = min((b.y1 for b in over if b.y1 >= y), default=database.height)
        if any(b.y1 < y < b.y2 for b in over):
            continue
        clear = (
            max(s.left - left - width, left - s.right) >= job.strap_spacing
            for s in straps
            if s.bottom < top and bottom < s.top
        )
        if all(clear):
            yield Strap(net, left, left + width, bottom, top)


def missing_bars(job: Job, grid: PowerGrid, pins: Iterable[SupplyPin]) -> Iterator[Bar]:
    """Bars over the hard macros that none of a net crosses. `pins`: on the layer of the vertical straps."""
    bars = list(grid.bars)
    reached: dict[tuple[str, str], list[Box]] = {}
    for pin in pins:
        reached.setdefault((pin.instance, pin.net), []).append(pin.box)
    for (instance, net), boxes in reached.items():
        if any(bar.net == net and box.y1 <= bar.bottom and bar.top <= box.y2 for bar in bars for box in boxes):
            continue
        added = next(_bar_options(job, net, boxes, bars), None) if job.bar_layer else None
        if added is None:
            raise ProblemError(
                f"No horizontal strap of {net} can cross the power pins of the macro {instance}: "
                f"{'lower PDN_HPITCH or PDN_HWIDTH' if job.bar_layer else 'leave PDN_MULTILAYER on'}."
            )
        bars.append(added)
        yield added


def _bar_options(job: Job, net: str, boxes: Iterable[Box], bars: Iterable[Bar]) -> Iterator[Bar]:
    for box in boxes:
        for bottom in from_the_middle(box.y1, box.y2 - job.bar_width):
            top = bottom + job.bar_width
            if all(max(other.bottom - top, bottom - other.top) >= job.bar_spacing for other in bars):
                yield Bar(net, bottom, top)
