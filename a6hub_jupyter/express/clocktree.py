"""Express.ClockTree: balanced trees of buffers between the clock ports and their registers.

python -m a6hub_jupyter.express.clocktree job.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import available, verilog
from a6hub_jupyter.express.balancedtree import BalancedTree
from a6hub_jupyter.express.buffering import TreeBuilder
from a6hub_jupyter.express.checkpictures import clock_tree
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.timing.analysis import LATE
from a6hub_jupyter.express.timing.clocknets import clock_nets
from a6hub_jupyter.express.timing.pinmap import PinMap
from a6hub_jupyter.express.timing.timer import timers

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.timing.slacks import Slacks

FEWEST_SINKS = 5
"""A clock net with fewer pins is left as it is."""


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
    timer = timers({**job.timing, "corners": job.timing["corners"][:1]}, technology)[0]
    tree = BalancedTree(TreeBuilder(database, macros), timer, job.clock_buffers, job.timing)
    buffers = 0
    found = clock_nets(netlist, timer.library, job.clock_ports)
    grown: set[str] = set()
    for clock, nets in found.items():
        for net in reversed(nets):  # what is behind a gate first, so that the gate is a sink like any other
            sinks = len(netlist.nets.get(net, ()))
            what = f"Clock '{clock}'" if net == nets[0] else f"Clock '{clock}', net '{net}' behind a gate"
            if net in grown:
                print(f"{what}: has its tree from another clock.")
            elif sinks >= FEWEST_SINKS:
                count = tree.grow(net, job.clock_fanout, "clkbuf", netlist.cells)
                print(f"{what}: {count} buffers for {sinks} sinks.")
                buffers += count
                grown.add(net)
            else:
                print(f"{what}: {sinks} sinks, no buffers needed.")
    if not job.clock_ports:
        print("CLOCK_PORT is not set: no clock tree.")
    if any(len(nets) > 1 for nets in found.values()):
        print("Trees behind clock gates are balanced in themselves; the gate and its tree add to the clock's latency.")
    placer = Placer(database, macros, job.effort, job.output("coloquinte.log"))
    length = placer.settle() if buffers else placer.half_perimeter()
    print(f"Placement with the clock tree: half-perimeter wire length {length:.0f} um.")
    clock_tree(job.output("clock_tree.png"), database, macros, job.clock_ports)
    slacks = timer.analyse(database, timer.placed(PinMap(database, macros)))
    _say_latencies(slacks)
    database.save(job.output(DATABASE_FILE))
    job.output(f"{job.top}.nl.v").write_text(verilog.write(netlist))
    write_def(job, technology, database)
    area = sum(macros[c.cell].width * macros[c.cell].height for c in database.components)
    core = database.room()
    return {
        "design__instance__count": len(database.components) + len(database.taps),
        "design__instance__count__stdcell": len(database.components),
        "design__instance__count__class:clock_buffer": buffers,
        "design__instance__area": round(area / 1e6, 4),
        "design__instance__utilization": round(area / core, 4),
        "route__wirelength__estimated": round(length, 1),
    }


def _say_latencies(slacks: Slacks) -> None:
    """Latency and skew of each clock as far as the placement tells."""
    for (number, edge), at in slacks.latencies(LATE).items():
        clock = slacks.analysis.constraints.clocks[number]
        print(
            f"Clock '{clock}', {'falling' if edge else 'rising'} edge, estimated from the placement: latency "
            f"{min(at.values()):.3f} to {max(at.values()):.3f} ns, skew {max(at.values()) - min(at.values()):.3f} ns "
            f"over {len(at)} registers."
        )


if __name__ == "__main__":
    run(grow)
