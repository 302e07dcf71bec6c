"""The library cells in a layout must be those of the library, shape by shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from collections.abc import Iterable


def changed_cells(layout: kdb.Layout, names: Iterable[str], library: Iterable[str]) -> tuple[list[str], list[str]]:
    """Of the cells `names` in `layout`, those that differ from the library's GDS files, and those it does not have."""
    wanted = sorted(n for n in names if layout.cell(n) is not None)
    changed, found = [], set()
    for path in library:
        reference = kdb.Layout()
        reference.read(path)
        for name in wanted:
            cell = reference.cell(name)
            if name not in found and cell is not None:
                found.add(name)
                if _differs(layout, layout.cell(name), reference, cell):
                    changed.append(name)
    return changed, [name for name in wanted if name not in found]


def _differs(layout: kdb.Layout, cell: kdb.Cell, reference: kdb.Layout, other: kdb.Cell) -> bool:
    infos = {i.to_s(): i for i in [*layout.layer_infos(), *reference.layer_infos()]}
    scale = reference.dbu / layout.dbu
    for info in infos.values():
        here = (
            kdb.Region(cell.begin_shapes_rec(layout.layer(info)))
            if layout.find_layer(info) is not None
            else kdb.Region()
        )
        index = reference.find_layer(info)
        there = kdb.Region(other.begin_shapes_rec(index)) if index is not None else kdb.Region()
        if not (here ^ (there if scale == 1 else there.transformed(kdb.ICplxTrans(scale)))).is_empty():
            return True
    return False
