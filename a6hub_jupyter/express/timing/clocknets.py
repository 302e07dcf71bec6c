"""Which nets carry a clock: from the clock's port on, through buffers and gates, up to the registers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from a6hub_jupyter.express.timing.cells import Cell
    from a6hub_jupyter.express.verilog import Netlist


def clock_pins(cell: Cell) -> set[str]:
    """Pins whose edge starts a path or is checked against."""
    launching = {
        arc.related for pin in cell.pins.values() for arc in pin.arcs if arc.kind in ("rising_edge", "falling_edge")
    }
    return launching | {check.related for pin in cell.pins.values() for check in pin.checks if check.kind == "setup"}


def clock_nets(netlist: Netlist, library: Mapping[str, Cell], ports: Iterable[str]) -> dict[str, list[str]]:
    """The nets of each clock port that lead to clock pins, the port's own first.

    A gate's output is the clock's when a way through it ends at a clock pin; data made from the clock is not.
    """
    inputs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    output: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for net, pins in netlist.nets.items():
        for instance, name in pins:
            pin = library[netlist.cells[instance]].pins.get(name) if netlist.cells[instance] in library else None
            if pin is None:
                continue
            if pin.direction == "input":
                inputs[net].append((instance, name))
            else:
                output[instance].append((name, net))
    pins_of = {cell: clock_pins(library[cell]) for cell in set(netlist.cells.values()) if cell in library}
    net_of_port = {port.name: port.net for port in netlist.ports}
    found: dict[str, list[str]] = {}
    for port in ports:
        start = net_of_port.get(port)
        if start is None:
            continue
        order, before = [start], {start: ""}
        reaches: set[str] = set()
        for net in order:
            for instance, name in inputs.get(net, ()):
                cell = library[netlist.cells[instance]]
                if name in pins_of[cell.name] and not cell.is_clock_gate:
                    reaches.add(net)
                    continue
                for out, beyond in output.get(instance, ()):
                    through = any(a.related == name and a.kind == "combinational" for a in cell.pins[out].arcs)
                    if (through or cell.is_clock_gate) and beyond not in before and not cell.storage:
                        before[beyond] = net
                        order.append(beyond)
        kept = {start}
        for net in reaches:
            while net and net not in kept:
                kept.add(net)
                net = before[net]  # noqa: PLW2901  walks back to the port
        found[port] = [net for net in order if net in kept]
    return found
