"""Express.ClockTree: balanced trees of buffers between the clock ports and their registers.

python -m a6hub_jupyter.express.clocktree job.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express.balancedtree import BalancedTree
from a6hub_jupyter.express.buffering import TreeBuilder
from a6hub_jupyter.express.checkpictures import clock_tree
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.settling import placer_of, settle, write_views
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.timing.analysis import LATE
from a6hub_jupyter.express.timing.clocknets import clock_nets
from a6hub_jupyter.express.timing.drives import Choice
from a6hub_jupyter.express.timing.pinmap import PinMap
from a6hub_jupyter.express.timing.timer import timers

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.timing.slacks import Slacks

FEWEST_SINKS = 5
"""A clock net with fewer pins is left as it is."""


def grow(job: Job) -> Metrics:
    """Buffer each clock, then place again with the buffers in. Wire length in um, area in um2."""
    technology = Technology.of(job)
    macros = technology.lef.macros
    database = Database.load_placed(job.given("database"))
    placer = placer_of(job, technology, database)
    netlist = database.netlist
    timer = timers({**job.timing, "corners": job.timing["corners"][:1]}, technology)[0]
    choice = Choice(timer.library, macros, job.timing["excluded"])
    named = [name for pattern in job.clock_buffers for name in choice.matching(pattern) or [pattern]]
    tree = BalancedTree(TreeBuilder(database, macros), timer, list(dict.fromkeys(named)), job.timing)
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
    if tree.overloaded:
        print(
            f"{tree.overloaded} clock buffers are over a limit of slew or load, though they are the strongest: name "
            "stronger ones in CTS_CLK_BUFFERS, or raise CTS_MAX_SLEW or CTS_MAX_CAP."
        )
    length = settle(placer, "Placement with the clock tree", changed=buffers > 0)
    clock_tree(job.output("clock_tree.png"), database, macros, job.clock_ports)
    slacks = timer.analyse(database, timer.placed(PinMap(database, macros)))
    _say_latencies(slacks)
    return {
        **write_views(job, technology, database, length),
        "design__instance__count__class:clock_buffer": buffers,
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
