"""Wires that run into a hard macro's metal where it has no pin: a short that no net knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.lefcells import Macro


class WiresOverMacros:
    """What is drawn in a layout's top cell outside of its library cells and macros. `nm`: database unit in nm."""

    def __init__(self, top: kdb.Cell, layers: dict[str, int], macros: Mapping[str, Macro], nm: float) -> None:
        self._top, self._layers, self._macros, self._nm = top, layers, macros, nm
        self._outside: dict[str, kdb.Region] = {}

    def _wires(self, layer: str) -> kdb.Region:
        if layer not in self._outside:
            index = self._layers[layer]
            wires = kdb.Region(self._top.shapes(index))
            for instance in self._top.each_inst():
                if instance.cell.name not in self._macros:
                    wires += kdb.Region(instance.cell.begin_shapes_rec(index)).transformed(instance.cplx_trans)
            self._outside[layer] = wires.merged()
        return self._outside[layer]

    def touching(self, macro: Macro, place: kdb.Trans) -> Iterator[tuple[str, kdb.Point]]:
        """Layers and points where a wire is on metal of the macro at `place` that its LEF does not call a pin."""
        cell = self._top.layout().cell(macro.name)
        for layer, index in self._layers.items():
            pins = kdb.Region()
            for pin in macro.pins.values():
                for on, box in pin.shapes:
                    if on == layer:
                        pins.insert(kdb.Box(*(round(v / self._nm) for v in box.moved(*macro.corner))))
            inner = (kdb.Region(cell.begin_shapes_rec(index)) - pins).transformed(place)
            for overlap in (inner & self._wires(layer)).each():
                yield layer, overlap.bbox().center()
