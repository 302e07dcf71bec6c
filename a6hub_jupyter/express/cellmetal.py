"""What placed cells put on the routing layers: their metal, and which grid nodes it keeps free.

Both depend on the cell, its orientation and its place between the tracks alone, so both are found out once for each.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from a6hub_jupyter.express.geometry import Shape, oriented

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.grid import Grid
    from a6hub_jupyter.express.lefcells import Macro

    Array = np.ndarray[Any, Any]


class CellMetal:
    """The metal of cells on some layers."""

    def __init__(self, macros: Mapping[str, Macro], layers: Container[str]) -> None:
        self.macros, self._layers = macros, layers
        self._pins: dict[tuple[str, str], dict[str, list[Shape]]] = {}

    def pins(self, cell: str, orientation: str) -> dict[str, list[Shape]]:
        """The metal of each pin that has some, and of "", the obstructions; nm from the cell's lower left corner."""
        key = cell, orientation
        if key not in self._pins:
            macro = self.macros[cell]
            turned: dict[str, list[Shape]] = {}
            for pin, shapes in [*((name, pin.shapes) for name, pin in macro.pins.items()), ("", macro.obstructions)]:
                for layer, box in shapes:
                    if layer in self._layers:
                        shape = Shape(layer, oriented(box, macro.width, macro.height, orientation))
                        turned.setdefault(pin, []).append(shape)
            self._pins[key] = turned
        return self._pins[key]

    def placed(self, component: Component, pins: Iterable[str] | None = None) -> Iterator[tuple[str, Shape]]:
        """The metal of a placed cell with the pin of each shape; all, or that of some pins."""
        by_pin = self.pins(component.cell, component.orientation)
        for pin in by_pin if pins is None else pins:
            for layer, box in by_pin.get(pin, ()):
                yield pin, Shape(layer, box.moved(component.x, component.y))


class Nodes(NamedTuple):
    """Grid nodes (k, column, row) from the grid point at a cell's corner, and the bits of `Grid.blocked` for each."""

    layer: Array
    i: Array
    j: Array
    bits: Array


class CellBlocks:
    """Blocks the nodes that placed cells keep free."""

    def __init__(self, grid: Grid, macros: Mapping[str, Macro]) -> None:
        self._grid = grid
        self._index = {layer.name: k for k, layer in enumerate(grid.technology.layers)}
        self._macros, self._metal = macros, CellMetal(macros, self._index)

    def block(self, components: Iterable[Component], net_of: Mapping[tuple[str, str], str]) -> None:
        """Pins keep nodes free for their nets, obstructions and pins without a net for nobody."""
        grid = self._grid
        alike: dict[tuple[str, str, str, int, int], list[tuple[int, int]]] = defaultdict(list)
        for component in components:
            i, phase_x, j, phase_y = grid.phase(component.x, component.y)
            cell, orientation = component.cell, component.orientation
            for pin in self._metal.pins(cell, orientation):
                net = net_of.get((component.name, pin))
                if net is None and not self._macros[cell].is_block:
                    alike[cell, orientation, pin, phase_x, phase_y].append((i, j))
                    continue
                for _, (layer, box) in self._metal.placed(component, [pin]):
                    if net is None:
                        grid.block(self._index[layer], box)
                    else:
                        grid.claim(self._index[layer], box, net)
        for key, places in alike.items():
            grid.block_nodes(self._nodes(*key), places)

    def _nodes(self, cell: str, orientation: str, pin: str, phase_x: int, phase_y: int) -> Nodes:
        """What a pin of a cell (or "", its obstructions) keeps free, for a corner so far beyond the grid point."""
        found: dict[tuple[int, int, int], int] = defaultdict(int)
        grid = self._grid
        corner = grid.x(0) + phase_x, grid.y(0) + phase_y
        for layer, box in self._metal.pins(cell, orientation)[pin]:
            k = self._index[layer]
            for bit, columns, rows in grid.kept_free(k, box.moved(*corner)):
                for j in rows:
                    for i in columns:
                        found[k, i, j] |= bit
        return Nodes(*np.array([(*at, bits) for at, bits in found.items()], np.int64).reshape(-1, 4).T)
