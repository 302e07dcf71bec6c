"""The metal of one routed net, as DEF will write it and as the rule check sees it. Lengths in nm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from a6hub_jupyter.express.geometry import Box, Shape, centered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a6hub_jupyter.express.database import PlacedPort
    from a6hub_jupyter.express.technology import RoutingLayer, Technology

PORT_DEPTH = 500
"""Least length of a port's metal, nm."""
PORT_AREA_MARGIN = 1.2


class Wire(NamedTuple):
    """A straight wire between two points; `extension` is how far its ends reach past them."""

    layer: str
    x1: int
    y1: int
    x2: int
    y2: int
    extension: int


class Via(NamedTuple):
    """A via of the table at a point; `layer` is its lower metal."""

    layer: str
    x: int
    y: int
    name: str


@dataclass
class Drawing:
    """Wires, vias and patches (rectangles that fill notches) of one net."""

    wires: list[Wire] = field(default_factory=list)
    vias: list[Via] = field(default_factory=list)
    patches: list[Shape] = field(default_factory=list)

    def length(self) -> int:
        """Wire length without extensions, nm."""
        return sum(abs(w.x2 - w.x1) + abs(w.y2 - w.y1) for w in self.wires)

    def shapes(self, table: dict[str, list[Shape]], widths: dict[str, int]) -> Iterator[Shape]:
        """All rectangles. `table`: via shapes around (0, 0); `widths`: wire width by layer."""
        for wire in self.wires:
            half, over = widths[wire.layer] // 2, wire.extension
            across = (over, half) if wire.y1 == wire.y2 and wire.x1 != wire.x2 else (half, over)
            x1, x2, y1, y2 = min(wire.x1, wire.x2), max(wire.x1, wire.x2), min(wire.y1, wire.y2), max(wire.y1, wire.y2)
            yield Shape(wire.layer, Box(x1 - across[0], y1 - across[1], x2 + across[0], y2 + across[1]))
        for via in self.vias:
            for layer, box in table[via.name]:
                yield Shape(layer, box.moved(via.x, via.y))
        yield from self.patches


def via_name(cut: str, variant: int = 0) -> str:
    """Name of a routing via in DEF."""
    return f"route_{cut}_{variant}"


def via_table(technology: Technology) -> dict[str, list[Shape]]:
    """Shapes of all routing vias around (0, 0)."""
    table = {}
    for k, cut in enumerate(technology.cuts):
        lower = technology.pin_layer if k == 0 else technology.layers[k - 1].name
        half = cut.size // 2
        for variant, pad in enumerate(cut.lower):
            table[via_name(cut.name, variant)] = [
                Shape(lower, centered(0, 0, *pad)),
                Shape(cut.name, centered(0, 0, half, half)),
                Shape(technology.layers[k].name, centered(0, 0, *cut.upper[0])),
            ]
    return table


def port_box(layer: RoutingLayer, port: PlacedPort, width: int, height: int) -> Box:
    """Metal of a port at the edge of a width x height die; alone it has the minimum area."""
    half = layer.width // 2
    depth = max(PORT_DEPTH, round(layer.area / layer.width * PORT_AREA_MARGIN / 10) * 10)
    at = port.at
    return {
        "WEST": Box(0, at - half, depth, at + half),
        "EAST": Box(width - depth, at - half, width, at + half),
        "SOUTH": Box(at - half, 0, at + half, depth),
        "NORTH": Box(at - half, height - depth, at + half, height),
    }[port.side]
