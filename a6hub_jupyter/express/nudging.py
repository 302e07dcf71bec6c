"""Cells beside conflicts that stay are moved by a few sites: pins that shut each other in have other ways then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from a6hub_jupyter.express import rows

if TYPE_CHECKING:
    from a6hub_jupyter.express.assembly import Assembly
    from a6hub_jupyter.express.database import Component, Database
    from a6hub_jupyter.express.job import Job

ROUNDS = 8
MOST_NETS = 40
"""With more nets in conflict, it is not for a few pins."""
FARTHEST = 3
"""A cell moves by so many sites at most."""
REACH = 2
"""A cell is beside a conflict when its box is within so many grid steps."""


def nudged(job: Job, assembly: Assembly, turn: int) -> Database | None:
    """A copy of the design with one cell moved for each conflict of its router; None when nothing can move.

    `turn` makes for other moves each time.
    """
    grid, technology = assembly.grid, assembly.technology
    macros, random = technology.lef.macros, np.random.default_rng(turn)
    database = assembly.database.copied()
    moved: set[str] = set()
    for node in assembly.router.collided.tolist():
        _, i, j = grid.place(node)
        x, y = grid.x(i), grid.y(j)
        margin_x, margin_y = REACH * technology.pitch_x, REACH * technology.pitch_y
        beside = [
            c
            for c in database.components
            if c.x - margin_x <= x <= c.x + macros[c.cell].width + margin_x
            and c.y - margin_y <= y <= c.y + database.row_height + margin_y
        ]
        if moved & {c.name for c in beside}:
            continue
        for k in random.permutation(len(beside)).tolist():
            step = _free_step(database, assembly, beside[k], random)
            if step:
                beside[k].x += step
                moved.add(beside[k].name)
                break
    if not moved:
        return None
    database.fillers = rows.fill(database, macros, job.decaps, job.fillers)
    print(f"Conflicts that stay: {len(moved)} cells beside them moved by a few sites.")
    return database


def _free_step(database: Database, assembly: Assembly, cell: Component, random: np.random.Generator) -> int:
    """A few sites to a side where there is room, nm, at random; 0 where there is none."""
    macros, site = assembly.technology.lef.macros, database.site_width
    left, right = cell.x, cell.x + macros[cell.cell].width
    spans = [(a, b) for a, b in database.spans(cell.y // database.row_height) if a <= left and right <= b]
    if not spans:
        return 0
    low, high = spans[0]
    for other in (*database.components, *database.taps):
        if other.y == cell.y and other is not cell:
            end = other.x + macros[other.cell].width
            low = max(low, end) if end <= left else low
            high = min(high, other.x) if other.x >= right else high
    ways = (sign * n * site for n in range(1, FARTHEST + 1) for sign in (-1, 1))
    free = [way for way in ways if low <= left + way and right + way <= high]
    return free[int(random.integers(len(free)))] if free else 0
