"""How each step that places or changes cells begins and ends: the placer, legal places, views and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import available, verilog
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.job import DATABASE_FILE
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.job import Job, Metrics
    from a6hub_jupyter.express.placer import Placer
    from a6hub_jupyter.express.technology import Technology


def placer_of(job: Job, technology: Technology, database: Database) -> Placer:
    """The placer for a design. Raises ProblemError where it is not installed."""
    reason = available()
    if reason:
        raise ProblemError(reason)
    from a6hub_jupyter.express.placer import Placer  # noqa: PLC0415  its absence is a sentence

    return Placer(database, technology.lef.macros, job.effort, job.output("coloquinte.log"))


def settle(placer: Placer, what: str, *, changed: bool) -> float:
    """Make the placement legal again if cells have changed; prints and returns its wire length, um."""
    length = placer.settle() if changed else placer.half_perimeter()
    print(f"{what}: half-perimeter wire length {length:.0f} um.")
    return length


def write_views(job: Job, technology: Technology, database: Database, length: float) -> Metrics:
    """Write database, netlist and DEF; the metrics of a placed design. Wire length in um, area in um2."""
    database.save(job.output(DATABASE_FILE))
    job.output(f"{job.top}.nl.v").write_text(verilog.write(database.netlist))
    write_def(job, technology, database)
    macros = technology.lef.macros
    area = sum(macros[c.cell].width * macros[c.cell].height for c in database.components)
    return {
        "design__instance__count": len(database.components) + len(database.taps),
        "design__instance__count__stdcell": len(database.components),
        "design__instance__area": round(area / 1e6, 4),
        "design__instance__utilization": round(area / database.room(), 4),
        "route__wirelength__estimated": round(length, 1),
    }
