"""Express.Placement: where the cells go, with buffer trees for nets that drive too many.

python -m a6hub_jupyter.express.placement job.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import available, picture, verilog
from a6hub_jupyter.express.buffering import TreeBuilder
from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.timing.clocknets import clock_nets
from a6hub_jupyter.express.timing.library import Library

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics


def place(job: Job) -> Metrics:
    """Global placement, fan-out trees, legal placement on sites. Wire length in um, area in um2."""
    reason = available()
    if reason:
        raise ProblemError(reason)
    from a6hub_jupyter.express.placer import Placer  # noqa: PLC0415  its absence is a sentence

    technology = Technology.of(job)
    macros = technology.lef.macros
    database = Database.load(job.given("database"))
    netlist = database.netlist
    middle = database.width // 2, database.height // 2
    blocks = {block.name for block in database.blocks}
    database.components = [Component(name, cell, *middle) for name, cell in netlist.cells.items() if name not in blocks]
    library = Library(job.timing["corners"][0]["libraries"])
    clocks = {net for found in clock_nets(netlist, library, job.clock_ports).values() for net in found}
    wide = [net for net, pins in netlist.nets.items() if len(pins) > job.most_fanout + 1 and net not in clocks]
    placer = Placer(database, macros, job.effort, job.output("coloquinte.log"))
    print(f"Global placement: half-perimeter wire length {placer.spread(job.density, clocks | set(wide)):.0f} um.")
    trees = TreeBuilder(database, macros)
    added = sum(trees.build(net, job.buffer, job.most_fanout, "fanout") for net in wide)
    if wide:
        print(f"Fan-out trees: {added} buffers for {len(wide)} nets with more than {job.most_fanout} loads.")
        length = placer.spread(job.density, clocks)
        print(f"Global placement with the buffers: half-perimeter wire length {length:.0f} um.")
    length = placer.settle()
    print(f"Legal placement on sites: half-perimeter wire length {length:.0f} um.")
    database.save(job.output(DATABASE_FILE))
    job.output(f"{job.top}.nl.v").write_text(verilog.write(netlist))
    write_def(job, technology, database)
    picture.placement(job.output("placement.png"), database, macros)
    area = sum(macros[c.cell].width * macros[c.cell].height for c in database.components)
    return {
        "design__instance__count": len(database.components) + len(database.taps),
        "design__instance__count__stdcell": len(database.components),
        "design__instance__area": round(area / 1e6, 4),
        "route__wirelength__estimated": round(length, 1),
    }


if __name__ == "__main__":
    run(place)
