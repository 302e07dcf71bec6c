"""Where the router may reach a cell pin: grid nodes, each with the pin via that goes with it.

All metal on the pin layer is taken into account geometrically, so a pin via that is chosen here is legal
whatever the router does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from a6hub_jupyter.express.geometry import Box, centered, closer, gaps, is_covered
from a6hub_jupyter.express.grid import NO_WIRE
from a6hub_jupyter.express.technology import MANUFACTURING_GRID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.grid import Grid
    from a6hub_jupyter.express.lef import Macro

BIN = 2000
"""Bin size of the index of pin-layer metal, nm."""
OUTSIDE_PRICE = 0.6
NOTCH_PRICE = 4.0
SHIFT_ALONG_PRICE = 0.002
SHIFT_ACROSS_PRICE = 0.006
EXTRA_NODE_PRICE = 0.4


class PinVia(NamedTuple):
    """A via from the pin layer: centre in nm, and which of the pad shapes."""

    x: int
    y: int
    variant: int


@dataclass(frozen=True)
class Access:
    """One way to reach a pin. `via` is None for a pin on the first routing layer itself.

    `price` is in um of wire; `extra` is a second node that the net must hold because the via is off the grid.
    """

    price: float
    via: PinVia | None
    extra: int | None = None


class PinAccess:
    """Finds the ways to reach pins on a given placement."""

    def __init__(self, grid: Grid, macros: Mapping[str, Macro], components: list[Component]) -> None:
        technology = grid.technology
        self._grid = grid
        self._technology = technology
        self._macros = macros
        self._first = technology.layers[0]
        self._spacing = technology.lef.layers[technology.pin_layer].spacing
        self._bins: dict[tuple[int, int], list[tuple[Box, tuple[str, str]]]] = defaultdict(list)
        half = (technology.pitch_y if self._first.vertical else technology.pitch_x) // 2
        shift = self._first.shift_across
        self._most_x, self._most_y = (shift, half) if self._first.vertical else (half, shift)
        pads = technology.cuts[0].lower
        self._reach_x = self._spacing + self._most_x + max(pad[0] for pad in pads)
        self._reach_y = self._spacing + self._most_y + max(pad[1] for pad in pads)
        for component in components:
            self._index(component)

    def _index(self, component: Component) -> None:
        macro = self._macros[component.cell]
        metal = [(shape, name) for name, pin in macro.pins.items() for shape in pin.shapes]
        metal += [(shape, "") for shape in macro.obstructions]
        for shape, name in metal:
            if shape.layer == self._technology.pin_layer:
                box = component.place(shape.box, macro)
                for key in _bins(box, 0):
                    self._bins[key].append((box, (component.name, name)))

    def ways(self, component: Component, pin_name: str) -> dict[int, Access]:
        """All ways to reach a pin, by grid node; empty when there is none."""
        macro = self._macros[component.cell]
        pin = macro.pins[pin_name]
        direct = [component.place(s.box, macro) for s in pin.shapes if s.layer == self._first.name]
        found = self._direct(direct)
        if found:
            return found
        own = [component.place(s.box, macro) for s in pin.shapes if s.layer == self._technology.pin_layer]
        if not own:
            return {}
        extent = Box(min(b.x1 for b in own), min(b.y1 for b in own), max(b.x2 for b in own), max(b.y2 for b in own))
        # obstructions that lie within the pin are part of it: some LEF files draw them twice
        foreign = {
            box
            for box, owner in self._near(extent)
            if owner != (component.name, pin_name) and not any(b.contains(box) for b in own)
        }
        for box in own:
            reach = max(self._reach_x, self._reach_y)
            self._in_box(box, own, [f for f in sorted(foreign) if max(gaps(f, box)) < reach], found)
        return found

    def _near(self, box: Box) -> Iterator[tuple[Box, tuple[str, str]]]:
        for key in _bins(box, max(self._reach_x, self._reach_y)):
            yield from self._bins.get(key, ())

    def _direct(self, boxes: list[Box]) -> dict[int, Access]:
        """Nodes within pin metal on the first routing layer: no via needed."""
        grid, found = self._grid, {}
        for box in boxes:
            for j in grid.rows_within(box.y1 - 1, box.y2 + 1):
                for i in grid.columns_within(box.x1 - 1, box.x2 + 1):
                    node = grid.node(0, i, j)
                    inside = 0 < i < grid.columns - 1 and 0 < j < grid.rows - 1
                    if inside and not grid.blocked[node] & NO_WIRE:
                        pad = centered(grid.x(i), grid.y(j), *self._first.pad)
                        notch = makes_notch(pad, boxes, self._first.spacing)
                        found[node] = Access(NOTCH_PRICE if notch else 0.0, None)
        return found

    def _in_box(self, box: Box, own: list[Box], foreign: list[Box], found: dict[int, Access]) -> None:
        grid, first = self._grid, self._first
        step = grid.step(0)
        columns = grid.columns_within(box.x1 - self._most_x - 1, box.x2 + self._most_x + 1)
        rows = grid.rows_within(box.y1 - self._most_y - 1, box.y2 + self._most_y + 1)
        for i in columns:
            for j in rows:
                if not (0 < i < grid.columns - 1 and 0 < j < grid.rows - 1):
                    continue
                node = grid.node(0, i, j)
                walled_in = grid.blocked[node - step] & grid.blocked[node + step] & NO_WIRE
                if grid.blocked[node] or (first.least_steps_at_via and walled_in):
                    continue
                access = self._at(grid.x(i), grid.y(j), box, own, foreign)
                if access is None or access.via is None:
                    continue
                shift = access.via.y - grid.y(j) if first.vertical else access.via.x - grid.x(i)
                if abs(shift) > first.shift_along:
                    extra = node + (step if shift > 0 else -step)
                    if grid.blocked[extra]:
                        continue
                    access = Access(access.price + EXTRA_NODE_PRICE, access.via, extra)
                if node not in found or access.price < found[node].price - 1e-9:
                    found[node] = access

    def _at(self, x0: int, y0: int, box: Box, own: list[Box], foreign: list[Box]) -> Access | None:
        """The best via near grid point (x0, y0) whose cut lies in `box`, one rectangle of the pin."""
        best: Access | None = None
        for variant, (half_x, half_y) in enumerate(self._technology.cuts[0].lower):
            for x, y in self._positions(x0, y0, box, half_x, half_y):
                pad = centered(x, y, half_x, half_y)
                if any(closer(pad, f, self._spacing) for f in foreign):
                    continue
                along, across = abs(x - x0), abs(y - y0)
                if self._first.vertical:
                    along, across = across, along
                price = along * SHIFT_ALONG_PRICE + across * SHIFT_ACROSS_PRICE
                if not is_covered(pad, own):
                    price += OUTSIDE_PRICE
                    price += NOTCH_PRICE if makes_notch(pad, own, self._spacing) else 0.0
                if best is None or price < best.price - 1e-9:
                    best = Access(price, PinVia(x, y, variant))
        return best

    def _positions(self, x0: int, y0: int, box: Box, half_x: int, half_y: int) -> Iterator[tuple[int, int]]:
        """The pad within the pin, or only the centre of the cut within it; as near to the grid as possible."""
        for over_x, over_y in ((half_x, half_y), (0, 0)):
            x = _nearest(x0, box.x1 + over_x, box.x2 - over_x)
            y = _nearest(y0, box.y1 + over_y, box.y2 - over_y)
            x = x if abs(x - x0) <= self._most_x else x0
            y = y if abs(y - y0) <= self._most_y else y0
            if box.x1 <= x <= box.x2 and box.y1 <= y <= box.y2:
                yield x, y


def makes_notch(pad: Box, own: list[Box], spacing: int) -> bool:
    """Tell whether a pad leaves a gap below the spacing (nm) to another rectangle of its own pin."""
    return not is_covered(pad, own) and any(0 < max(gaps(box, pad)) < spacing for box in own)


def _nearest(wanted: int, low: int, high: int) -> int:
    """The point of [low, high] nearest to `wanted`, on the manufacturing grid."""
    if low > high:
        low = high = (low + high) // 2
    return round(min(max(wanted, low), high) / MANUFACTURING_GRID) * MANUFACTURING_GRID


def _bins(box: Box, margin: int) -> Iterator[tuple[int, int]]:
    for i in range((box.x1 - margin) // BIN, (box.x2 + margin) // BIN + 1):
        for j in range((box.y1 - margin) // BIN, (box.y2 + margin) // BIN + 1):
            yield i, j
