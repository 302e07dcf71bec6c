"""Pins of hard macros that no grid point meets: metal on their own layer that leads from them to one.

A macro is moved onto the tracks for as many of its pins as possible, but those of a memory are where its columns are.
What is added is part of the pin from then on: it is the net's own metal, and other nets keep away from it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from a6hub_jupyter.express.geometry import Box, Shape, centered, closer, gaps
from a6hub_jupyter.express.grid import NO_WIRE
from a6hub_jupyter.express.technology import nearest_on_grid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from a6hub_jupyter.express.cellmetal import CellMetal
    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.grid import Grid

TRACKS = 3
"""A grid point is looked for within so many used tracks of a pin."""
TRIES = 40
"""So often, pins that found none may choose before the others."""
PRICE = 400
"""By how much longer a lead that is in the way counts the next time, nm."""


@dataclass
class Lead:
    """A grid node, and the metal from it to a pin; none where the node is on the pin."""

    node: int
    metal: list[Shape]
    keeps: list[Box]
    """What other leads keep off: this one, and the way on from its node."""


@dataclass
class _Asked:
    """A pin of a placed macro: its rectangles on one layer, and what they have to keep off, with the distance to it."""

    name: tuple[str, str]
    layer: str
    boxes: list[Box]
    near: list[tuple[Box, int]]


class MacroPins:
    """Finds leads for the pins of placed macros, one after the other; each keeps off those before."""

    def __init__(self, grid: Grid, metal: CellMetal, fixed: list[Shape]) -> None:
        """`fixed`: metal beside the macros."""
        self._grid, self._metal, self._fixed = grid, metal, fixed
        self._index = {layer.name: k for k, layer in enumerate(grid.technology.layers)}

    def leads(self, blocks: list[Component], pins: Collection[tuple[str, str]]) -> dict[tuple[str, str], Lead]:
        """Leads by (instance, pin) for those of `pins` that have metal on the routing layers, but no grid point on it.

        A pin for which none is found is left out.
        """
        asked = [pin for block in blocks for pin in self._asked(block, blocks) if pin.name in pins]
        best: dict[tuple[str, str], Lead] = {}
        dear: dict[tuple[tuple[str, str], int], int] = defaultdict(int)
        for _ in range(TRIES):
            found = self._in_turn(asked, dear)
            best = max(best, found, key=len)
            left = [pin for pin in asked if pin.name not in found]
            if not left:
                break
            asked = [*left, *(pin for pin in asked if pin.name in found)]
        return {name: lead for name, lead in best.items() if lead.metal}

    def _asked(self, block: Component, blocks: list[Component]) -> Iterator[_Asked]:
        grid = self._grid
        around = [shape for other in blocks if other is not block for _, shape in self._metal.placed(other)]
        around += self._fixed
        placed = list(self._metal.placed(block))
        for name in self._metal.pins(block.cell, block.orientation):
            own = [shape for pin, shape in placed if pin == name and shape.layer in self._index]
            if not name or not own:
                continue
            layer = own[0].layer
            k, boxes = self._index[layer], [box for of, box in own if of == layer]
            margin = TRACKS * grid.technology.layers[k].every * max(grid.technology.pitch_x, grid.technology.pitch_y)
            # obstructions are drawn as pieces, and the space to their metal goes by how wide that is as a whole
            inner = [box for pin, (of, box) in placed if of == layer and not pin]
            widest = max((grid.spacing_to(k, box) for box in inner), default=0)
            # what lies within the pin is part of it: some LEF files draw it twice
            foreign = [(box, widest) for box in inner if not any(mine.contains(box) for mine in boxes)]
            others = [*(shape for pin, shape in placed if pin not in ("", name)), *around]
            foreign += [(box, grid.spacing_to(k, box)) for of, box in others if of == layer]
            near = [(box, space) for box, space in foreign if any(closer(box, b, margin + space) for b in boxes)]
            yield _Asked((block.name, name), layer, boxes, near)

    def _in_turn(
        self, asked: list[_Asked], dear: dict[tuple[tuple[str, str], int], int]
    ) -> dict[tuple[str, str], Lead]:
        """A lead for each pin that finds one. `dear`: by how much longer leads to nodes count, nm, of each pin.

        Leads that are in the way of a pin that finds none get dearer.
        """
        found: dict[tuple[str, str], Lead] = {}
        for pin in asked:
            k = self._index[pin.layer]
            ways = [(length + dear[pin.name, node], node, boxes) for length, node, boxes in self._ways(k, pin.boxes)]
            in_the_way: list[set[tuple[str, str]]] = []
            for _, node, boxes in sorted(ways):
                keeps = self._keeps(k, node, boxes, pin)
                others = {name for name, lead in found.items() if self._is_close(k, keeps, lead)}
                if keeps and not others:
                    found[pin.name] = Lead(node, [Shape(pin.layer, box) for box in boxes], keeps)
                    break
                if keeps:
                    in_the_way.append(others)
            else:
                for name in min(in_the_way, key=len, default=set()):
                    dear[name, found[name].node] += PRICE
        return found

    def _is_close(self, k: int, metal: list[Box], lead: Lead) -> bool:
        """Whether metal on layer k comes too close to what a lead keeps."""
        grid = self._grid
        return grid.place(lead.node)[0] == k and any(
            max(gaps(one, other)) < grid.spacing_to(k, other) for one in metal for other in lead.keeps
        )

    def _near(self, k: int, box: Box) -> tuple[range, range]:
        """The columns and rows to look at."""
        grid, technology = self._grid, self._grid.technology
        far = TRACKS * technology.layers[k].every
        left, _, bottom, _ = grid.phase(box.x1, box.y1)
        right, _, top, _ = grid.phase(box.x2, box.y2)
        columns = range(max(left - far, 1), min(right + far + 2, grid.columns - 1))
        return columns, range(max(bottom - far, 1), min(top + far + 2, grid.rows - 1))

    def _ways(self, k: int, pin: list[Box]) -> Iterator[tuple[int, int, list[Box]]]:
        """Length in nm, node, and rectangles of the metal between a node and one of a pin's: straight or bent."""
        for box in pin:
            yield from self._ways_to(k, box)

    def _ways_to(self, k: int, box: Box) -> Iterator[tuple[int, int, list[Box]]]:
        grid = self._grid
        half = grid.technology.layers[k].width // 2
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

    def _keeps(self, k: int, node: int, pieces: list[Box], pin: _Asked) -> list[Box]:
        """The metal of a lead and of the wire that goes on from its node; nothing where these do not fit in.

        A node on the pin may also be left by a via.
        """
        wire = self._wire_at(k, node)
        ways_on = [box for way in (-1, 1) if (box := self._way_on(k, node, way, pin))]
        for more in ways_on if pieces else [*ways_on, wire]:
            keeps = [wire, *pieces, more]
            # as the grid sees it, which measures along x and y alone
            if not any(max(gaps(piece, box)) < spacing for box, spacing in pin.near for piece in keeps):
                return keeps
        return []

    def _way_on(self, k: int, node: int, way: int, pin: _Asked) -> Box | None:
        """The wire from a node in one direction as far as leads of this pin go, and a step more; None if blocked."""
        grid = self._grid
        _, i, j = grid.place(node)
        columns, rows = self._near(k, pin.boxes[0])
        span, at = (rows, j) if grid.technology.layers[k].vertical else (columns, i)
        steps = at - span.start + 1 if way < 0 else span.stop - at
        last = node + way * steps * grid.step(k)
        nodes = range(node, last + way, way * grid.step(k))
        if any(grid.blocked[n] & NO_WIRE for n in nodes):
            return None
        a, b = self._wire_at(k, node), self._wire_at(k, last)
        return Box(min(a.x1, b.x1), min(a.y1, b.y1), max(a.x2, b.x2), max(a.y2, b.y2))

    def _wire_at(self, k: int, node: int) -> Box:
        """The metal of a wire around a node."""
        grid = self._grid
        _, i, j = grid.place(node)
        return centered(grid.x(i), grid.y(j), *grid.technology.layers[k].wire_half())


def _wire(a: tuple[int, int], b: tuple[int, int], half: int) -> Box:
    (x1, x2), (y1, y2) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    return Box(x1 - half, y1 - half, x2 + half, y2 + half)
