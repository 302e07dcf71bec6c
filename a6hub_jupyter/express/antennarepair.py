"""Diodes for gates that too much metal would charge: each in a gap of the rows near that metal, on the same net."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import klayout.db as kdb
import numpy as np

from a6hub_jupyter.express import rows
from a6hub_jupyter.express.antennacheck import AntennaCheck
from a6hub_jupyter.express.antennarules import junction_area
from a6hub_jupyter.express.database import Component
from a6hub_jupyter.express.drawing import via_table

if TYPE_CHECKING:
    from a6hub_jupyter.express.antennacheck import AntennaViolation
    from a6hub_jupyter.express.assembly import Assembly
    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.drawing import Drawing
    from a6hub_jupyter.express.geometry import Box
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.lefcells import Macros
    from a6hub_jupyter.express.technology import Technology

    Array = np.ndarray[Any, Any]

ROUNDS = 6
MOST_AT_ONCE = 12
"""So many diodes at most are added to a net in a round."""
PREFIX = "ANTENNA_"
"""How the names of the diodes begin."""
FARTHEST = 100_000
"""A diode is at most so far from its gate, or from metal that charges it, nm."""


class Antennas:
    """The antenna check of metal that is not written yet: of all nets at first, then of those that have changed.

    Each net is judged by its own metal: in a design without shorts that is all that charges its gates.
    """

    def __init__(self, job: Job, technology: Technology) -> None:
        self._job, self._technology = job, technology
        stack = technology.stack
        self._layers = stack[stack.index(technology.pin_layer) : stack.index(job.strap_layer) + 1]
        self._allowed: dict[str, tuple[Drawing, int]] = {}

    def violations(self, assembly: Assembly, drawings: dict[str, Drawing]) -> list[AntennaViolation]:
        """The violations there are now; nets that had none, and are drawn as they were, are not looked at again."""
        allowed = {
            name
            for name, (drawing, patches) in self._allowed.items()
            if drawings[name] is drawing and len(drawing.patches) == patches
        }
        found = list(self._check(assembly, {n: d for n, d in drawings.items() if n not in allowed}).violations())
        violating = {violation.net for violation in found}
        self._allowed = {n: (d, len(d.patches)) for n, d in drawings.items() if n not in violating}
        return found

    def _check(self, assembly: Assembly, drawings: dict[str, Drawing]) -> AntennaCheck:
        technology, netlist = self._technology, assembly.database.netlist
        layout = kdb.Layout()
        top = layout.create_cell(self._job.top)
        layers = {name: layout.layer(k + 1, 0) for k, name in enumerate(self._layers)}
        table, widths = via_table(technology), {layer.name: layer.width for layer in technology.layers}
        metal = [shape for net in drawings for shape in assembly.pin_metal(net)]
        for drawing in drawings.values():
            metal += drawing.shapes(table, widths)
        shapes = {name: top.shapes(layer) for name, layer in layers.items()}
        for layer, box in metal:
            if layer in shapes:
                shapes[layer].insert_box(kdb.Box(*box))
        netlist = replace(netlist, nets={name: pins for name, pins in netlist.nets.items() if name in drawings})
        concerned = {instance for pins in netlist.nets.values() for instance, _ in pins}
        placed = {name: cell for name, cell in assembly.components.items() if name in concerned}
        return AntennaCheck(technology, layout, top, layers, netlist, placed)


def with_diodes(
    job: Job, technology: Technology, database: Database, violations: list[AntennaViolation]
) -> Database | None:
    """A copy of the design with diodes for the worst pin of each net; None, and the reason said, where none helps."""
    nets = {violation.net for violation in violations}
    cell, _, pin = (job.diode_cell or "").partition("/")
    macros = technology.lef.macros
    if cell not in macros or pin not in macros[cell].pins or not junction_area(cell, macros[cell].pins[pin]):
        print(f"Antenna rules: {len(nets)} nets violate them, and DIODE_CELL names no cell and pin with a diode.")
        return None
    worst: dict[str, AntennaViolation] = {}
    for violation in sorted(violations, key=lambda v: (-v.ratio / v.allowed, v.net, v.pin)):
        worst.setdefault(violation.net, violation)
    larger = database.copied()
    places = {component.name: component for component in larger.cells()}
    gaps = Gaps(larger, macros, macros[cell].width)
    before = sum(name.startswith(PREFIX) for name in larger.netlist.cells)
    added = 0
    junction = junction_area(cell, macros[cell].pins[pin])
    for violation in [v for v in worst.values() for _ in range(_diodes(v, junction))]:
        spot = gaps.take(places[violation.pin.rpartition("/")[0]], violation.metal)
        if spot is None:
            print(f"No gap near {violation.pin} is wide enough for the diode {cell}.")
            continue
        name = f"{PREFIX}{before + added}"
        larger.netlist.cells[name] = cell
        larger.netlist.nets[violation.net].append((name, pin))
        larger.components.append(Component(name, cell, *spot, larger.orientation_at(spot[1])))
        added += 1
    larger.fillers = rows.fill(larger, macros, job.decaps, job.fillers)
    print(f"Antenna rules: {len(nets)} nets violate them; {added} diodes added.")
    return larger if added else None


def _diodes(violation: AntennaViolation, junction: float) -> int:
    """How many diodes with so much of a junction, um2, a net gets now."""
    return min(max(math.ceil(violation.missing / junction), 1), MOST_AT_ONCE)


class Gaps:
    """The fillers of a design that have room for a cell of some width, nm; each gives its room once."""

    def __init__(self, database: Database, macros: Macros, width: int) -> None:
        self._site = database.site_width
        wide = [filler for filler in database.fillers if macros[filler.cell].width >= width]
        self._low = np.array([filler.x for filler in wide], np.int64)
        self._high = self._low + np.array([macros[filler.cell].width - width for filler in wide], np.int64)
        self._y = np.array([filler.y for filler in wide], np.int64)

    def take(self, gate: Component, metal: tuple[Box, ...]) -> tuple[int, int] | None:
        """The lower left corner, on the sites of the row, nearest to a gate, or to metal that charges it.

        A diode far from all of that would be joined to another part of the net, by a layer that comes too late: None
        where there is nothing near.
        """
        if not len(self._low):
            return None
        low, high, y = self._low, self._high, self._y
        x: Array = np.clip(gate.x, low, high)
        from_gate: Array = np.abs(x - gate.x) + np.abs(y - gate.y)
        way = from_gate
        for x1, y1, x2, y2 in metal:
            near = np.clip(min(max(gate.x, x1), x2), low, high)
            near -= (near - low) % self._site
            beside = np.maximum(np.maximum(x1 - near, near - x2), 0) + np.maximum(np.maximum(y1 - y, y - y2), 0)
            x, way = np.where(beside < way, near, x), np.minimum(beside, way)
        best = int(np.lexsort((from_gate, way))[0])
        if way[best] >= FARTHEST:
            return None
        spot = int(x[best]), int(y[best])
        self._low, self._high, self._y = (np.delete(each, best) for each in (low, high, y))
        return spot
