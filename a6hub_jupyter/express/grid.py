"""The routing grid: nodes, and which of them are blocked by cells and by the power grid.

A node is one integer: (layer * rows + j) * columns + i, with i along x and j along y.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a6hub_jupyter.express.cellmetal import Nodes
    from a6hub_jupyter.express.geometry import Box
    from a6hub_jupyter.express.technology import Technology

    Array = np.ndarray[Any, Any]

NO_WIRE = 1
NO_VIA = 2
SHUT = NO_WIRE | NO_VIA


class Grid:
    """Nodes of a width x height die (nm) and what may be on them.

    `blocked` has a bit per use (NO_WIRE, NO_VIA) for each node. Metal of a cell pin on a routing layer
    blocks all nets but its own: `blocked_for` tells what is left to that one.
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
        self._claims: list[tuple[Array, int, str]] = []
        self._numbers: dict[str, int] = {}
        self._own: Array = np.zeros(0, np.int64)
        """Number of a net times `size` plus a node at its pins, rising."""
        self._free: Array = np.zeros(0, np.uint8)
        """What blocks each of these for that net."""

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

    def phase(self, x: int, y: int) -> tuple[int, int, int, int]:
        """The column at or left of x (nm) and how far it is to the left; the row at or below y, and how far below."""
        t = self.technology
        return *divmod(x - t.offset_x, t.pitch_x), *divmod(y - t.offset_y, t.pitch_y)

    def spacing_to(self, k: int, box: Box) -> int:
        """How far metal of others stays away from metal at `box` on layer k, nm."""
        layer = self.technology.layers[k]
        rules = self.technology.lef.layers[layer.name]
        return max(layer.spacing, rules.spacing_for(min(box.width, box.height), long=True))

    def kept_free(self, k: int, box: Box) -> Iterator[tuple[int, range, range]]:
        """What would come too close to metal at `box` on layer k: a bit of `blocked`, columns and rows of the nodes.

        The columns and rows may lie outside of the grid.
        """
        t, layer, spacing = self.technology, self.technology.layers[k], self.spacing_to(k, box)
        for bit, (half_x, half_y) in ((NO_WIRE, layer.wire_half()), (NO_VIA, layer.pad)):
            far_x, far_y = half_x + spacing, half_y + spacing
            columns = _between(box.x1 - far_x - t.offset_x, box.x2 + far_x - t.offset_x, t.pitch_x)
            yield bit, columns, _between(box.y1 - far_y - t.offset_y, box.y2 + far_y - t.offset_y, t.pitch_y)

    def block(self, k: int, box: Box) -> None:
        """Forbid to all nets what would come too close to metal at `box` on layer k."""
        plane = self._planes()[k]
        for bit, columns, rows in self.kept_free(k, box):
            plane[max(rows.start, 0) : max(rows.stop, 0), max(columns.start, 0) : max(columns.stop, 0)] |= bit

    def block_nodes(self, nodes: Nodes, places: list[tuple[int, int]]) -> None:
        """Block, for all nets, the same nodes from each of some columns and rows."""
        i, j = np.array(places, np.int64).reshape(-1, 2, 1).transpose(1, 0, 2)
        columns, rows = i + nodes.i, j + nodes.j
        is_inside = (columns >= 0) & (columns < self.columns) & (rows >= 0) & (rows < self.rows)
        at = nodes.layer * self.plane + rows * self.columns + columns
        for bit in (NO_WIRE, NO_VIA):
            self.blocked[at[is_inside & (nodes.bits & bit != 0)]] |= bit

    def claim(self, k: int, box: Box, net: str) -> None:
        """The same as `block` for all nets but one, once `settle_claims` is called."""
        for bit, columns, rows in self.kept_free(k, box):
            i, j = np.array(columns, np.int64), np.array(rows, np.int64)
            i, j = i[(i >= 0) & (i < self.columns)], j[(j >= 0) & (j < self.rows)]
            self._claims.append(((k * self.plane + j[:, None] * self.columns + i).ravel(), bit, net))

    def settle_claims(self) -> None:
        """Turn the claims of nets into blocks; what a net claims stays as open to it as the others leave it."""
        names = sorted({net for _, _, net in self._claims})
        number = {net: n for n, net in enumerate(names)}
        counts = [len(at) for at, _, _ in self._claims]
        nodes = np.concatenate([np.zeros(0, np.int64), *(at for at, _, _ in self._claims)])
        bits = np.repeat(np.array([bit for _, bit, _ in self._claims], np.uint8), counts)
        nets = np.repeat(np.array([number[net] for _, _, net in self._claims], np.int64), counts)
        self._claims.clear()
        if not len(nodes):
            return
        claims, which = np.unique(nets * self.size + nodes, return_inverse=True)
        node = claims % self.size
        mine = np.zeros(len(claims), np.uint8)
        np.bitwise_or.at(mine, which, bits)
        claimed, place = np.unique(node, return_inverse=True)
        free = self.blocked[node]
        for bit in (NO_WIRE, NO_VIA):
            claimants = np.bincount(place, mine & bit != 0, len(claimed))[place]
            free[claimants > (mine & bit != 0)] |= bit
        np.bitwise_or.at(self.blocked, nodes, bits)
        is_own = free != SHUT
        self._numbers, self._own, self._free = number, claims[is_own], free[is_own]

    def number(self, net: str) -> int:
        """The number of a net that claims nodes; -1 for others."""
        return self._numbers.get(net, -1)

    def own_nodes(self, net: str) -> tuple[Array, Array]:
        """Nodes at the pins of a net, and what blocks each of them for that net (the bits of `blocked`)."""
        first = self.number(net) * self.size
        begin, end = np.searchsorted(self._own, [first, first + self.size]) if first >= 0 else (0, 0)
        return self._own[begin:end] - first, self._free[begin:end]

    def blocked_for(self, nodes: Array, numbers: Array) -> Array:
        """What blocks each of some nodes for the net of that number, which may use those at its own pins."""
        bits: Array = self.blocked[nodes]
        if len(self._own):
            keys = numbers * self.size + nodes
            at = np.minimum(np.searchsorted(self._own, keys), len(self._own) - 1)
            bits = np.where(self._own[at] == keys, self._free[at], bits)
        return bits


def _between(low: int, high: int, pitch: int) -> range:
    """Indices k with low < k * pitch < high."""
    return range(low // pitch + 1, -(-high // pitch))
