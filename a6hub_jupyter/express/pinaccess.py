"""Where the router may reach the pins of placed cells: grid nodes, each with the pin via that goes with it.

What a cell alone allows (`pincandidates.py`) is held against what is blocked and against the metal of its neighbours,
so a pin via that is chosen here is legal whatever the router does.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from a6hub_jupyter.express.boxsearch import BoxSearch
from a6hub_jupyter.express.grid import NO_WIRE, SHUT
from a6hub_jupyter.express.pincandidates import PinVia

if TYPE_CHECKING:
    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.grid import Grid
    from a6hub_jupyter.express.pincandidates import Candidates, PinCandidates

    Array = np.ndarray[Any, Any]

NO_BOXES = np.zeros((0, 4), np.int64)
INNER = 1
"""A row whose neighbours are in the grid too."""


class Access(NamedTuple):
    """One way to reach a pin. `via` is None for a pin on the first routing layer itself.

    `price` is in um of wire; `extra` is a second node that the net must hold because the via is off the grid.
    """

    price: float
    via: PinVia | None
    extra: int | None = None


class _Group(NamedTuple):
    """Pins (n) with the same candidates (m): the number of each pin; (n, m) their nodes, and which of them fit."""

    candidates: Candidates
    pins: Array
    nodes: Array
    fits: Array


class PinAccess:
    """Finds the ways to reach pins on a given placement."""

    def __init__(self, grid: Grid, candidates: PinCandidates, components: list[Component]) -> None:
        self._grid, self._candidates = grid, candidates
        self._numbers = {component.name: n for n, component in enumerate(components)}
        edges = [candidates.edge_of(component.cell, component.orientation) for component in components]
        self._owners = np.repeat(np.arange(len(components)), [len(edge) for edge in edges])
        self._metal = BoxSearch(np.concatenate([NO_BOXES, *edges]) + _corners(components)[self._owners])

    def ways(self, pins: list[tuple[Component, str, str]]) -> list[dict[int, Access]]:
        """All ways to reach each of some pins (cell, pin and net), by grid node; empty when there is none."""
        alike: dict[tuple[str, str, str, int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
        for n, (component, pin, net) in enumerate(pins):
            i, phase_x, j, phase_y = self._grid.phase(component.x, component.y)
            place = n, self._grid.number(net), i, j
            alike[component.cell, pin, component.orientation, phase_x, phase_y].append(place)
        groups = [self._group(self._candidates.of(*key), np.array(same, np.int64)) for key, same in alike.items()]
        self._drop_crowded(pins, groups)
        ways: list[dict[int, Access]] = [{} for _ in pins]
        for group in groups:
            rows, columns = np.nonzero(group.fits)
            numbers, nodes = group.pins[rows].tolist(), group.nodes[rows, columns].tolist()
            for number, node, which in zip(numbers, nodes, columns.tolist(), strict=True):
                if node not in ways[number]:
                    component, (layer, _, _, price, via, beside, _) = pins[number][0], group.candidates.all[which]
                    at = None if via is None else PinVia(via.x + component.x, via.y + component.y, via.variant)
                    extra = node + beside * self._grid.step(layer) if beside else None
                    ways[number][node] = Access(price, at, extra)
        return ways

    def _group(self, candidates: Candidates, members: Array) -> _Group:
        """Pins that have the same candidates; `members` (n, 4): the numbers of pin and net, its cell's column and row.

        What is blocked does not fit; other cells are not looked at yet.
        """
        grid, net = self._grid, members[:, 1, None]
        column, row = members[:, 2, None] + candidates.i, members[:, 3, None] + candidates.j
        fits = (column > 0) & (column < grid.columns - 1) & (row > 0) & (row < grid.rows - 1)
        nodes = np.where(fits, candidates.layer * grid.plane + row * grid.columns + column, INNER * grid.columns)
        steps = np.array([grid.step(k) for k in range(len(grid.technology.layers))], np.int64)[candidates.layer]
        fits &= grid.blocked_for(nodes, net) & np.where(candidates.is_direct, NO_WIRE, SHUT) == 0
        if grid.technology.layers[0].least_steps_at_via:
            before, behind = grid.blocked_for(nodes - steps, net), grid.blocked_for(nodes + steps, net)
            is_free = before & behind & NO_WIRE == 0
            fits &= candidates.is_direct | is_free
        fits &= (candidates.beside == 0) | (grid.blocked_for(nodes + candidates.beside * steps, net) == 0)
        return _Group(candidates, members[:, 0], nodes, fits)

    def _drop_crowded(self, pins: list[tuple[Component, str, str]], groups: list[_Group]) -> None:
        """What comes too near to metal of other cells does not fit."""
        pads, own, at = [NO_BOXES], [NO_BOXES[:, 0]], []
        for group in groups:
            rows, columns = np.nonzero(group.fits & group.candidates.has_pad)
            components = [pins[number][0] for number in group.pins[rows].tolist()]
            pads.append(group.candidates.pads[columns] + _corners(components))
            own.append(np.array([self._numbers[component.name] for component in components], np.int64))
            at.append((rows, columns))
        spacing, ends = self._candidates.spacing, np.cumsum([len(boxes) for boxes in pads])
        near = self._metal.is_near(np.concatenate(pads), spacing, self._owners, np.concatenate(own))
        for group, is_crowded, (rows, columns) in zip(groups, np.split(near, ends)[1:-1], at, strict=True):
            group.fits[rows[is_crowded], columns[is_crowded]] = False


def _corners(components: list[Component]) -> Array:
    """(n, 4): the lower left corner of each cell twice, to move boxes by, nm."""
    return np.array([(c.x, c.y, c.x, c.y) for c in components], np.int64).reshape(-1, 4)
