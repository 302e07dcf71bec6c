"""Express.Placement: where the cells go, with buffer trees for nets that drive too many.

python -m a6hub_jupyter.express.placement job.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import picture
from a6hub_jupyter.express.buffering import TreeBuilder
from a6hub_jupyter.express.crowding import CROWDED, Crowding
from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.settling import placer_of, settle, write_views
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.timing.clocknets import clock_nets
from a6hub_jupyter.express.timing.library import Library

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics


def place(job: Job) -> Metrics:
    """Global placement, fan-out trees, legal placement on sites. Wire length in um, area in um2."""
    technology = Technology.of(job)
    macros = technology.lef.macros
    database = Database.load(job.given("database"))
    placer = placer_of(job, technology, database)
    netlist = database.netlist
    middle = database.width // 2, database.height // 2
    blocks = {block.name for block in database.blocks}
    database.components = [Component(name, cell, *middle) for name, cell in netlist.cells.items() if name not in blocks]
    library = Library(job.timing["corners"][0]["libraries"])
    clocks = {net for found in clock_nets(netlist, library, job.clock_ports).values() for net in found}
    wide = [net for net, pins in netlist.nets.items() if len(pins) > job.most_fanout + 1 and net not in clocks]
    print(f"Global placement: half-perimeter wire length {placer.spread(job.density, clocks):.0f} um.")
    trees = TreeBuilder(database, macros)
    added = sum(trees.build(net, job.buffer, job.most_fanout, "fanout") for net in wide)
    if wide:
        print(f"Fan-out trees: {added} buffers for {len(wide)} nets with more than {job.most_fanout} loads.")
    crowding = Crowding(technology, database.width, database.height, placer.boxes(clocks))
    if wide or crowding.most > CROWDED:
        if crowding.most > CROWDED:
            print(f"Wires will take up to {100 * crowding.most:.0f} % of the tracks: cells there get more room.")
        length = placer.spread(job.density, clocks, crowding if crowding.most > CROWDED else None)
        print(f"Global placement once more: half-perimeter wire length {length:.0f} um.")
    length = settle(placer, "Legal placement on sites", changed=True)
    picture.placement(job.output("placement.png"), database, macros)
    return write_views(job, technology, database, length)


if __name__ == "__main__":
    run(place)
