"""Cells onto sites and apart from each other, and fillers into what is left of the rows."""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from a6hub_jupyter.express.database import Component
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.lefcells import Macro

GAP = 2
"""Free sites between neighbouring cells, where a row has them."""


def snap(database: Database, macros: Mapping[str, Macro]) -> None:
    """Move every cell onto a site of its row, keeping the order and clear of the taps.

    Raises ProblemError when a row has no room.
    """
    site, height = database.site_width, database.row_height
    for row, segments in _segments(database, macros):
        for room, here in segments.items():
            xs = packed([c.x for c in here], [macros[c.cell].width // site for c in here], room, site)
            if xs is None:
                raise ProblemError(f"Row {row} has no room for its cells: lower FP_CORE_UTIL, or enlarge DIE_AREA.")
            for component, x in zip(here, xs, strict=True):
                component.x, component.y = x * site, row * height
                component.orientation = database.orientation_at(component.y)


def spread(database: Database, macros: Mapping[str, Macro]) -> None:
    """Leave a gap between neighbours in a row, up to GAP sites, where there is room: pins at cell edges are scarce.

    Cells are on sites before and after; their order stays, and the sum of the squares of their ways is the least.
    """
    site = database.site_width
    for _, segments in _segments(database, macros):
        for (left, right), here in segments.items():
            widths = [macros[c.cell].width // site for c in here]
            gap = min(GAP, (right - left - sum(widths)) // len(here)) if here else 0
            if not gap:
                continue
            begins = np.cumsum([0, *widths[:-1]]) + gap * np.arange(len(here))
            room = right - left - int(begins[-1]) - widths[-1]
            wanted = [c.x / site - left - begin for c, begin in zip(here, begins.tolist(), strict=True)]
            for component, x, begin in zip(here, _rising(wanted), begins.tolist(), strict=True):
                component.x = (left + begin + min(max(round(x), 0), room)) * site


def _rising(values: list[float]) -> list[float]:
    """The rising sequence nearest to `values` by least squares: neighbours that fall are pooled to their mean."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]


def parts(database: Database, macros: Mapping[str, Macro]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Each row of the die with its parts between taps and hard macros, in sites from the left edge of the die."""
    site, height = database.site_width, database.row_height
    taken: dict[int, list[int]] = defaultdict(list)
    for tap in sorted(database.taps, key=lambda t: t.x):
        taken[tap.y // height] += [tap.x // site, (tap.x + macros[tap.cell].width) // site]
    for row in range(database.row_count):
        found: list[tuple[int, int]] = []
        for left, right in database.spans(row):
            inside = [x for x in taken[row] if left // site <= x <= right // site]
            edges = [left // site, *inside, right // site]
            found += [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
        yield row, found


def _segments(
    database: Database, macros: Mapping[str, Macro]
) -> Iterator[tuple[int, dict[tuple[int, int], list[Component]]]]:
    """Rows that have cells: their parts between taps and hard macros (in sites), each with its cells from the left."""
    site, height = database.site_width, database.row_height
    in_row: dict[int, list[Component]] = defaultdict(list)
    for component in database.components:
        in_row[round(component.y / height)].append(component)
    for row, rooms in parts(database, macros):
        cells = in_row[row]
        if not cells:
            continue
        segments: dict[tuple[int, int], list[Component]] = {room: [] for room in rooms}
        if not segments:
            raise ProblemError(f"Row {row} is taken by hard macros, but cells were placed there: enlarge DIE_AREA.")
        for component in cells:
            middle = (component.x + macros[component.cell].width / 2) / site
            segments[_nearest(segments, middle)].append(component)
        for here in segments.values():
            here.sort(key=lambda c: (c.x, c.name))
        yield row, segments


def _nearest(rooms: Iterable[tuple[int, int]], middle: float) -> tuple[int, int]:
    """The interval that holds a point, or else the nearest."""
    return min(rooms, key=lambda room: max(room[0] - middle, middle - room[1], 0))


def packed(wanted: list[int], widths: list[int], room: tuple[int, int], site: int) -> list[int] | None:
    """Sites for cells that want to be at `wanted` (nm), in that order; widths and room in sites.

    Left to right to the nearest free site, then right to left back inside. None when there is no room.
    """
    xs, free = [], room[0]
    for x, width in zip(wanted, widths, strict=True):
        free = max(free, round(x / site))
        xs.append(free)
        free += width
    limit = room[1]
    for k in range(len(xs) - 1, -1, -1):
        xs[k] = min(xs[k], limit - widths[k])
        limit = xs[k]
    return xs if limit >= room[0] else None


def fill(database: Database, macros: Mapping[str, Macro], decaps: list[str], fillers: list[str]) -> list[Component]:
    """Decoupling cells and fillers for every gap, the widest first. Patterns as in DECAP_CELLS, FILL_CELLS."""
    site, height = database.site_width, database.row_height
    cells = {
        name
        for name, macro in macros.items()
        if macro.height == height and any(fnmatch.fnmatch(name, p) for p in [*decaps, *fillers])
    }
    widest_first = sorted(cells, key=lambda name: (-macros[name].width, name))
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for component in [*database.components, *database.taps]:
        width = macros[component.cell].width
        spans[component.y // height].append((component.x // site, width // site))
    added: list[Component] = []
    for row in range(database.row_count):
        y = row * height
        for left, right in database.spans(row):
            x = left // site
            here = sorted(part for part in spans[row] if left // site <= part[0] < right // site)
            for start, width in [*here, (right // site, 0)]:
                while x < start:
                    cell = next((n for n in widest_first if macros[n].width <= (start - x) * site), None)
                    if cell is None:
                        raise ProblemError("No filler is one site wide: FILL_CELLS must name one.")
                    name = f"fill_{len(added)}"
                    added.append(Component(name, cell, x * site, y, database.orientation_at(y)))
                    x += macros[cell].width // site
                x = start + width
    return added
