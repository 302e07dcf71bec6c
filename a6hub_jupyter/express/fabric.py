"""From the grid and its nets to the arrays that compiled code works on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express import maze
from a6hub_jupyter.express.routes import Ends
from a6hub_jupyter.express.spanningtree import nearest_first

if TYPE_CHECKING:
    from a6hub_jupyter.express.grid import Grid
    from a6hub_jupyter.express.pinaccess import Access

    Array = np.ndarray[Any, Any]

VIA_PRICE = 1.2
"""A via costs as much as so many um of wire."""
FIRST_LAYER_PRICE = 1.6
"""Wires on the first routing layer block the pins below them: they cost so many times as much."""
SCARCE = 2
"""A pin with so few ways to it keeps other nets off them."""
SCARCE_PRICE = 20.0


@dataclass
class Terminal:
    """One end of a net: a cell pin (instance, pin) or a port ("", name), and the ways to reach it."""

    instance: str
    pin: str
    ways: dict[int, Access]
    chosen: int | None = None

    @property
    def access(self) -> Access | None:
        """The way that the route took."""
        return None if self.chosen is None else self.ways[self.chosen]


@dataclass
class Net:
    """A net and its route: its nodes in ascending order, and the flags (`routes`) of each."""

    name: str
    terminals: list[Terminal]
    complete: bool = False
    nodes: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    flags: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def fits(self, other: Net) -> bool:
        """Whether another net has the same ends, each with the same ways at the places that this one has chosen."""
        if len(self.terminals) != len(other.terminals):
            return False
        return all(
            (mine.instance, mine.pin) == (its.instance, its.pin)
            and mine.chosen is not None
            and its.ways.get(mine.chosen) == mine.access
            for mine, its in zip(self.terminals, other.terminals, strict=True)
        )

    def entries(self) -> bytes:
        """The route and the ways taken, to tell whether it has changed."""
        chosen = np.array([-1 if t.chosen is None else t.chosen for t in self.terminals], np.int64)
        return self.nodes.tobytes() + self.flags.tobytes() + chosen.tobytes()


def fabric_of(grid: Grid) -> maze.Fabric:
    """The empty grid for compiled code, with the collisions that the technology has."""
    technology = grid.technology
    layers = technology.layers
    # offsets from nodes near the edge reach past both ends of the arrays: there they find these zeros
    beyond = 5 * (grid.columns + 1)
    wire_wire = _offset_table(grid, [layer.wire_wire for layer in layers])
    wire_via = _offset_table(grid, [layer.wire_via for layer in layers])
    via_via = _offset_table(grid, [layer.via_via for layer in layers])
    prices = np.ones(len(layers))
    prices[0] = FIRST_LAYER_PRICE
    vertical = [layer.vertical for layer in layers]
    return maze.Fabric(
        grid.columns,
        grid.rows,
        grid.plane,
        technology.pitch_x / 1000,
        technology.pitch_y / 1000,
        VIA_PRICE,
        np.array(vertical),
        prices,
        maze.fewest_vias(vertical),
        grid.blocked,
        np.zeros(grid.size, np.float32),
        np.zeros(grid.size + beyond, np.int16),
        np.zeros(grid.size + beyond, np.int16),
        *wire_wire,
        *wire_via,
        *via_via,
        np.array([layer.least_steps for layer in layers], np.int64),
        np.array([layer.least_steps_at_via for layer in layers], np.int64),
        _near_cuts(grid),
    )


def _offset_table(grid: Grid, offsets: list[tuple[tuple[int, int], ...]]) -> tuple[Array, Array]:
    """Offsets in node numbers, one row per layer, and how many each row has."""
    table = np.zeros((len(offsets), max(len(o) for o in offsets)), np.int64)
    for k, row in enumerate(offsets):
        table[k, : len(row)] = [j * grid.columns + i for i, j in row]
    return table, np.array([len(o) for o in offsets], np.int64)


def _near_cuts(grid: Grid) -> Array:
    """Offsets at which two cuts of one net are too near: the spacing of cuts knows no nets."""
    technology = grid.technology
    table = np.zeros((len(technology.cuts) + 1, 4), np.int64)
    for k, cut in enumerate(technology.cuts):
        for n, (i, j) in enumerate(((1, 0), (0, 1), (1, 1), (-1, 1))):
            gap_x = max(abs(i) * technology.pitch_x - cut.size, 0)
            gap_y = max(j * technology.pitch_y - cut.size, 0)
            if math.hypot(gap_x, gap_y) < cut.spacing:
                table[k, n] = j * grid.columns + i
    return table


def ends_of(grid: Grid, nets: list[Net]) -> Ends:
    """The terminals of nets, and the order in which each net joins its own."""
    terminals = [terminal for net in nets for terminal in net.terminals]
    ways = [(node, access) for terminal in terminals for node, access in terminal.ways.items()]
    first_terminal = np.cumsum([0, *(len(net.terminals) for net in nets)])
    first_way = np.cumsum([0, *(len(terminal.ways) for terminal in terminals)])
    at = np.array([next(iter(terminal.ways)) for terminal in terminals], np.int64) % grid.plane
    pitch_x, pitch_y = grid.technology.pitch_x, grid.technology.pitch_y
    order = np.arange(len(terminals))
    nearest_first(first_terminal, at % grid.columns * pitch_x, at // grid.columns * pitch_y, order)
    own = [grid.own_nodes(net.name) for net in nets]
    return Ends(
        first_terminal,
        first_way,
        np.array([node for node, _ in ways], np.int64),
        np.array([-1 if access.extra is None else access.extra for _, access in ways], np.int64),
        np.array([access.via is not None for _, access in ways], np.bool_),
        np.array([access.price for _, access in ways], np.float64),
        np.array([bool(t.instance) and len(t.ways) <= SCARCE for t in terminals], np.bool_),
        SCARCE_PRICE,
        order,
        np.cumsum([0, *(len(nodes) for nodes, _ in own)]),
        np.concatenate([np.zeros(0, np.int64), *(nodes for nodes, _ in own)]),
        np.concatenate([np.zeros(0, np.uint8), *(free for _, free in own)]),
    )
