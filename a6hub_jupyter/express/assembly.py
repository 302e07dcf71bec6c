"""A placed design on the routing grid, and routes back into metal."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from a6hub_jupyter.express.cellmetal import CellBlocks, CellMetal
from a6hub_jupyter.express.defwriter import port_layer
from a6hub_jupyter.express.drawing import Drawing, Via, Wire, port_box, via_name
from a6hub_jupyter.express.fabric import Net, Terminal
from a6hub_jupyter.express.geometry import Shape
from a6hub_jupyter.express.grid import NO_WIRE, Grid
from a6hub_jupyter.express.macropins import Lead, MacroPins
from a6hub_jupyter.express.pinaccess import Access, PinAccess
from a6hub_jupyter.express.pincandidates import PinCandidates
from a6hub_jupyter.express.powergrid import grid_shapes
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.router import Router
from a6hub_jupyter.express.routes import CUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a6hub_jupyter.express.database import Component, Database, PlacedPort
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.metalmap import Owned
    from a6hub_jupyter.express.repair import Finding
    from a6hub_jupyter.express.technology import Technology

REPAIR_PRICE = 6.0
PORT_CLEARANCE = 4
"""Grid steps between a port on the first routing layer and the nearest cell pin."""


class Assembly:
    """Brings a placed design onto the grid, and routes back into metal."""

    def __init__(self, job: Job, technology: Technology, database: Database, before: Assembly | None = None) -> None:
        """`before`: the same design with other cells, whose knowledge of pins is taken over; hard macros stay."""
        self.job, self.technology, self.database = job, technology, database
        self.macros = technology.lef.macros
        self._candidates: PinCandidates = before._candidates if before else PinCandidates(technology, self.macros)
        self.components = {c.name: c for c in database.everything()}
        self.grid = Grid(technology, database.width, database.height)
        self.unreachable: list[tuple[str, str]] = []
        self._net_of = database.netlist.net_of()
        index = {layer.name: k for k, layer in enumerate(technology.layers)}
        self._metal = CellMetal(self.macros, technology.stack)
        CellBlocks(self.grid, self.macros).block(self.components.values(), self._net_of)
        power = [shape for _, shape in grid_shapes(job, database) if shape.layer in index]
        for layer_name, box in power:
            self.grid.block(index[layer_name], box)
        self._leads: dict[tuple[str, str], Lead] = before._leads if before else self._leads_to_macros(power)
        for pin, lead in self._leads.items():
            for layer_name, box in lead.metal:
                self.grid.claim(index[layer_name], box, self._net_of[pin])
        self.grid.settle_claims()
        self.nets = self._nets()
        self.router = Router(self.grid, self.nets)

    def _leads_to_macros(self, power: list[Shape]) -> dict[tuple[str, str], Lead]:
        return MacroPins(self.grid, self._metal, power).leads(self.database.blocks, self._net_of.keys())

    def with_cells(self, database: Database) -> Assembly:
        """The same design with other cells, or cells at other places."""
        return Assembly(self.job, self.technology, database, self)

    def fixed(self) -> Iterator[Owned]:
        """All metal that is there before routing, with the signal net it belongs to, if any."""
        for component in self.components.values():
            yield from self.metal_of(component)
        for _, shape in grid_shapes(self.job, self.database):
            yield None, shape

    def metal_of(self, component: Component) -> Iterator[Owned]:
        """The metal of a placed cell, with the signal net of each shape, if any."""
        for pin, shape in self._metal.placed(component):
            yield self._net_of.get((component.name, pin)), shape

    def fixed_since(self, before: Assembly) -> tuple[list[Owned], list[Owned]]:
        """What of the fixed metal is gone and what has come since another assembly of the design.

        Cells come, go and move meanwhile; the power grid stays.
        """
        old, new = before.standing(), self.standing()
        gone = [owned for place in old if place not in new for owned in before.metal_of(old[place])]
        come = [owned for place in new if place not in old for owned in self.metal_of(new[place])]
        return gone, come

    def standing(self) -> dict[tuple[object, ...], Component]:
        """The cells by what makes their metal: cell, place, and the nets of the pins; fillers change their names."""
        nets: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for (instance, pin), net in self._net_of.items():
            nets[instance].append((pin, net))
        return {(c.cell, c.x, c.y, c.orientation, *sorted(nets.get(c.name, ()))): c for c in self.components.values()}

    def pin_metal(self, net: str) -> Iterator[Shape]:
        """The metal of the cell pins on a net."""
        for instance, pin in self.database.netlist.nets.get(net, ()):
            for _, shape in self._metal.placed(self.components[instance], [pin]):
                yield shape

    def _nets(self) -> list[Net]:
        ways = self._ways()
        terminals: dict[str, list[Terminal]] = {}
        for net, pins in self.database.netlist.nets.items():
            for instance, pin in pins:
                if ways[instance, pin]:
                    terminals.setdefault(net, []).append(Terminal(instance, pin, ways[instance, pin]))
                else:
                    self.unreachable.append((instance, pin))
        near_pins = {node for ts in terminals.values() for t in ts for node in t.ways}
        taken: set[tuple[str, int]] = set()
        for port in self.database.ports:
            node = self._port_node(port, near_pins, taken)
            terminals.setdefault(port.net, []).append(Terminal("", port.name, {node: Access(0.0, None)}))
        return [Net(name, ts) for name, ts in terminals.items() if len(ts) > 1 or not ts[0].instance]

    def _ways(self) -> dict[tuple[str, str], dict[int, Access]]:
        """The ways to reach each pin."""
        grid = self.grid
        access = PinAccess(grid, self._candidates, list(self.components.values()))
        found = access.ways([(self.components[instance], pin, net) for (instance, pin), net in self._net_of.items()])
        ways = dict(zip(self._net_of, found, strict=True))
        for pin, lead in self._leads.items():
            node, number = np.array([lead.node]), np.array([grid.number(self._net_of[pin])])
            if not grid.blocked_for(node, number)[0] & NO_WIRE:
                ways[pin] = {lead.node: Access(0.0, None)}
        return ways

    def _port_node(self, port: PlacedPort, near_pins: set[int], taken: set[tuple[str, int]]) -> int:
        """The free track nearest to where the floorplan put a port; moves the port there."""
        grid, technology = self.grid, self.technology
        across = port.side in ("WEST", "EAST")
        k = technology.index(port_layer(self.job, technology, port).name)
        count = grid.rows if across else grid.columns
        edge = 1 if port.side in ("WEST", "SOUTH") else (grid.columns if across else grid.rows) - 2
        if across:
            wanted = round((port.at - technology.offset_y) / technology.pitch_y)
        else:
            wanted = round((port.at - technology.offset_x) / technology.pitch_x)
        step = grid.step(k)
        reach = range(-PORT_CLEARANCE * step, (PORT_CLEARANCE + 1) * step, step)
        for track in sorted(range(2, count - 2), key=lambda t: (abs(t - wanted), t)):
            node = grid.node(k, edge, track) if across else grid.node(k, track, edge)
            walled_in = k == 0 and any(node + r in near_pins for r in reach)
            crowded = any((port.side, track + n) in taken for n in (-1, 0, 1))
            if not grid.blocked[node] and not walled_in and not crowded:
                taken.add((port.side, track))
                port.at = grid.y(track) if across else grid.x(track)
                return node
        raise ProblemError(f"There is no free track for the port {port.name}: lower FP_CORE_UTIL, or set DIE_AREA.")

    def draw(self, net: Net) -> Drawing:
        """The metal of a routed net."""
        drawing = Drawing()
        self._draw_edges(net, drawing)
        for terminal in net.terminals:
            if terminal.chosen is None or terminal.access is None:
                continue
            if terminal.instance:
                self._draw_pin_via(terminal.chosen, terminal.access, drawing)
                lead = self._leads.get((terminal.instance, terminal.pin))
                drawing.patches += lead.metal if lead else ()
            else:
                self._draw_port(terminal, drawing)
        return drawing

    def _draw_edges(self, net: Net, drawing: Drawing) -> None:
        grid, technology = self.grid, self.technology
        for node in net.nodes[net.flags & CUT != 0].tolist():
            layer, i, j = grid.place(node)
            name = via_name(technology.cuts[layer + 1].name)
            drawing.vias.append(Via(technology.layers[layer].name, grid.x(i), grid.y(j), name))
        for k, layer_rules in enumerate(technology.layers):
            step = grid.step(k)
            nodes = net.nodes[net.nodes // grid.plane == k].tolist()
            on_layer = set(nodes)
            for start in nodes:
                if start - step in on_layer or start + step not in on_layer:
                    continue
                end = start
                while end + step in on_layer:
                    end += step
                (_, i1, j1), (_, i2, j2) = grid.place(start), grid.place(end)
                points = grid.x(i1), grid.y(j1), grid.x(i2), grid.y(j2)
                drawing.wires.append(Wire(layer_rules.name, *points, layer_rules.extension))

    def _draw_pin_via(self, node: int, access: Access, drawing: Drawing) -> None:
        if access.via is None:
            return
        grid, technology = self.grid, self.technology
        x, y, variant = access.via
        drawing.vias.append(Via(technology.pin_layer, x, y, via_name(technology.cuts[0].name, variant)))
        _, i, j = grid.place(node)
        first = technology.layers[0]
        if first.vertical and y != grid.y(j):
            drawing.wires.append(Wire(first.name, x, min(y, grid.y(j)), x, max(y, grid.y(j)), first.extension))
        elif not first.vertical and x != grid.x(i):
            drawing.wires.append(Wire(first.name, min(x, grid.x(i)), y, max(x, grid.x(i)), y, first.extension))

    def _draw_port(self, terminal: Terminal, drawing: Drawing) -> None:
        database = self.database
        port = next(p for p in database.ports if p.name == terminal.pin)
        layer = port_layer(self.job, self.technology, port)
        drawing.patches.append(Shape(layer.name, port_box(layer, port, database.width, database.height)))
        _, i, j = self.grid.place(next(iter(terminal.ways)))
        x, y = self.grid.x(i), self.grid.y(j)
        edge_x, edge_y = port.point(database.width, database.height)
        half = layer.width // 2
        if port.side in ("WEST", "EAST"):
            edge_x += half if port.side == "WEST" else -half
            drawing.wires.append(Wire(layer.name, min(x, edge_x), y, max(x, edge_x), y, half))
        else:
            edge_y += half if port.side == "SOUTH" else -half
            drawing.wires.append(Wire(layer.name, x, min(y, edge_y), x, max(y, edge_y), half))

    def make_dear(self, finding: Finding, turn: int) -> None:
        """Raise the price of the nodes that the nets of a finding have around it."""
        grid, box = self.grid, finding.box
        layers = [layer.name for layer in self.technology.layers]
        index = layers.index(finding.layer) if finding.layer in layers else 0
        reach = 2 * max(self.technology.pitch_x, self.technology.pitch_y)
        for name in finding.nets:
            net = self.router.nets.get(name)
            if net is None:
                continue
            layer, rest = np.divmod(net.nodes, grid.plane)
            j, i = np.divmod(rest, grid.columns)
            x = self.technology.offset_x + i * self.technology.pitch_x
            y = self.technology.offset_y + j * self.technology.pitch_y
            near = (box.x1 - reach < x) & (x < box.x2 + reach) & (box.y1 - reach < y) & (y < box.y2 + reach)
            self.router.history[net.nodes[near & (abs(layer - index) <= 1)]] += REPAIR_PRICE * (turn + 1)
