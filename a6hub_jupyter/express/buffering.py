"""Buffers for a placed design, by geometry: trees for nets with too many sinks, and the parts of other trees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from a6hub_jupyter.express.database import Component
from a6hub_jupyter.express.geometry import Box

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.lefcells import Macro


@dataclass(frozen=True)
class Sink:
    """A pin to drive, and where it is, nm."""

    x: int
    y: int
    instance: str
    pin: str


def pin_center(macro: Macro, pin: str) -> tuple[int, int]:
    """Centre of a pin's largest rectangle, nm from the cell's lower left."""
    return macro.pins[pin].middle or (macro.width // 2, macro.height // 2)


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
    """Adds buffers to a placed design, one by one or level by level from the sinks to one driver."""

    def __init__(self, database: Database, macros: Mapping[str, Macro]) -> None:
        self._database = database
        self._macros = macros
        self._position = {c.name: c for c in database.cells()}

    def sink(self, instance: str, pin: str) -> Sink:
        """A pin of a placed cell."""
        component = self._position[instance]
        macro = self._macros[component.cell]
        x, y = pin_center(macro, pin)
        x, y = component.place(Box(x, y, x, y), macro).center
        return Sink(x, y, instance, pin)

    def ends(self, net: str) -> tuple[list[tuple[str, str]], list[Sink]]:
        """The pins that drive a net, and those that it drives."""
        cells = self._database.netlist.cells
        pins = self._database.netlist.nets[net]
        drivers = [(i, p) for i, p in pins if self._macros[cells[i]].pins[p].direction != "INPUT"]
        return drivers, [self.sink(i, p) for i, p in pins if (i, p) not in set(drivers)]

    def set_ends(self, net: str, drivers: list[tuple[str, str]], sinks: list[Sink]) -> None:
        """Connect a net to these drivers and sinks alone."""
        self._database.netlist.nets[net] = drivers + [(s.instance, s.pin) for s in sinks]

    def add_buffer(self, name: str, cell: str, group: list[Sink], at: tuple[int, int] | None = None) -> Sink:
        """A buffer in the middle of a group, or `at` a point; it drives the group. Returns its own input."""
        database, macro = self._database, self._macros[cell]
        middle = sum(s.x for s in group) // len(group), sum(s.y for s in group) // len(group)
        x, y = at or middle
        component = Component(
            name,
            cell,
            min(max(x - macro.width // 2, database.row_left), database.row_right - macro.width),
            min(max(y - macro.height // 2, database.row_bottom), (database.row_top or database.height) - macro.height),
        )
        database.components.append(component)
        self._position[name] = component
        database.netlist.cells[name] = cell
        driven = [(s.instance, s.pin) for s in group]
        database.netlist.nets[f"{name}_net"] = [(name, macro.pin("OUTPUT")), *driven]
        return self.sink(name, macro.pin("INPUT"))

    def build(self, net: str, buffer: str, fanout: int, prefix: str) -> int:
        """Buffer `net` until it drives at most `fanout` pins. Returns how many buffers it took."""
        drivers, sinks = self.ends(net)
        level = count = 0
        while len(sinks) > fanout:
            found = groups(sinks, fanout)
            sinks = [self.add_buffer(f"{prefix}_{net}_{level}_{k}", buffer, g) for k, g in enumerate(found)]
            count, level = count + len(found), level + 1
        self.set_ends(net, drivers, sinks)
        return count
