"""The routing grid: nodes, and which of them are blocked by cells and by the power grid.

A node is one integer: (layer * rows + j) * columns + i, with i along x and j along y.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from a6hub_jupyter.express.geometry import Box
    from a6hub_jupyter.express.technology import Technology

NO_WIRE = 1
NO_VIA = 2
SHUT = NO_WIRE | NO_VIA


class Grid:
    """Nodes of a width x height die (nm) and what may be on them.

    `blocked` has a bit per use (NO_WIRE, NO_VIA) for each node. Metal of a cell pin on a routing layer
    blocks all nets but its own: such nodes are opened while that net is routed.
    """

    def __init__(self, technology: Technology, width: int, height: int) -> None:
        self.technology = technology
        self.columns = (width - technology.offset_x) // technology.pitch_x + 1
        self.rows = (height - technology.offset_y) // technology.pitch_y + 1
        self.plane = self.columns * self.rows
        self.size = self.plane * len(technology.layers)
        self.blocked = np.zeros(self.size, np.uint8)
        planes = self._planes()
        planes[:, 0, :] = planes[:, -1, :] = planes[:, :, 0] = planes[:, :, -1] = SHUT
        for k, layer in enumerate(technology.layers):
            if layer.every > 1:
                count = self.columns if layer.vertical else self.rows
                unused = np.arange(count) % layer.every != 1
                if layer.vertical:
                    planes[k][:, unused] = SHUT
                else:
                    planes[k][unused, :] = SHUT
        self._claims: dict[int, dict[str, int]] = defaultdict(dict)
        self._own_nodes: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._closed: dict[int, int] = {}

    def _planes(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return self.blocked.reshape(len(self.technology.layers), self.rows, self.columns)

    def x(self, i: int) -> int:
        """Coordinate of column i, nm."""
        return self.technology.offset_x + i * self.technology.pitch_x

    def y(self, j: int) -> int:
        """Coordinate of row j, nm."""
        return self.technology.offset_y + j * self.technology.pitch_y

    def node(self, layer: int, i: int, j: int) -> int:
        """The node of a layer, column and row."""
        return layer * self.plane + j * self.columns + i

    def place(self, node: int) -> tuple[int, int, int]:
        """Layer, column and row of a node."""
        layer, rest = divmod(int(node), self.plane)
        j, i = divmod(rest, self.columns)
        return layer, i, j

    def step(self, layer: int) -> int:
        """Difference between neighbouring nodes along the wires of a layer."""
        return self.columns if self.technology.layers[layer].vertical else 1

    def columns_within(self, low: int, high: int) -> range:
        """Columns with low < x < high (nm)."""
        t = self.technology
        return _within(low - t.offset_x, high - t.offset_x, t.pitch_x, self.columns)

    def rows_within(self, low: int, high: int) -> range:
        """Rows with low < y < high (nm)."""
        t = self.technology
        return _within(low - t.offset_y, high - t.offset_y, t.pitch_y, self.rows)

    def block(self, k: int, box: Box, net: str | None = None) -> None:
        """Forbid what would come too close to metal at `box` on layer k, for all nets or all but `net`."""
        layer = self.technology.layers[k]
        rules = self.technology.lef.layers[layer.name]
        spacing = max(layer.spacing, rules.spacing_for(min(box.width, box.height), long=True))
        plane = self._planes()[k]
        for bit, half in ((NO_WIRE, layer.wire_half()), (NO_VIA, layer.pad)):
            across = self.columns_within(box.x1 - half[0] - spacing, box.x2 + half[0] + spacing)
            along = self.rows_within(box.y1 - half[1] - spacing, box.y2 + half[1] + spacing)
            if not across or not along:
                continue
            if net is None:
                plane[along.start : along.stop, across.start : across.stop] |= bit
                continue
            for j in along:
                for i in across:
                    claims = self._claims[self.node(k, i, j)]
                    claims[net] = claims.get(net, 0) | bit

    def settle_claims(self) -> None:
        """Turn the claims of nets into blocks; nodes that a single net claims stay open to that net."""
        for node, claims in self._claims.items():
            free = int(self.blocked[node])
            if len(claims) == 1 and free != SHUT:
                self._own_nodes[next(iter(claims))].append((node, free))
            bits = 0
            for claim in claims.values():
                bits |= claim
            self.blocked[node] |= bits
        self._claims.clear()

    def own_nodes(self, net: str) -> list[tuple[int, int]]:
        """Nodes at the pins of a net, and what blocks each of them for that net (the bits of `blocked`)."""
        return self._own_nodes.get(net, [])

    def open_for(self, net: str) -> None:
        """Let `net` use the nodes at its own pins."""
        for node, free in self._own_nodes.get(net, ()):
            self._closed[node], self.blocked[node] = int(self.blocked[node]), free

    def close_for(self, net: str) -> None:
        """Undo `open_for`."""
        for node, _ in self._own_nodes.get(net, ()):
            self.blocked[node] = self._closed.pop(node)


def _within(low: int, high: int, pitch: int, count: int) -> range:
    """Indices k in 0..count-1 with low < k * pitch < high."""
    return range(max(low // pitch + 1, 0), min(-(-high // pitch), count))
