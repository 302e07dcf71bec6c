"""Express.ClockTree: buffers between the clock ports and their registers.

python -m a6hub_jupyter.express.clocktree job.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import available, verilog
from a6hub_jupyter.express.buffering import TreeBuilder
from a6hub_jupyter.express.checkpictures import clock_tree
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import Technology

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics

FEWEST_SINKS = 5
"""A clock with fewer sinks is left as it is."""


def grow(job: Job) -> Metrics:
    """Buffer each clock, then place again with the buffers in. Wire length in um, area in um2."""
    reason = available()
    if reason:
        raise ProblemError(reason)
    from a6hub_jupyter.express.placer import Placer  # noqa: PLC0415  its absence is a sentence

    technology = Technology.of(job)
    macros = technology.lef.macros
    database = Database.load_placed(job.given("database"))
    netlist = database.netlist
    trees = TreeBuilder(database, macros)
    buffers = 0
    for clock in job.clock_ports:
        sinks = len(netlist.nets.get(clock, ()))
        if sinks >= FEWEST_SINKS:
            count = trees.build(clock, job.clock_buffers, job.clock_fanout, "clkbuf", to_one=True)
            print(f"Clock '{clock}': {count} buffers for {sinks} sinks.")
            buffers += count
        else:
            print(f"Clock '{clock}': {sinks} sinks, no buffers needed.")
    if not job.clock_ports:
        print("CLOCK_PORT is not set: no clock tree.")
    placer = Placer(database, macros, job.effort, job.output("coloquinte.log"))
    length = placer.settle() if buffers else placer.half_perimeter()
    print(f"Placement with the clock tree: half-perimeter wire length {length:.0f} um.")
    clock_tree(job.output("clock_tree.png"), database, macros, job.clock_ports)
    database.save(job.output(DATABASE_FILE))
    job.output(f"{job.top}.nl.v").write_text(verilog.write(netlist))
    write_def(job, technology, database)
    area = sum(macros[c.cell].width * macros[c.cell].height for c in database.components)
    core = (database.row_right - database.row_left) * database.height
    return {
        "design__instance__count": len(database.components) + len(database.taps),
        "design__instance__count__stdcell": len(database.components),
        "design__instance__count__class:clock_buffer": buffers,
        "design__instance__area": round(area / 1e6, 4),
        "design__instance__utilization": round(area / core, 4),
        "route__wirelength__estimated": round(length, 1),
    }


if __name__ == "__main__":
    run(grow)
