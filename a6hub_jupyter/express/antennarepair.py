"""Diodes for gates that too much metal would charge: each in a gap of the rows near its gate, on the same net."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import klayout.db as kdb

from a6hub_jupyter.express import rows
from a6hub_jupyter.express.antennacheck import AntennaCheck
from a6hub_jupyter.express.antennarules import junction_area
from a6hub_jupyter.express.database import Component
from a6hub_jupyter.express.drawing import via_table

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from a6hub_jupyter.express.antennacheck import AntennaViolation
    from a6hub_jupyter.express.assembly import Assembly
    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.drawing import Drawing
    from a6hub_jupyter.express.geometry import Shape
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.lef import Macros
    from a6hub_jupyter.express.technology import Technology

ROUNDS = 4
PREFIX = "ANTENNA_"
"""How the names of the diodes begin."""
FARTHEST = 100_000
"""A diode is at most so far from its gate, nm."""


def check(job: Job, technology: Technology, assembly: Assembly, drawings: dict[str, Drawing]) -> AntennaCheck:
    """The antenna check on metal that is not written yet."""
    stack = technology.stack
    names = stack[stack.index(technology.pin_layer) : stack.index(job.strap_layer) + 1]
    layout = kdb.Layout()
    top = layout.create_cell(job.top)
    layers = {name: layout.layer(k + 1, 0) for k, name in enumerate(names)}
    for layer, box in _metal(technology, assembly, drawings, layers):
        if layer in layers:
            top.shapes(layers[layer]).insert(kdb.Box(*box))
    return AntennaCheck(technology, layout, top, layers, assembly.database.netlist, assembly.components)


def _metal(
    technology: Technology, assembly: Assembly, drawings: dict[str, Drawing], layers: Container[str]
) -> Iterator[Shape]:
    table, widths = via_table(technology), {layer.name: layer.width for layer in technology.layers}
    for _, shape in assembly.fixed(layers):
        yield shape
    for drawing in drawings.values():
        yield from drawing.shapes(table, widths)


def with_diodes(
    job: Job, technology: Technology, database: Database, violations: list[AntennaViolation]
) -> Database | None:
    """A copy of the design with a diode for the worst pin of each net; None, and the reason said, where none helps."""
    nets = {violation.net for violation in violations}
    cell, _, pin = (job.diode_cell or "").partition("/")
    macros = technology.lef.macros
    if cell not in macros or pin not in macros[cell].pins or not junction_area(cell, macros[cell].pins[pin]):
        print(f"Antenna rules: {len(nets)} nets violate them, and DIODE_CELL names no cell and pin with a diode.")
        return None
    worst: dict[str, AntennaViolation] = {}
    for violation in sorted(violations, key=lambda v: (-v.ratio / v.allowed, v.net, v.pin)):
        worst.setdefault(violation.net, violation)
    larger = copy.deepcopy(database)
    places = {component.name: component for component in larger.cells()}
    added = 0
    for violation in worst.values():
        gate = places[violation.pin.rpartition("/")[0]]
        spot = _take_gap(larger.fillers, macros, gate, macros[cell].width)
        if spot is None:
            print(f"No gap near {violation.pin} is wide enough for the diode {cell}.")
            continue
        name = f"{PREFIX}{sum(n.startswith(PREFIX) for n in larger.netlist.cells)}"
        larger.netlist.cells[name] = cell
        larger.netlist.nets[violation.net].append((name, pin))
        larger.components.append(Component(name, cell, *spot, larger.orientation_at(spot[1])))
        added += 1
    larger.fillers = rows.fill(larger, macros, job.decaps, job.fillers)
    print(f"Antenna rules: {len(nets)} nets violate them; {added} diodes added.")
    return larger if added else None


def _take_gap(fillers: list[Component], macros: Macros, gate: Component, width: int) -> tuple[int, int] | None:
    """Take out the filler nearest to a gate that has room for a cell of this width; the cell's lower left corner."""
    best, best_way, taken = None, FARTHEST, None
    for filler in fillers:
        room = macros[filler.cell].width - width
        if room >= 0:
            x = min(max(gate.x, filler.x), filler.x + room)
            way = abs(x - gate.x) + abs(filler.y - gate.y)
            if way < best_way:
                best, best_way, taken = (x, filler.y), way, filler
    if taken is not None:
        fillers.remove(taken)
    return best
