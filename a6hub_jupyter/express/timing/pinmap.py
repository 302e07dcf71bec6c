"""Where the pins of each net are: their metal and their centres on the die."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express.buffering import pin_center

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.database import Component, Database
    from a6hub_jupyter.express.lefcells import Macro
    from a6hub_jupyter.express.timing.wires import Terminal


class PinMap:
    """A view of a placed design by nets. Cells may move while it is in use, but none be added."""

    def __init__(self, database: Database, macros: Mapping[str, Macro]) -> None:
        self._database = database
        self._macros = macros
        self._components: dict[str, Component] = {c.name: c for c in database.cells()}
        self._edge = {port.name: port for port in database.ports}
        self._ports: dict[str, list[tuple[str, str]]] = {}
        for port in database.netlist.ports:
            self._ports.setdefault(port.net, []).append((port.name, port.direction))

    def nets(self) -> list[str]:
        """All nets, those that only join ports included."""
        return list(dict.fromkeys([*self._database.netlist.nets, *self._ports]))

    def driver(self, net: str) -> Terminal | None:
        """The first port or pin that drives a net."""
        for name, direction in self._ports.get(net, ()):
            if direction == "INPUT":
                return "", name
        for instance, pin in self._database.netlist.nets.get(net, ()):
            if self._macro(instance).pins[pin].direction != "INPUT":
                return instance, pin
        return None

    def points(self, net: str) -> dict[Terminal, tuple[int, int]]:
        """The centre of each pin of a net, nm."""
        return {terminal: self.point(terminal) for terminal in self._terminals(net)}

    def point(self, terminal: Terminal) -> tuple[int, int]:
        """The centre of a pin, or where a port meets the edge of the die, nm."""
        instance, pin = terminal
        if not instance:
            return self._edge[pin].point(self._database.width, self._database.height)
        component, macro = self._components[instance], self._macro(instance)
        x, y = pin_center(macro, pin)
        if component.orientation in ("FN", "S"):
            x = macro.width - x
        if component.orientation in ("FS", "S"):
            y = macro.height - y
        return component.x + x, component.y + y

    def boxes(self, net: str) -> dict[Terminal, list[tuple[str, tuple[int, int, int, int]]]]:
        """The metal of each pin of a net, nm; a port is the point where it meets the edge, on no layer."""
        found: dict[Terminal, list[tuple[str, tuple[int, int, int, int]]]] = {}
        for instance, pin in self._terminals(net):
            if instance:
                component, macro = self._components[instance], self._macro(instance)
                shapes = macro.pins[pin].shapes
                found[instance, pin] = [(layer, component.place(box, macro)) for layer, box in shapes]
            else:
                x, y = self.point((instance, pin))
                found[instance, pin] = [("", (x, y, x, y))]
        return found

    def _terminals(self, net: str) -> list[Terminal]:
        ports = [("", name) for name, _ in self._ports.get(net, ()) if name in self._edge]
        return [*ports, *self._database.netlist.nets.get(net, ())]

    def _macro(self, instance: str) -> Macro:
        return self._macros[self._database.netlist.cells[instance]]
