"""Express.Floorplan: the die, its rows, the ports around it, and the well taps.

python -m a6hub_jupyter.express.floorplan job.json
"""

from __future__ import annotations

import math
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express import pinorder, verilog
from a6hub_jupyter.express.database import Component, Database, PlacedPort
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.diesize import RESERVE, Outline, outline
from a6hub_jupyter.express.geometry import Box, gaps
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.macroplaces import check_buses, check_grid, to_tracks, without_slots
from a6hub_jupyter.express.packing import fits
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.taps import add_taps
from a6hub_jupyter.express.technology import Technology

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.lef import Lef
    from a6hub_jupyter.express.lefcells import Macro
    from a6hub_jupyter.express.verilog import Netlist, Port

STRAPS_IN_CHANNEL = 4
"""A channel beside a hard macro has rows only where so many straps fit: one of each net, past one that is there."""
TRACKS_APART = 2
"""Ports are so many tracks from each other at least; where the die is given and holds fewer, one."""
ENLARGED = 1.05
"""A core in which the cells find no room is tried again so many times as large."""
ENLARGEMENTS = 20
"""So often at most: a cell that is wider than taps are apart fits into no core."""
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


def along(length: int, pitch: int, count: int, least: int) -> list[int] | None:
    """Tracks for `count` ports on a side, nm from its beginning: evenly, or as close as `least` where that is too wide.

    As LibreLane's placer of ports, which knows tracks alone: the least distance is rounded up to whole tracks, and a
    side is full when no further track is that far from the last one. None when it cannot hold so many.
    """
    even = [round(length * n / (count + 1) / pitch) * pitch for n in range(1, count + 1)]
    if all(b - a >= least for a, b in pairwise([0, *even])):
        return even
    every, last = -(-least // pitch), (length - 1) // pitch
    spare = last - 1 - (count - 1) * every
    if spare < 0:
        return None
    return [(1 + spare // 2 + n * every) * pitch for n in range(count)]


def spread_ports(ports: list[Port], width: int, height: int, technology: Technology) -> list[PlacedPort]:
    """Inputs west then north, outputs south then east, evenly spread on tracks. ProblemError when they do not fit."""
    routable = [port for port in ports if port.net not in verilog.CONSTANTS]
    routable.sort(key=lambda port: port.direction != "INPUT")
    per_side = math.ceil(len(routable) / len(SIDES))
    placed = []
    for k, side in enumerate(SIDES):
        here = routable[k * per_side : (k + 1) * per_side]
        span, pitch = _extent(side, width, height, technology)
        places = along(span, pitch, len(here), TRACKS_APART * pitch) or along(span, pitch, len(here), pitch)
        if places is None:
            raise ProblemError(
                f"The die is {width / 1000:.1f} x {height / 1000:.1f} um, too small for {len(routable)} ports: "
                f"the side {side} cannot hold {len(here)}. Enlarge DIE_AREA, or give the design fewer ports."
            )
        placed += [PlacedPort(p.name, p.net, p.direction, side, at) for p, at in zip(here, places, strict=True)]
    return placed


def _extent(side: str, width: int, height: int, technology: Technology) -> tuple[int, int]:
    """Length of a side, and the pitch of the tracks that end there, nm."""
    return (height, technology.pitch_y) if side in ("WEST", "EAST") else (width, technology.pitch_x)


def arrange_ports(ports: list[Port], width: int, height: int, technology: Technology, job: Job) -> list[PlacedPort]:
    """Ports where IO_PIN_ORDER_CFG wants them: each side evenly filled, free places kept, on tracks."""
    routable = {port.name: port for port in ports if port.net not in verilog.CONSTANTS}
    try:
        text = Path(job.pin_order or "").read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(f"IO_PIN_ORDER_CFG names {job.pin_order}, which cannot be read ({error}).") from error
    placed = []
    for side, arrangement in pinorder.arrange(text, list(routable), job.pins_unmatched).items():
        span, pitch = _extent(side, width, height, technology)
        names = arrangement.places
        least = max(TRACKS_APART * pitch, arrangement.least_distance)
        places = along(span, pitch, len(names), least)
        if places is None:
            raise ProblemError(
                f"IO_PIN_ORDER_CFG puts {len(names)} ports {least / 1000:g} um apart on the side {side}, "
                f"which is {span / 1000:.1f} um long: move some to other sides, or enlarge the die (DIE_AREA or "
                "FP_CORE_UTIL)."
            )
        for name, at in zip(names, places, strict=True):
            if name is not None:
                placed.append(PlacedPort(name, routable[name].net, routable[name].direction, side, at))
    return placed


def place_blocks(job: Job, database: Database, technology: Technology) -> None:
    """Put the hard macros where MACROS says, their pins on tracks; they keep their halo free of rows.

    ProblemError when they do not fit, or would meet the power grid on a layer of their own.
    """
    lef = technology.lef
    die = Box(0, 0, database.width, database.height)
    cells = database.netlist.cells
    check_buses({macro["cell"] for macro in job.macros}, job.macro_modules)
    for macro in job.macros:
        block = Component(**macro)
        if cells.get(block.name) != block.cell:
            raise ProblemError(f"MACROS places {block.name} ({block.cell}), which the netlist does not have.")
        if block.cell not in lef.macros:
            raise ProblemError(f"MACROS names '{block.cell}', which no LEF file defines: add its LEF.")
        size = lef.macros[block.cell]
        check_grid(block, technology)
        moved = to_tracks(block, size, technology)
        if any(moved):
            print(
                f"The macro {block.name} is moved by ({moved[0] / 1000:g}, {moved[1] / 1000:g}) um to "
                f"({block.x / 1000:g}, {block.y / 1000:g}) um: its pins are on routing tracks there."
            )
        drawn = [*size.obstructions, *(shape for pin in size.pins.values() for shape in pin.shapes)]
        if job.bar_layer and any(shape.layer == job.bar_layer for shape in drawn):
            raise ProblemError(
                f"The macro {block.cell} has metal on {job.bar_layer}, where horizontal power straps have to cross it: "
                "build it with PDN_MULTILAYER set to false."
            )
        box = Box(block.x, block.y, block.x + size.width, block.y + size.height)
        halo = Box(box.x1 - job.halo[0], box.y1 - job.halo[1], box.x2 + job.halo[0], box.y2 + job.halo[1])
        if not die.contains(box):
            raise ProblemError(
                f"The macro {block.name} ({size.width / 1000:g} x {size.height / 1000:g} um) does not fit where MACROS "
                f"puts it, on a die of {die.width / 1000:.1f} x {die.height / 1000:.1f} um: set DIE_AREA, or move it."
            )
        for other, taken in zip(database.blocks, database.kept_free, strict=True):
            if max(gaps(box, taken)) < 0:
                raise ProblemError(f"The macros {block.name} and {other.name} are too close: move one in MACROS.")
        database.blocks.append(block)
        database.kept_free.append(halo)
    slot = STRAPS_IN_CHANNEL * (job.strap_width + job.strap_spacing)
    database.kept_free = without_slots(database.kept_free, database.width, slot)
    placed = {block.name for block in database.blocks}
    for name, cell in cells.items():
        if name not in placed and lef.macros[cell].kind.startswith("BLOCK"):
            raise ProblemError(f"The netlist has the hard macro {name} ({cell}): give its place in MACROS.")


def roomy_outline(netlist: Netlist, job: Job, technology: Technology) -> Outline:
    """The outline in which the cells find room between the taps; ProblemError when it is given and too small.

    Where FP_CORE_UTIL decides, a core in which they would not is made larger: between taps 20 um apart there is room
    for one flip-flop of gf180mcu and for little beside it. Where that does not help, it stays as FP_CORE_UTIL says, and
    the placer says what does not fit.
    """
    cells = cells_of_rows(netlist, job, technology.lef)
    area = sum(cell.width * cell.height for cell in cells)
    widths = [cell.width for cell in cells]
    asked = size = outline(area, job, technology, len(netlist.ports), max(widths, default=0))
    for _ in range(ENLARGEMENTS):
        trial = empty(netlist, size, technology)
        add_taps(job, trial, technology.lef)
        if job.die_area or fits(widths, trial, technology.lef.macros):
            return size
        area = math.ceil(area * ENLARGED)
        size = outline(area, job, technology, len(netlist.ports), max(widths, default=0))
    return asked


def cells_of_rows(netlist: Netlist, job: Job, lef: Lef) -> list[Macro]:
    """What is to stand in the rows: all cells but the hard macros."""
    blocks = {macro["cell"] for macro in job.macros}
    return [lef.macros[cell] for cell in netlist.cells.values() if cell not in blocks]


def empty(netlist: Netlist, size: Outline, technology: Technology) -> Database:
    """The database of a design of which nothing is placed."""
    site_width, row_height = technology.site
    database = Database(netlist, size.width, size.height, row_height, site_width, size.core.x1, size.core.x2)
    database.row_bottom, database.row_top = size.core.y1, size.core.y2
    return database


def plan(job: Job) -> Metrics:
    """Read the netlist, size the die, place ports and taps; metrics in um and um2."""
    technology = Technology.of(job)
    netlist = verilog.read(job.given("netlist"), job.top, technology.lef.macros.bits)
    check(netlist, technology.lef, job.clock_ports)
    area = sum(cell.width * cell.height for cell in cells_of_rows(netlist, job, technology.lef))
    size = roomy_outline(netlist, job, technology)
    width, height, core = size
    database = empty(netlist, size, technology)
    place_blocks(job, database, technology)
    if job.pin_order:
        database.ports = arrange_ports(netlist.ports, width, height, technology, job)
    else:
        database.ports = spread_ports(netlist.ports, width, height, technology)
    add_taps(job, database, technology.lef)
    shutil.copyfile(job.given("netlist"), job.output(f"{job.top}.synthesised.v"))
    database.save(job.output(DATABASE_FILE))
    write_def(job, technology, database)
    room = database.room()
    if area * RESERVE > room:
        raise ProblemError(
            f"The hard macros leave {room / 1e6:.0f} um2 for cells that need {area * RESERVE / 1e6:.0f} um2: "
            "lower FP_CORE_UTIL, or enlarge DIE_AREA."
        )
    print(
        f"Die {width / 1000:.2f} x {height / 1000:.2f} um, {core.height // database.row_height} rows, "
        f"{len(netlist.cells)} cells, {len(database.ports)} ports, {len(database.taps)} well taps."
    )
    for port in netlist.ports:
        if port.net in verilog.CONSTANTS:
            print(f"WARNING: the port {port.name} is the constant '{port.net}': it gets no pin.")
    return {
        "design__die__area": round(width * height / 1e6, 4),
        "design__core__area": round(core.width * core.height / 1e6, 4),
        "design__io": len(database.ports),
        "design__instance__count": len(netlist.cells) + len(database.taps),
        "design__instance__area": round(area / 1e6, 4),
        "design__instance__utilization": round(area / room, 4),
    }


if __name__ == "__main__":
    run(plan)
