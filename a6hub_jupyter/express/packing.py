"""Cells dealt out to the parts of rows between taps, where these hold but one or two of the widest.

Legalisers that go from left to right leave cells over there: the flip-flops of gf180mcu are 16 to 20 um wide, and its
taps 20 um apart.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.rows import packed, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from a6hub_jupyter.express.database import Component, Database
    from a6hub_jupyter.express.lefcells import Macro

    Array = np.ndarray[Any, Any]

PLAY = 1.15
"""Cells are taken for so many times as wide, where it is asked whether they fit: repair widens some and adds others."""
FILLED = 0.9
"""But not so wide that they would take more of the rows than this."""


def fits(widths: list[int], database: Database, macros: Mapping[str, Macro]) -> bool:
    """Whether cells of these widths (nm) can be dealt out to the parts of rows between the taps of a database.

    True also for cells that are wider than all rows together, which is not for want of long enough parts.
    """
    site, free = database.site_width, free_parts(database, macros)
    needed, there = sum(widths) / site, int(free.sum())
    if needed > there:
        return True
    play = min(max(FILLED * there / max(needed, 1), 1.0), PLAY)
    return dealt_out([math.ceil(width * play / site) for width in sorted(widths, reverse=True)], free) is not None


def free_parts(database: Database, macros: Mapping[str, Macro]) -> Array:
    """How many sites each part of a row has."""
    return np.array([right - left for _, here in parts(database, macros) for left, right in here], np.int64)


def dealt_out(widths: list[int], free: Array, away: Callable[[int], Array] | None = None) -> list[int] | None:
    """A part for each cell, the widest first; None when one finds no room. All widths in sites.

    Of the parts that hold a cell the nearest is taken (`away`: how far they are from a cell); without `away` the one
    with the least room.
    """
    free, places = free.copy(), []
    for number, width in enumerate(widths):
        fitting = np.flatnonzero(free >= width)
        if not len(fitting):
            return None
        cost = free[fitting] if away is None else away(number)[fitting]
        places.append(int(fitting[cost.argmin()]))
        free[places[-1]] -= width
    return places


def pack(database: Database, macros: Mapping[str, Macro]) -> None:
    """Put every cell into a part of a row, the nearest that has room for it if all find a place so.

    Raises ProblemError when they do not fit.
    """
    site, height = database.site_width, database.row_height
    rooms = [(row, *room) for row, here in parts(database, macros) for room in here]
    row, left, right = np.array(rooms, np.int64).reshape(-1, 3).T
    cells = sorted(database.components, key=lambda c: (-macros[c.cell].width, c.x, c.y, c.name))
    widths = [macros[c.cell].width // site for c in cells]

    def away(number: int) -> Array:
        x = cells[number].x / site
        aside = np.maximum(np.maximum(left - x, x + widths[number] - right), 0)
        found: Array = aside * site + abs(row * height - cells[number].y)
        return found

    places = dealt_out(widths, right - left, away) or dealt_out(widths, right - left)
    longest, widest = int((right - left).max(initial=0)) * site, max(widths, default=0) * site
    if database.taps and 0 < longest < widest:
        raise ProblemError(
            f"The cell {cells[0].cell} is {widest / 1000:g} um wide, and the rows have {longest / 1000:g} um between "
            "the taps at most: raise FP_TAPCELL_DIST."
        )
    if places is None:
        raise ProblemError(
            f"The cells do not fit into the rows between the taps, the widest of them {widths[0] * site / 1000:g} um: "
            "lower FP_CORE_UTIL, or enlarge DIE_AREA."
        )
    within: dict[int, list[Component]] = defaultdict(list)
    for component, place in zip(cells, places, strict=True):
        within[place].append(component)
    for place, here in within.items():
        here.sort(key=lambda c: (c.x, c.name))
        room = int(left[place]), int(right[place])
        xs = packed([c.x for c in here], [macros[c.cell].width // site for c in here], room, site)
        for component, at in zip(here, xs or [], strict=True):
            component.x, component.y = at * site, int(row[place]) * height
            component.orientation = database.orientation_at(component.y)
