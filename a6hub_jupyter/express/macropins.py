"""Pins of hard macros that no grid point meets: metal on their own layer that leads from them to one.

A macro is moved onto the tracks for as many of its pins as possible, but those of a memory are where its columns are.
What is added is part of the pin from then on: it is the net's own metal, and other nets keep away from it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from a6hub_jupyter.express.geometry import Box, Shape, centered, closer, gaps
from a6hub_jupyter.express.grid import NO_WIRE
from a6hub_jupyter.express.technology import nearest_on_grid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from a6hub_jupyter.express.cellmetal import CellMetal
    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.grid import Grid
    from a6hub_jupyter.express.technology import RoutingLayer

TRACKS = 3
"""A grid point is looked for within so many used tracks of a pin."""
TRIES = 40
"""So often, pins that found none may choose before the others."""
PRICE = 400
"""By how much longer a lead that is in the way counts the next time, nm."""
WITHIN = 20_000
"""By how much longer a lead counts that does not leave the macro, nm."""
BESIDE = 20_000
"""What is farther from a macro is not looked at, nm."""


class Lead(NamedTuple):
    """A grid node, and the metal from it to a pin; none where the node is on the pin."""

    node: int
    metal: list[Shape]


class _Way(NamedTuple):
    """A lead that a pin could have: how much it counts (nm), its node and metal, and all that others keep off."""

    price: int
    node: int
    metal: list[Box]
    keeps: list[Box]
    """The metal, and the wire that goes on from the node."""


@dataclass
class _Asked:
    """A pin of a placed macro on one layer: its rectangles, what it keeps off with the distance, and where leads go."""

    name: tuple[str, str]
    layer: int
    boxes: list[Box]
    near: list[tuple[Box, int]]
    outline: Box
    """Of the macro: within it a way may end in a pocket that is open to nothing."""
    ways: list[_Way] = field(default_factory=list)
    beside: list[_Asked] = field(default_factory=list)
    """Pins whose leads may come too close."""


class MacroPins:
    """Finds leads for the pins of placed macros, one after the other; each keeps off those before."""

    def __init__(self, grid: Grid, metal: CellMetal, fixed: list[Shape]) -> None:
        """`fixed`: metal beside the macros."""
        self._grid, self._metal, self._fixed = grid, metal, fixed
        self._layers = grid.technology.layers
        self._index = {layer.name: k for k, layer in enumerate(self._layers)}

    def leads(self, blocks: list[Component], pins: Collection[tuple[str, str]]) -> dict[tuple[str, str], Lead]:
        """Leads by (instance, pin) for those of `pins` that have metal on the routing layers, but no grid point on it.

        A pin for which none is found is left out.
        """
        asked = [pin for block in blocks for pin in self._asked(block, blocks) if pin.name in pins]
        for pin in asked:
            pin.ways = sorted(self._ways(pin))
        _introduce(asked, max((self._reach(k) for k in range(len(self._layers))), default=0))
        best: dict[tuple[str, str], _Way] = {}
        dear: dict[tuple[tuple[str, str], int], int] = defaultdict(int)
        for turn in range(TRIES):
            found = _in_turn(asked, dear, self._layers, is_last=turn == TRIES - 1)
            best = max(best, found, key=len)
            left = [pin for pin in asked if pin.name not in found]
            if not left:
                break
            asked = [*left, *(pin for pin in asked if pin.name in found)]
        layer_of = {pin.name: self._layers[pin.layer].name for pin in asked}
        return {
            name: Lead(way.node, [Shape(layer_of[name], box) for box in way.metal])
            for name, way in best.items()
            if way.metal
        }

    def _reach(self, k: int) -> int:
        """How far from a pin a lead may be, and what it keeps off, nm."""
        technology, layer = self._grid.technology, self._layers[k]
        steps = TRACKS * layer.every + 2
        return steps * max(technology.pitch_x, technology.pitch_y) + layer.width + max(layer.wire_half())

    def _asked(self, block: Component, blocks: list[Component]) -> Iterator[_Asked]:
        grid, outline = self._grid, self._outline(block)
        placed = list(self._metal.placed(block))
        neighbours = [b for b in blocks if b is not block and closer(self._outline(b), outline, BESIDE)]
        around = [shape for other in neighbours for _, shape in self._metal.placed(other)]
        around += [shape for shape in self._fixed if closer(shape.box, outline, BESIDE)]
        for name in self._metal.pins(block.cell, block.orientation):
            own = [shape for pin, shape in placed if pin == name and shape.layer in self._index]
            if not name or not own:
                continue
            met = [layer for layer, box in own if any(not way[0] for way in self._bends(self._index[layer], box))]
            layer = met[0] if met else own[0].layer
            k, boxes = self._index[layer], [box for of, box in own if of == layer]
            # obstructions are drawn as pieces, and the space to their metal goes by how wide that is as a whole
            inner = [box for pin, (of, box) in placed if of == layer and not pin]
            widest = max((grid.spacing_to(k, box) for box in inner), default=0)
            # what lies within the pin is part of it: some LEF files draw it twice
            foreign = [(box, widest) for box in inner if not any(mine.contains(box) for mine in boxes)]
            others = [*(shape for pin, shape in placed if pin not in ("", name)), *around]
            foreign += [(box, grid.spacing_to(k, box)) for of, box in others if of == layer]
            reach = self._reach(k)
            near = [(box, space) for box, space in foreign if any(closer(box, b, reach + space) for b in boxes)]
            yield _Asked((block.name, name), k, boxes, near, outline)

    def _outline(self, block: Component) -> Box:
        macro = self._metal.macros[block.cell]
        return block.place(Box(0, 0, macro.width, macro.height), macro)

    def _ways(self, pin: _Asked) -> Iterator[_Way]:
        """What a pin could have if it were alone: straight or with a bend, and from there on in either direction."""
        for box in pin.boxes:
            for length, node, metal in self._bends(pin.layer, box):
                for price, more in self._ways_on(node, box, pin, is_direct=not metal):
                    keeps = [self._wire_at(pin.layer, node), *metal, more]
                    # as the grid sees it, which measures along x and y alone
                    if not any(max(gaps(piece, other)) < space for other, space in pin.near for piece in keeps):
                        yield _Way(length + price, node, metal, keeps)

    def _near(self, k: int, box: Box) -> tuple[range, range]:
        """The columns and rows to look at."""
        grid = self._grid
        far = TRACKS * self._layers[k].every
        left, _, bottom, _ = grid.phase(box.x1, box.y1)
        right, _, top, _ = grid.phase(box.x2, box.y2)
        columns = range(max(left - far, 1), min(right + far + 2, grid.columns - 1))
        return columns, range(max(bottom - far, 1), min(top + far + 2, grid.rows - 1))

    def _bends(self, k: int, box: Box) -> Iterator[tuple[int, int, list[Box]]]:
        """Length in nm, node, and rectangles of the metal between a node and a rectangle of a pin."""
        grid = self._grid
        half = self._layers[k].width // 2
        columns, rows = self._near(k, box)
        for j in rows:
            for i in columns:
                node, x, y = grid.node(k, i, j), grid.x(i), grid.y(j)
                if grid.blocked[node] & NO_WIRE:
                    continue
                if box.x1 <= x <= box.x2 and box.y1 <= y <= box.y2:
                    yield 0, node, []
                    continue
                to_x, to_y = (
                    nearest_on_grid(x, box.x1 + half, box.x2 - half),
                    nearest_on_grid(y, box.y1 + half, box.y2 - half),
                )
                length = abs(x - to_x) + abs(y - to_y)
                for corner in {(x, to_y), (to_x, y)}:
                    yield length, node, [_wire((x, y), corner, half), _wire(corner, (to_x, to_y), half)]

    def _ways_on(self, node: int, box: Box, pin: _Asked, *, is_direct: bool) -> Iterator[tuple[int, Box]]:
        """By how much longer it counts, nm, and the wire that may go on from a node.

        A node on the pin may also be left by a via.
        """
        for way in (-1, 1):
            more = self._way_on(pin.layer, node, way, box)
            if more:
                yield (WITHIN if pin.outline.contains(more) else 0), more
        if is_direct:
            yield WITHIN, self._wire_at(pin.layer, node)

    def _way_on(self, k: int, node: int, way: int, box: Box) -> Box | None:
        """The wire from a node in one direction as far as leads to `box` go, and a step more; None if blocked."""
        grid = self._grid
        _, i, j = grid.place(node)
        columns, rows = self._near(k, box)
        span, at = (rows, j) if self._layers[k].vertical else (columns, i)
        steps = at - span.start + 1 if way < 0 else span.stop - at
        last = node + way * steps * grid.step(k)
        if any(grid.blocked[n] & NO_WIRE for n in range(node, last + way, way * grid.step(k))):
            return None
        a, b = self._wire_at(k, node), self._wire_at(k, last)
        return Box(min(a.x1, b.x1), min(a.y1, b.y1), max(a.x2, b.x2), max(a.y2, b.y2))

    def _wire_at(self, k: int, node: int) -> Box:
        """The metal of a wire around a node."""
        grid = self._grid
        _, i, j = grid.place(node)
        return centered(grid.x(i), grid.y(j), *self._layers[k].wire_half())


def _wire(a: tuple[int, int], b: tuple[int, int], half: int) -> Box:
    (x1, x2), (y1, y2) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    return Box(x1 - half, y1 - half, x2 + half, y2 + half)


def _introduce(asked: list[_Asked], reach: int) -> None:
    """Note for each pin those beside it."""
    bins: dict[tuple[int, int, int], list[_Asked]] = defaultdict(list)
    size = 4 * reach

    def places(pin: _Asked, margin: int) -> set[tuple[int, int, int]]:
        return {
            (pin.layer, i, j)
            for box in pin.boxes
            for i in range((box.x1 - margin) // size, (box.x2 + margin) // size + 1)
            for j in range((box.y1 - margin) // size, (box.y2 + margin) // size + 1)
        }

    for pin in asked:
        for place in places(pin, 0):
            bins[place].append(pin)
    for pin in asked:
        near = {other.name: other for place in sorted(places(pin, 3 * reach)) for other in bins[place]}
        pin.beside = [other for other in near.values() if other is not pin]


def _in_turn(
    asked: list[_Asked],
    dear: dict[tuple[tuple[str, str], int], int],
    layers: list[RoutingLayer],
    *,
    is_last: bool,
) -> dict[tuple[str, str], _Way]:
    """A lead for each pin that finds one. `dear`: by how much longer leads to nodes count, nm, of each pin.

    Leads that are in the way of a pin that finds none get dearer. A pin that others keep from leaving the macro
    makes do with what is left within it only when it `is_last`.
    """
    found: dict[tuple[str, str], _Way] = {}
    for pin in asked:
        in_the_way: list[list[tuple[str, str]]] = []
        there = [(other.name, found[other.name].keeps) for other in pin.beside if other.name in found]
        spacing = layers[pin.layer].spacing
        for price, way in sorted((way.price + dear[pin.name, way.node], way) for way in pin.ways):
            if price >= WITHIN and in_the_way and not is_last:
                break
            others = [name for name, keeps in there if _is_close(way.keeps, keeps, spacing)]
            if not others:
                found[pin.name] = way
                break
            in_the_way.append(others)
        if pin.name not in found:
            for name in min(in_the_way, key=len, default=[]):
                dear[name, found[name].node] += PRICE
    return found


def _is_close(some: list[Box], others: list[Box], spacing: int) -> bool:
    return any(max(gaps(one, other)) < spacing for one in some for other in others)
