"""Express.Floorplan: the die, its rows, the ports around it, and the well taps.

python -m a6hub_jupyter.express.floorplan job.json
"""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING

from a6hub_jupyter.express import verilog
from a6hub_jupyter.express.database import Component, Database, PlacedPort
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import Technology

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.lef import Lef
    from a6hub_jupyter.express.verilog import Netlist, Port

MARGIN = 2
"""Free sites left and right of the rows, so that pins at the edge can be reached."""
FEWEST_SITES = 20
RESERVE = 1.03
"""Area kept for clock and fan-out buffers."""
TRACKS_PER_PORT = 3
SIDES = ("WEST", "NORTH", "SOUTH", "EAST")


def check(netlist: Netlist, lef: Lef, clock_ports: list[str]) -> None:
    """Refuse, in one sentence, what cannot be placed."""
    if not netlist.cells:
        raise ProblemError(
            f"The module '{netlist.top}' has no cells after synthesis: there is nothing to place. "
            "Give it logic, and outputs that depend on it."
        )
    for cell in sorted(set(netlist.cells.values())):
        if cell not in lef.macros:
            raise ProblemError(
                f"The netlist uses '{cell}', which no LEF file defines: map it, or add it to EXTRA_LEFS."
            )
    inputs = [port.name for port in netlist.ports if port.direction == "INPUT"]
    for clock in clock_ports:
        if clock not in inputs:
            shown = ", ".join(inputs[:8]) or "none"
            raise ProblemError(
                f"CLOCK_PORT names '{clock}', which is no input of '{netlist.top}' (inputs: {shown}). "
                "Correct it, or leave it out for a design without a clock."
            )
    for constant in verilog.CONSTANTS:
        if constant in netlist.nets:
            instance, pin = netlist.nets[constant][0]
            raise ProblemError(
                f"The pin {pin} of {instance} is tied to the constant '{constant}' without a tie cell: "
                "set SYNTH_TIEHI_CELL and SYNTH_TIELO_CELL, or drive the net."
            )
    driven = {port.net for port in netlist.ports if port.direction != "OUTPUT"}
    for net, pins in netlist.nets.items():
        if net not in driven and not any(lef.macros[netlist.cells[i]].pins[p].direction != "INPUT" for i, p in pins):
            raise ProblemError(f"Nothing drives the net '{net}' (it feeds {pins[0][0]}/{pins[0][1]}): drive it.")


def die_size(area: int, job: Job, technology: Technology, ports: int) -> tuple[int, int]:
    """Width and height in nm: whole sites, and an even number of rows, so that both edges are ground rails.

    `area` in nm2 is that of the cells.
    """
    site_width, row_height = technology.site
    if job.die_area:
        x1, y1, x2, y2 = job.die_area
        width = (x2 - x1) // site_width * site_width
        height = (y2 - y1) // (2 * row_height) * 2 * row_height
        room = (width - 2 * MARGIN * site_width) * height
        if room < area * RESERVE:
            raise ProblemError(
                f"DIE_AREA holds {room / 1e6:.0f} um2 in whole rows, but the cells need "
                f"{area * RESERVE / 1e6:.0f} um2: "
                "enlarge it."
            )
        return width, height
    per_side = math.ceil(ports / 4) * TRACKS_PER_PORT + 4
    least_width, least_height = per_side * technology.pitch_x, per_side * technology.pitch_y
    wanted = area * RESERVE / job.utilization
    rows = math.ceil(max(math.sqrt(wanted * job.aspect_ratio), least_height) / row_height / 2) * 2
    sites = max(math.ceil(wanted / (rows * row_height * site_width)), FEWEST_SITES, least_width // site_width)
    return (sites + 2 * MARGIN) * site_width, rows * row_height


def spread_ports(ports: list[Port], width: int, height: int, technology: Technology) -> list[PlacedPort]:
    """Inputs west then north, outputs south then east, evenly spread on tracks."""
    routable = [port for port in ports if port.net not in verilog.CONSTANTS]
    routable.sort(key=lambda port: port.direction != "INPUT")
    per_side = math.ceil(len(routable) / len(SIDES))
    placed = []
    for k, side in enumerate(SIDES):
        here = routable[k * per_side : (k + 1) * per_side]
        span, pitch = (height, technology.pitch_y) if side in ("WEST", "EAST") else (width, technology.pitch_x)
        for n, port in enumerate(here, 1):
            at = round(span * n / (len(here) + 1) / pitch) * pitch
            placed.append(PlacedPort(port.name, port.net, port.direction, side, at))
    return placed


def tap_columns(database: Database, cell: str, width: int, distance: int) -> list[Component]:
    """Well taps every 2 x distance, staggered by distance in every other row, as LibreLane's tapcell does."""
    site = database.site_width
    taps: list[Component] = []
    for row in range(database.row_count):
        last = database.row_right - width
        columns = list(range(database.row_left + (distance if row % 2 else 0), last + 1, 2 * distance))
        if not columns or database.row_right - columns[-1] > distance:
            columns.append(last)
        y = row * database.row_height
        for x in sorted({min(x // site * site, last) for x in columns}):
            taps.append(Component(f"tap_{len(taps)}", cell, x, y, database.orientation_at(y)))
    return taps


def plan(job: Job) -> Metrics:
    """Read the netlist, size the die, place ports and taps; metrics in um and um2."""
    technology = Technology.of(job)
    macros = technology.lef.macros
    netlist = verilog.read(job.given("netlist"), job.top)
    check(netlist, technology.lef, job.clock_ports)
    area = sum(macros[cell].width * macros[cell].height for cell in netlist.cells.values())
    width, height = die_size(area, job, technology, len(netlist.ports))
    site_width, row_height = technology.site
    margin = MARGIN * site_width
    database = Database(netlist, width, height, row_height, site_width, margin, width - margin)
    database.ports = spread_ports(netlist.ports, width, height, technology)
    if job.tap_cell and job.tap_distance:
        if job.tap_cell not in macros:
            raise ProblemError(f"WELLTAP_CELL names '{job.tap_cell}', which no LEF file defines.")
        database.taps = tap_columns(database, job.tap_cell, macros[job.tap_cell].width, job.tap_distance)
    shutil.copyfile(job.given("netlist"), job.output(f"{job.top}.synthesised.v"))
    database.save(job.output(DATABASE_FILE))
    write_def(job, technology, database)
    core = (width - 2 * margin) * height
    print(
        f"Die {width / 1000:.2f} x {height / 1000:.2f} um, {database.row_count} rows, "
        f"{len(netlist.cells)} cells, {len(database.ports)} ports, {len(database.taps)} well taps."
    )
    for port in netlist.ports:
        if port.net in verilog.CONSTANTS:
            print(f"WARNING: the port {port.name} is the constant '{port.net}': it gets no pin.")
    return {
        "design__die__area": round(width * height / 1e6, 4),
        "design__core__area": round(core / 1e6, 4),
        "design__io": len(database.ports),
        "design__instance__count": len(netlist.cells) + len(database.taps),
        "design__instance__area": round(area / 1e6, 4),
        "design__instance__utilization": round(area / core, 4),
    }


if __name__ == "__main__":
    run(plan)
