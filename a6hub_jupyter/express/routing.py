"""Express.Routing: every net as wires and vias that keep the design rules.

python -m a6hub_jupyter.express.routing job.json
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from a6hub_jupyter.express.congestion import Congestion, Spot
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.defwriter import port_layer, write_def
from a6hub_jupyter.express.drawing import Drawing, Via, Wire, port_box, via_name
from a6hub_jupyter.express.geometry import Shape
from a6hub_jupyter.express.grid import Grid
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.pinaccess import Access, PinAccess
from a6hub_jupyter.express.powergrid import grid_shapes
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.repair import Finding, Metal
from a6hub_jupyter.express.rerouting import CUT
from a6hub_jupyter.express.router import Net, Router, Terminal
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.wirelength import half_perimeter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a6hub_jupyter.express.database import PlacedPort
    from a6hub_jupyter.express.job import Metrics

PASSES = 120
REPAIR_ROUNDS = 12
REPAIR_PRICE = 6.0
CONGESTION_PICTURE = "congestion.png"
LOWER = 0.8
"""By how much fewer cells in the rows are advised when routing fails."""
PORT_CLEARANCE = 4
"""Grid steps between a port on the first routing layer and the nearest cell pin."""


class Assembly:
    """Brings a placed design onto the grid, and routes back into metal."""

    def __init__(self, job: Job, technology: Technology, database: Database) -> None:
        self.job, self.technology, self.database = job, technology, database
        self.macros = technology.lef.macros
        self.components = {c.name: c for c in database.everything()}
        self.grid = Grid(technology, database.width, database.height)
        self.unreachable: list[tuple[str, str]] = []
        index = {layer.name: k for k, layer in enumerate(technology.layers)}
        for net, (layer_name, box) in self.fixed():
            if layer_name in index:
                self.grid.block(index[layer_name], box, net)
        self.grid.settle_claims()
        self.nets = self._nets()
        self.router = Router(self.grid, self.nets)

    def fixed(self) -> Iterator[tuple[str | None, Shape]]:
        """All metal that is there before routing, with the signal net it belongs to, if any."""
        net_of = self.database.netlist.net_of()
        for component in self.components.values():
            macro = self.macros[component.cell]
            for name, pin in macro.pins.items():
                for layer, box in pin.shapes:
                    yield net_of.get((component.name, name)), Shape(layer, component.place(box, macro))
            for layer, box in macro.obstructions:
                yield None, Shape(layer, component.place(box, macro))
        for _, shape in grid_shapes(self.job, self.database):
            yield None, shape

    def _nets(self) -> list[Net]:
        database, grid = self.database, self.grid
        access = PinAccess(grid, self.macros, database.everything())
        terminals: dict[str, list[Terminal]] = {}
        for net, pins in database.netlist.nets.items():
            grid.open_for(net)
            for instance, pin in pins:
                ways = access.ways(self.components[instance], pin)
                if ways:
                    terminals.setdefault(net, []).append(Terminal(instance, pin, ways))
                else:
                    self.unreachable.append((instance, pin))
            grid.close_for(net)
        near_pins = {node for ts in terminals.values() for t in ts for node in t.ways}
        taken: set[tuple[str, int]] = set()
        for port in database.ports:
            node = self._port_node(port, near_pins, taken)
            terminals.setdefault(port.net, []).append(Terminal("", port.name, {node: Access(0.0, None)}))
        return [Net(name, ts) for name, ts in terminals.items() if len(ts) > 1 or not ts[0].instance]

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


def route_and_repair(assembly: Assembly, until: float) -> tuple[dict[str, Drawing], list[Finding], list[str]]:
    """Negotiate, draw, check; route again what the check finds. Returns metal, findings, nets in conflict."""
    job = assembly.job
    metal = Metal(assembly.technology, job.strap_layer, assembly.fixed())
    router = assembly.router
    conflicts = router.negotiate(None, PASSES, until)
    drawings = {net.name: assembly.draw(net) for net in assembly.nets}
    findings = metal.mend(drawings)
    for turn in range(REPAIR_ROUNDS):
        if conflicts or not findings or time.monotonic() > until:
            break
        print(f"Design rules: {len(findings)} violations left after filling notches; routing their nets again.")
        before = {name: net.entries() for name, net in router.nets.items()}
        for finding in findings:
            assembly.make_dear(finding, turn)
        conflicts = router.negotiate(sorted({n for f in findings for n in f.nets}), PASSES, until)
        for name, net in router.nets.items():
            if before[name] != net.entries():
                drawings[name] = assembly.draw(net)
        findings = metal.mend(drawings)
    return drawings, findings, conflicts


def given_up(job: Job, database: Database, technology: Technology, spot: Spot, nets: int) -> str:
    """Why the design cannot be routed, where it is worst, and what to do."""
    room = sum(b - a for row in range(database.row_count) for a, b in database.spans(row)) * database.row_height
    macros = technology.lef.macros
    full = sum(macros[c.cell].width * macros[c.cell].height for c in database.components) / room
    x1, y1, x2, y2 = (v / 1000 for v in spot.box)
    lower = max(5, round(full * LOWER * 20) * 5)
    remedy = f"set FP_CORE_UTIL to about {lower}" if not job.die_area else "enlarge DIE_AREA by about a quarter"
    return (
        f"Routing ended with {nets} nets in conflict. The worst region is ({x1:.1f}, {y1:.1f}) to ({x2:.1f}, {y2:.1f}) "
        f"um: {spot.conflicts} conflicts, {100 * spot.usage:.0f} % of the free tracks taken; the cells fill "
        f"{100 * full:.0f} % of the rows. To make room, {remedy}."
    )


def route(job: Job) -> Metrics:
    """Route the placed design. Wire length in um."""
    technology = Technology.of(job)
    database = Database.load_placed(job.given("database"))
    assembly = Assembly(job, technology, database)
    layers = technology.layers
    print(
        f"Grid of {assembly.grid.columns} x {assembly.grid.rows} tracks on {len(layers)} layers "
        f"({layers[0].name} to {layers[-1].name}), {len(assembly.nets)} nets."
    )
    for instance, pin in assembly.unreachable:
        print(f"No way to the pin {pin} of {instance} ({assembly.components[instance].cell}).")
    drawings, findings, conflicts = route_and_repair(assembly, time.monotonic() + job.route_seconds)
    for finding in findings:
        x, y = finding.box.center
        print(f"Violation: {finding.rule} at ({x / 1000:.3f}, {y / 1000:.3f}) um, nets {', '.join(finding.nets)}.")
    congestion = Congestion(assembly.grid, assembly.nets, assembly.router.collided)
    congestion.draw(job.output(CONGESTION_PICTURE))
    database.save(job.output(DATABASE_FILE))
    write_def(job, technology, database, drawings)
    lengths = [drawing.length() / 1000 for drawing in drawings.values()]
    if conflicts:
        raise ProblemError(given_up(job, database, technology, congestion.worst(), len(conflicts)))
    open_nets = sum(not net.complete for net in assembly.nets)
    bound = half_perimeter(assembly.grid, assembly.nets) / 1000
    print(
        f"Routed: {sum(lengths):.0f} um of wire ({sum(lengths) / max(bound, 1):.2f} of the half perimeters of the "
        f"nets), {sum(len(d.vias) for d in drawings.values())} vias."
    )
    return {
        "route__drc_errors": len(findings) + len(assembly.router.collided) + open_nets,
        "route__wirelength": round(sum(lengths), 1),
        "route__wirelength__half_perimeter": round(bound, 1),
        "route__wirelength__max": round(max(lengths, default=0.0), 1),
        "route__vias": sum(len(d.vias) for d in drawings.values()),
        "route__net": len(drawings),
        "design__critical_disconnected_pin__count": len(assembly.unreachable) + open_nets,
    }


if __name__ == "__main__":
    run(route)
