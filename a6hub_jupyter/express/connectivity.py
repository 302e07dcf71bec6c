"""Which points of a layout are connected by metal, found with klayout's LayoutToNetlist.

Each probed point is marked with a text on a layer of its own; the extracted net then carries the names of
its points. That is some hundred times faster than probing nets one point at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from collections.abc import Collection

    from a6hub_jupyter.express.lefcells import Macro

MARK_LAYER = 9000
"""First of the GDS layers that mark points; used in memory only."""


def _is_cut(index: int) -> bool:
    return index % 2 == 1


class Connectivity:
    """Connectivity of the metals and cuts in `layers` (LEF name to layer index, bottom up, metal first).

    Use: `probe` all points, `extract` once, then ask for `node`s. Points are in database units.
    """

    def __init__(self, layout: kdb.Layout, top: kdb.Cell, layers: dict[str, int]) -> None:
        self._layout = layout
        self._top = top
        self._layers = layers
        metals = [name for k, name in enumerate(layers) if not _is_cut(k)]
        self._marks = {name: layout.layer(MARK_LAYER + k, 0) for k, name in enumerate(metals)}
        self._nodes: list[int | None] = []
        self._same: dict[int, int] = {}

    @property
    def metals(self) -> Collection[str]:
        """Where a point can be probed: not on cuts, which pins in the LEF of sky130A have too."""
        return self._marks

    def probe(self, layer: str, x: int, y: int) -> int:
        """Mark a point on a metal; returns the number of the probe."""
        number = len(self._nodes)
        self._top.shapes(self._marks[layer]).insert(kdb.Text(f"p{number}", x, y))
        self._nodes.append(None)
        return number

    def extract(self) -> None:
        """Find what is connected."""
        extraction = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(self._layout, self._top, []))
        regions = {}
        for name, index in self._layers.items():
            regions[name] = extraction.make_layer(index, name)
            extraction.connect(regions[name])
            if name in self._marks:
                extraction.connect(regions[name], extraction.make_text_layer(self._marks[name], f"{name} marks"))
        names = list(self._layers)
        for k in range(1, len(names) - 1, 2):
            extraction.connect(regions[names[k]], regions[names[k - 1]])
            extraction.connect(regions[names[k]], regions[names[k + 1]])
        extraction.extract_netlist()
        circuit = extraction.netlist().circuit_by_name(self._top.name)
        for node, net in enumerate(circuit.each_net()):
            for mark in net.name.split(",") if net.name else ():
                self._nodes[int(mark[1:])] = node

    def _root(self, node: int) -> int:
        while self._same.get(node, node) != node:
            node = self._same[node]
        return node

    def join(self, probes: list[int]) -> None:
        """Take the nodes of these probes for one."""
        nodes = [self._root(n) for n in (self._nodes[p] for p in probes) if n is not None]
        for other in nodes[1:]:
            a, b = self._root(nodes[0]), self._root(other)
            if a != b:
                self._same[b] = a

    def node(self, probe: int) -> int | None:
        """The node at a probe; None where there is no metal."""
        node = self._nodes[probe]
        return None if node is None else self._root(node)


def internal_points(
    layout: kdb.Layout, cell: kdb.Cell, layers: dict[str, int], macro: Macro
) -> list[tuple[str, kdb.Point, int]]:
    """Points on the metal within a cell that is not connected to any of its pins: (layer, point, piece).

    Points of one piece are connected within the cell; different pieces are not.
    """
    alone = kdb.Layout()
    alone.dbu = layout.dbu
    top = alone.create_cell(cell.name)
    copies = {}
    for k, (name, index) in enumerate(layers.items()):
        copies[name] = alone.layer(k + 1, 0)
        top.shapes(copies[name]).insert(kdb.Region(cell.begin_shapes_rec(index)).merged())
    found = Connectivity(alone, top, copies)
    nm = layout.dbu * 1000
    pins = []
    for pin in macro.pins.values():
        for layer, box in pin.shapes:
            if layer in found.metals:
                x, y = box.center
                pins.append(found.probe(layer, round(x / nm), round(y / nm)))
    pieces = []
    for k, (name, index) in enumerate(copies.items()):
        if _is_cut(k):
            continue
        for polygon in kdb.Region(top.begin_shapes_rec(index)).each_merged():
            point = next(iter(polygon.decompose_convex())).bbox().center()
            pieces.append((name, point, found.probe(name, point.x, point.y)))
    found.extract()
    of_pins = {found.node(p) for p in pins}
    nodes = [(name, point, found.node(probe)) for name, point, probe in pieces]
    return [(name, point, node) for name, point, node in nodes if node is not None and node not in of_pins]
