"""Where the router may reach a pin as its cell alone allows it: by orientation and place between the tracks.

All metal of the cell on the pin layer is taken into account geometrically.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from a6hub_jupyter.express.geometry import Box, centered, closer, gaps, is_covered, oriented
from a6hub_jupyter.express.technology import nearest_on_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.geometry import Shape
    from a6hub_jupyter.express.lefcells import Macro, Pin
    from a6hub_jupyter.express.technology import Technology

    Array = np.ndarray[Any, Any]

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


class Candidates(NamedTuple):
    """The candidates for a pin, the cheapest first, and what they hold as arrays, for many pins at once."""

    all: list[Candidate]
    layer: Array
    i: Array
    j: Array
    beside: Array
    is_direct: Array
    has_pad: Array
    pads: Array
    """(n, 4), nm; zeros without."""


class PinCandidates:
    """Finds the candidates of cells once, for all placements."""

    def __init__(self, technology: Technology, macros: Mapping[str, Macro]) -> None:
        self._technology = technology
        self._macros = macros
        first = technology.layers[0]
        self.spacing = technology.lef.layers[technology.pin_layer].spacing
        half = (technology.pitch_y if first.vertical else technology.pitch_x) // 2
        self._most_x, self._most_y = (first.shift_across, half) if first.vertical else (half, first.shift_across)
        pads = technology.cuts[0].lower
        self._reach_x = self.spacing + self._most_x + max(pad[0] for pad in pads)
        self._reach_y = self.spacing + self._most_y + max(pad[1] for pad in pads)
        self._edges: dict[tuple[str, str], Array] = {}
        self._known: dict[tuple[str, str, str, int, int], Candidates] = {}

    def edge_of(self, cell: str, orientation: str) -> Array:
        """(n, 4): the pin-layer metal that pads on other cells may come near to, nm from the cell's corner."""
        key = cell, orientation
        if key not in self._edges:
            macro, reach = self._macros[cell], max(self._reach_x, self._reach_y)
            shapes = [*(s for pin in macro.pins.values() for s in pin.shapes), *macro.obstructions]
            boxes = {self._turned(s.box, macro, orientation) for s in shapes if self._on_pin_layer(s)}
            inner = Box(reach, reach, macro.width - reach, macro.height - reach)
            near = [box for box in sorted(boxes) if not inner.contains(box)]
            self._edges[key] = np.array(near, np.int64).reshape(-1, 4)
        return self._edges[key]

    def of(self, cell: str, pin: str, orientation: str, phase_x: int, phase_y: int) -> Candidates:
        """All candidates for a pin of a cell whose corner is so far, nm, beyond a grid point."""
        key = cell, pin, orientation, phase_x, phase_y
        if key not in self._known:
            found = self._found(*key)
            numbers = [(c.layer, c.i, c.j, c.beside, c.via is None, c.pad is not None) for c in found]
            layer, i, j, beside, is_direct, has_pad = np.array(numbers, np.int64).reshape(-1, 6).T
            pads = np.array([c.pad or (0, 0, 0, 0) for c in found], np.int64).reshape(-1, 4)
            self._known[key] = Candidates(found, layer, i, j, beside, is_direct != 0, has_pad != 0, pads)
        return self._known[key]

    def _on_pin_layer(self, shape: Shape) -> bool:
        return shape.layer == self._technology.pin_layer

    @staticmethod
    def _turned(box: Box, macro: Macro, orientation: str) -> Box:
        return oriented(box, macro.width, macro.height, orientation)

    def _found(self, cell: str, pin_name: str, orientation: str, phase_x: int, phase_y: int) -> list[Candidate]:
        macro = self._macros[cell]
        pin = macro.pins[pin_name]
        found = self._direct(macro, pin, orientation, phase_x, phase_y)
        if not found:
            own = [self._turned(s.box, macro, orientation) for s in pin.shapes if self._on_pin_layer(s)]
            shapes = [s for name, other in macro.pins.items() if name != pin_name for s in other.shapes]
            # obstructions that lie within the pin are part of it: some LEF files draw them twice
            others = [*shapes, *macro.obstructions]
            metal = {self._turned(s.box, macro, orientation) for s in others if self._on_pin_layer(s)}
            foreign = [box for box in sorted(metal) if not any(b.contains(box) for b in own)]
            inside = Box(self.spacing, self.spacing, macro.width - self.spacing, macro.height - self.spacing)
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
        technology, first = self._technology, self._technology.layers[0]
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
                if any(closer(pad, f, self.spacing) for f in foreign):
                    continue
                along, across = abs(x - x0), abs(y - y0)
                if self._technology.layers[0].vertical:
                    along, across = across, along
                price = along * SHIFT_ALONG_PRICE + across * SHIFT_ACROSS_PRICE
                if not is_covered(pad, own):
                    price += OUTSIDE_PRICE
                    price += NOTCH_PRICE if makes_notch(pad, own, self.spacing) else 0.0
                yield price, PinVia(x, y, variant), pad

    def _positions(self, x0: int, y0: int, box: Box, half_x: int, half_y: int) -> Iterator[tuple[int, int]]:
        """The pad within the pin, or only the centre of the cut within it; as near to the grid as possible."""
        for over_x, over_y in ((half_x, half_y), (0, 0)):
            x = nearest_on_grid(x0, box.x1 + over_x, box.x2 - over_x)
            y = nearest_on_grid(y0, box.y1 + over_y, box.y2 - over_y)
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
