"""Well taps, and the end caps of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express.database import Component
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.lef import Lef


def add_taps(job: Job, database: Database, lef: Lef) -> None:
    """End caps at both ends of each row part, and well taps every 2 x distance.

    Taps are staggered by the distance in every other row, as LibreLane's tapcell does: wells reach over two rows. Where
    there is no row above or below, taps are twice as dense.
    """
    tap = job.tap_cell if job.tap_cell and job.tap_distance else None
    for variable, cell in (("WELLTAP_CELL", tap), ("ENDCAP_CELL", job.endcap_cell)):
        if cell and cell not in lef.macros:
            raise ProblemError(f"{variable} names '{cell}', which no LEF file defines.")
    width = lef.macros[tap].width if tap else 0
    end = lef.macros[job.endcap_cell].width if job.endcap_cell else 0
    for row in range(database.row_count):
        y = row * database.row_height
        for left, right in database.spans(row):
            caps = [left, right - end] if job.endcap_cell and right - left >= 2 * end + width else []
            inner = (left + end, right - end) if caps else (left, right)
            first, every = (job.tap_distance if row % 2 else 0), 2 * job.tap_distance
            if not all(any(a <= left and right <= b for a, b in database.spans(r)) for r in (row - 1, row + 1)):
                first, every = job.tap_distance // 2, job.tap_distance
            columns = tap_columns(*inner, database.site_width, width, first, every) if tap else []
            for cell, xs in ((job.endcap_cell, caps), (tap, columns)):
                for x in xs:
                    kind = "tap" if cell == tap else "endcap"
                    name = f"{kind}_{len(database.taps)}"
                    database.taps.append(Component(name, str(cell), x, y, database.orientation_at(y)))


def tap_columns(left: int, right: int, site: int, width: int, first: int, every: int) -> list[int]:
    """Where the taps of a row part are, nm: so far from its left end, and from each other."""
    last = right - width
    if last < left:
        return []
    columns = list(range(left + first, last + 1, every))
    if not columns or right - columns[-1] > every // 2:
        columns.append(last)
    return sorted({min(x // site * site, last) for x in columns})
