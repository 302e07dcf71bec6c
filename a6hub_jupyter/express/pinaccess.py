"""Where the router may reach a cell pin: grid nodes, each with the pin via that goes with it.

All metal on the pin layer is taken into account geometrically, so a pin via that is chosen here is legal
whatever the router does. What depends on the cell alone is found out once for each cell, orientation and place
relative to the grid; only pads near the cell's edge are then held against the metal of its neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from a6hub_jupyter.express.geometry import Box, Shape, centered, closer, gaps, is_covered, oriented
from a6hub_jupyter.express.grid import NO_WIRE, SHUT
from a6hub_jupyter.express.technology import MANUFACTURING_GRID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.grid import Grid
    from a6hub_jupyter.express.lefcells import Macro, Pin

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


class Candidate(NamedTuple):
    """A way to a pin as the cell alone allows it; lengths in nm from the cell's corner, i and j from its grid point.

    `layer`: that of the node. `pad` is set where metal of other cells may be too near; `beside`: -1, 0 or 1, where
    the extra node is, along the wires.
    """

    layer: int
    i: int
    j: int
    price: float
    via: PinVia | None
    beside: int
    pad: Box | None


class PinAccess:
    """Finds the ways to reach pins on a given placement."""

    def __init__(self, grid: Grid, macros: Mapping[str, Macro], components: list[Component]) -> None:
        technology = grid.technology
        self._grid = grid
        self._technology = technology
        self._macros = macros
        self._first = technology.layers[0]
        self._spacing = technology.lef.layers[technology.pin_layer].spacing
        half = (technology.pitch_y if self._first.vertical else technology.pitch_x) // 2
        shift = self._first.shift_across
        self._most_x, self._most_y = (shift, half) if self._first.vertical else (half, shift)
        pads = technology.cuts[0].lower
        self._reach_x = self._spacing + self._most_x + max(pad[0] for pad in pads)
        self._reach_y = self._spacing + self._most_y + max(pad[1] for pad in pads)
        self._bins: dict[tuple[int, int], list[tuple[Box, str]]] = defaultdict(list)
        self._near_edge: dict[tuple[str, str], list[Box]] = {}
        self._candidates: dict[tuple[str, str, str, int, int], list[Candidate]] = {}
        for component in components:
            self._index(component)

    def _index(self, component: Component) -> None:
        """Note the pin-layer metal near the edge of a cell."""
        macro = self._macros[component.cell]
        key = component.cell, component.orientation
        if key not in self._near_edge:
            reach = max(self._reach_x, self._reach_y)
            shapes = [*(s for pin in macro.pins.values() for s in pin.shapes), *macro.obstructions]
            boxes = {self._turned(s.box, macro, component.orientation) for s in shapes if self._on_pin_layer(s)}
            inner = Box(reach, reach, macro.width - reach, macro.height - reach)
            self._near_edge[key] = [box for box in sorted(boxes) if not inner.contains(box)]
        for box in self._near_edge[key]:
            placed = box.moved(component.x, component.y)
            for place in _bins(placed, 0):
                self._bins[place].append((placed, component.name))

    def _on_pin_layer(self, shape: Shape) -> bool:
        return shape.layer == self._technology.pin_layer

    @staticmethod
    def _turned(box: Box, macro: Macro, orientation: str) -> Box:
        return oriented(box, macro.width, macro.height, orientation)

    def ways(self, component: Component, pin_name: str) -> dict[int, Access]:
        """All ways to reach a pin, by grid node; empty when there is none."""
        grid, technology = self._grid, self._technology
        i0, phase_x = divmod(component.x - technology.offset_x, technology.pitch_x)
        j0, phase_y = divmod(component.y - technology.offset_y, technology.pitch_y)
        key = component.cell, pin_name, component.orientation, phase_x, phase_y
        if key not in self._candidates:
            self._candidates[key] = self._for_cell(component, pin_name, phase_x, phase_y)
        found: dict[int, Access] = {}
        for layer, i, j, price, via, beside, pad in self._candidates[key]:
            if not (0 < i0 + i < grid.columns - 1 and 0 < j0 + j < grid.rows - 1):
                continue
            node = grid.node(layer, i0 + i, j0 + j)
            if node in found or grid.blocked[node] & (NO_WIRE if via is None else SHUT):
                continue
            if via is None:
                found[node] = Access(price, None)
                continue
            step = grid.step(layer)
            if self._first.least_steps_at_via and grid.blocked[node - step] & grid.blocked[node + step] & NO_WIRE:
                continue
            extra = node + beside * step if beside else None
            if extra is not None and grid.blocked[extra]:
                continue
            if pad is None or self._is_free(pad.moved(component.x, component.y), component.name):
                at = PinVia(via.x + component.x, via.y + component.y, via.variant)
                found[node] = Access(price, at, extra)
        return found

    def _is_free(self, pad: Box, name: str) -> bool:
        """Whether a pad keeps its distance from the metal of all cells but `name`."""
        near = (entry for key in _bins(pad, self._spacing) for entry in self._bins.get(key, ()))
        return not any(owner != name and closer(pad, box, self._spacing) for box, owner in near)

    def _for_cell(self, component: Component, pin_name: str, phase_x: int, phase_y: int) -> list[Candidate]:
        """All candidates for a pin of a cell at this phase of the grid (nm), the cheapest first."""
        macro = self._macros[component.cell]
        pin = macro.pins[pin_name]
        found = self._direct(macro, pin, component.orientation, phase_x, phase_y)
        if not found:
            own = [self._turned(s.box, macro, component.orientation) for s in pin.shapes if self._on_pin_layer(s)]
            shapes = [s for name, other in macro.pins.items() if name != pin_name for s in other.shapes]
            # obstructions that lie within the pin are part of it: some LEF files draw them twice
            others = [*shapes, *macro.obstructions]
            metal = {self._turned(s.box, macro, component.orientation) for s in others if self._on_pin_layer(s)}
            foreign = [box for box in sorted(metal) if not any(b.contains(box) for b in own)]
            inside = Box(self._spacing, self._spacing, macro.width - self._spacing, macro.height - self._spacing)
            for box in own:
                reach = max(self._reach_x, self._reach_y)
                near = [f for f in foreign if max(gaps(f, box)) < reach]
                found += self._in_box(box, own, near, inside, phase_x, phase_y)
        return sorted(found, key=lambda c: (round(c.price, 9), c.layer, c.i, c.j, c.via or ()))

    def _direct(self, macro: Macro, pin: Pin, orientation: str, phase_x: int, phase_y: int) -> list[Candidate]:
        """Nodes within pin metal on the routing layers: no via needed."""
        technology, found = self._technology, []
        for k, layer in enumerate(technology.layers):
            boxes = [self._turned(s.box, macro, orientation) for s in pin.shapes if s.layer == layer.name]
            for box in boxes:
                for i in _within(box.x1, box.x2, technology.pitch_x, phase_x):
                    for j in _within(box.y1, box.y2, technology.pitch_y, phase_y):
                        x, y = i * technology.pitch_x - phase_x, j * technology.pitch_y - phase_y
                        notch = makes_notch(centered(x, y, *layer.pad), boxes, layer.spacing)
                        found.append(Candidate(k, i, j, NOTCH_PRICE if notch else 0.0, None, 0, None))
        return found

    def _in_box(
        self, box: Box, own: list[Box], foreign: list[Box], inside: Box, phase_x: int, phase_y: int
    ) -> Iterator[Candidate]:
        technology, first = self._technology, self._first
        for i in _within(box.x1 - self._most_x, box.x2 + self._most_x, technology.pitch_x, phase_x):
            for j in _within(box.y1 - self._most_y, box.y2 + self._most_y, technology.pitch_y, phase_y):
                x, y = i * technology.pitch_x - phase_x, j * technology.pitch_y - phase_y
                for price, via, pad in self._at(x, y, box, own, foreign):
                    shift, beside = via.y - y if first.vertical else via.x - x, 0
                    if abs(shift) > first.shift_along:
                        beside = 1 if shift > 0 else -1
                        price += EXTRA_NODE_PRICE  # noqa: PLW2901  the price of this way
                    yield Candidate(0, i, j, price, via, beside, None if inside.contains(pad) else pad)

    def _at(
        self, x0: int, y0: int, box: Box, own: list[Box], foreign: list[Box]
    ) -> Iterator[tuple[float, PinVia, Box]]:
        """Vias near grid point (x0, y0) whose cut lies in `box`, one rectangle of the pin: price, via, pad."""
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
                yield price, PinVia(x, y, variant), pad

    def _positions(self, x0: int, y0: int, box: Box, half_x: int, half_y: int) -> Iterator[tuple[int, int]]:
        """The pad within the pin, or only the centre of the cut within it; as near to the grid as possible."""
        for over_x, over_y in ((half_x, half_y), (0, 0)):
            x = _nearest(x0, box.x1 + over_x, box.x2 - over_x)
            y = _nearest(y0, box.y1 + over_y, box.y2 - over_y)
            x = x if abs(x - x0) <= self._most_x else x0
            y = y if abs(y - y0) <= self._most_y else y0
            if box.x1 <= x <= box.x2 and box.y1 <= y <= box.y2:
                yield x, y


def _within(low: int, high: int, pitch: int, phase: int) -> range:
    """Indices k with low <= k * pitch - phase <= high."""
    return range(-((-low - phase) // pitch), (high + phase) // pitch + 1)


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
