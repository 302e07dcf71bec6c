"""How large the die is, and which part of it the rows take: FP_SIZING, DIE_AREA, CORE_AREA, *_MARGIN_MULT."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from a6hub_jupyter.express.geometry import Box
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.technology import Technology

MARGIN = 2
"""Free sites left and right of the rows, so that pins at the edge can be reached."""
FEWEST_SITES = 20
RESERVE = 1.03
"""Area kept for clock and fan-out buffers."""
TRACKS_PER_PORT = 3
ROOM_FOR_WIDEST = 1.5
"""A row is at least so many times as wide as the widest cell: with a tap in it there is still room."""


class Outline(NamedTuple):
    """Width and height of the die, and the core, in nm from the die's lower left corner.

    The core is whole sites wide and whole rows high, and its rows are where they would be if they began at the edge
    of the die: rails are ground and power in turn from there.
    """

    width: int
    height: int
    core: Box


def outline(area: int, job: Job, technology: Technology, ports: int, widest: int) -> Outline:
    """The die for cells of `area` nm2 without hard macros; ProblemError when it is given and too small.

    `widest` in nm is the width of the widest cell: each row must hold it.
    """
    return _given(area, job, technology) if job.die_area else _sized(area, job, technology, ports, widest)


def _margins(job: Job, technology: Technology) -> Box:
    """What stays free of rows at the left, at the bottom, at the right and at the top: whole sites and rows, nm."""
    site, row = technology.site
    left, bottom, right, top = job.margins
    sides = max(math.ceil(left), MARGIN) * site, max(math.ceil(right), MARGIN) * site
    return Box(sides[0], math.ceil(bottom) * row, sides[1], math.ceil(top) * row)


def _given(area: int, job: Job, technology: Technology) -> Outline:
    site, row = technology.site
    x1, y1, x2, y2 = job.die_area or (0, 0, 0, 0)
    width, height = (x2 - x1) // site * site, (y2 - y1) // (2 * row) * 2 * row
    name, margins = "DIE_AREA", _margins(job, technology)
    if job.core_area:
        name = "CORE_AREA"
        a1, b1, a2, b2 = job.core_area
        if not (x1 <= a1 < a2 <= x2 and y1 <= b1 < b2 <= y2):
            raise ProblemError("CORE_AREA is not within DIE_AREA: give both as lower left and upper right corner.")
        margins = Box(
            max(-(-(a1 - x1) // site), MARGIN) * site,
            -(-(b1 - y1) // row) * row,
            width - min((a2 - x1) // site * site, width - MARGIN * site),
            height - min((b2 - y1) // row * row, height),
        )
    core = Box(margins.x1, margins.y1, max(width - margins.x2, margins.x1), max(height - margins.y2, margins.y1))
    room = core.width * core.height
    if room < area * RESERVE:
        raise ProblemError(
            f"{name} holds {room / 1e6:.0f} um2 in whole rows, but the cells need {area * RESERVE / 1e6:.0f} um2: "
            "enlarge it."
        )
    return Outline(width, height, core)


def _sized(area: int, job: Job, technology: Technology, ports: int, widest: int) -> Outline:
    """A core as full as FP_CORE_UTIL says, and the margins around it; each side holds a quarter of the ports."""
    site, row = technology.site
    margins = _margins(job, technology)
    sizes = [technology.lef.macros.get(macro["cell"]) for macro in job.macros]
    blocks_area = sum((m.width + 2 * job.halo[0]) * (m.height + 2 * job.halo[1]) for m in sizes if m)
    per_side = math.ceil(ports / 4) * TRACKS_PER_PORT + 4
    least_width = max(per_side * technology.pitch_x - margins.x1 - margins.x2, round(widest * ROOM_FOR_WIDEST))
    least_height = per_side * technology.pitch_y - margins.y1 - margins.y2
    wanted = area * RESERVE / job.utilization + blocks_area
    rows = math.ceil(max(math.sqrt(wanted * job.aspect_ratio), least_height) / row / 2) * 2
    sites = max(math.ceil(wanted / (rows * row * site)), FEWEST_SITES, least_width // site)
    width, height = sites * site + margins.x1 + margins.x2, rows * row + margins.y1 + margins.y2
    return Outline(width, height, Box(margins.x1, margins.y1, width - margins.x2, height - margins.y2))
