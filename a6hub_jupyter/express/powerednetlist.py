"""Express.PoweredNetlist: the final netlist with all placed cells and their supply pins.

    python -m a6hub_jupyter.express.powerednetlist job.json

For tools that compare a layout with transistors, and for simulation with supplies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import verilog
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.verilog import Netlist, Port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.lefcells import Macro


def powered(database: Database, macros: Mapping[str, Macro], job: Job) -> Netlist:
    """The netlist with taps, fillers and both supplies, which are ports as well."""
    plain = database.netlist
    supplies = {job.power_net: {job.power_net, *job.power_pins}, job.ground_net: {job.ground_net, *job.ground_pins}}
    nets = {net: list(pins) for net, pins in plain.nets.items()}
    cells = dict(plain.cells)
    for component in database.everything():
        cells.setdefault(component.name, component.cell)
        for name, pin in macros[component.cell].pins.items():
            for net, names in supplies.items():
                if not pin.is_signal and name in names:
                    nets.setdefault(net, []).append((component.name, name))
    ports = [*plain.ports, *(Port(net, "INOUT", net) for net in supplies)]
    return Netlist(plain.top, cells, nets, ports)


def write(job: Job) -> Metrics:
    """Write `<top>.pnl.v` into the step directory."""
    database = Database.load_placed(job.given("database"))
    netlist = powered(database, Technology.of(job).lef.macros, job)
    job.output(f"{job.top}.pnl.v").write_text(verilog.write(netlist))
    print(f"{len(netlist.cells)} cells with their supplies {job.power_net} and {job.ground_net}.")
    return {}


if __name__ == "__main__":
    run(write)
