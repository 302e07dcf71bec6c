"""Buffer trees by geometry: the clock tree, and trees for nets with too many sinks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from a6hub_jupyter.express.database import Component

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.lef import Macro


@dataclass(frozen=True)
class Sink:
    """A pin to drive, and where it is, nm."""

    x: int
    y: int
    instance: str
    pin: str


def pin_center(macro: Macro, pin: str) -> tuple[int, int]:
    """Centre of a pin's largest rectangle, nm from the cell's lower left."""
    shapes = macro.pins[pin].shapes
    if not shapes:
        return macro.width // 2, macro.height // 2
    return max(shapes, key=lambda s: (s.box.width * s.box.height, s.box)).box.center


def groups(sinks: list[Sink], size: int) -> list[list[Sink]]:
    """Split sinks into groups of at most `size` by cutting the longer side again and again."""
    count = math.ceil(len(sinks) / size)
    if count <= 1:
        return [sinks]
    xs, ys = [s.x for s in sinks], [s.y for s in sinks]
    wide = max(xs) - min(xs) >= max(ys) - min(ys)
    ordered = sorted(sinks, key=lambda s: (s.x, s.y) if wide else (s.y, s.x))
    cut = max(len(ordered) * (count // 2) // count, len(ordered) - size * (count - count // 2))
    return groups(ordered[:cut], size) + groups(ordered[cut:], size)


class TreeBuilder:
    """Adds buffers to a placed design, level by level from the sinks to one driver."""

    def __init__(self, database: Database, macros: Mapping[str, Macro]) -> None:
        self._database = database
        self._macros = macros
        self._position = {c.name: c for c in database.cells()}

    def _sink(self, instance: str, pin: str) -> Sink:
        component = self._position[instance]
        x, y = pin_center(self._macros[component.cell], pin)
        return Sink(component.x + x, component.y + y, instance, pin)

    def _add_buffer(self, name: str, cell: str, group: list[Sink]) -> Sink:
        """A buffer at the middle of a group; it drives the group, and is the sink of the next level."""
        database, macro = self._database, self._macros[cell]
        x = sum(s.x for s in group) // len(group) - macro.width // 2
        y = sum(s.y for s in group) // len(group) - macro.height // 2
        component = Component(
            name,
            cell,
            min(max(x, database.row_left), database.row_right - macro.width),
            min(max(y, 0), database.height - macro.height),
        )
        database.components.append(component)
        self._position[name] = component
        database.netlist.cells[name] = cell
        driven = [(s.instance, s.pin) for s in group]
        database.netlist.nets[f"{name}_net"] = [(name, macro.pin("OUTPUT")), *driven]
        return self._sink(name, macro.pin("INPUT"))

    def build(self, net: str, buffers: list[str], fanout: int, prefix: str, *, to_one: bool) -> int:
        """Buffer `net`; the n-th level uses the n-th buffer. Returns how many buffers it took.

        `to_one`: go on until the net drives a single buffer (a clock), else until it drives `fanout`.
        """
        nets, cells = self._database.netlist.nets, self._database.netlist.cells
        drivers = [(i, p) for i, p in nets[net] if self._macros[cells[i]].pins[p].direction != "INPUT"]
        sinks = [self._sink(i, p) for i, p in nets[net] if (i, p) not in drivers]
        level = count = 0
        while len(sinks) > (1 if to_one else fanout):
            cell = buffers[min(level, len(buffers) - 1)]
            found = groups(sinks, fanout)
            sinks = [self._add_buffer(f"{prefix}_{net}_{level}_{k}", cell, g) for k, g in enumerate(found)]
            count, level = count + len(found), level + 1
        nets[net] = drivers + [(s.instance, s.pin) for s in sinks]
        return count
