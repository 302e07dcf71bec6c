"""How much wider the cells of a design may become before the rows are full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express.packing import dealt_out, free_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.lefcells import Macro

FULL = 0.95
"""Rows are left at most so full: packing cells onto sites between taps needs some play."""
MOST_DEALT_OUT = 1000
"""Designs with more cells are not dealt out at every change: they have small ones for what wide ones leave."""


class Room:
    """Free row length, nm. `take` some before cells are added or made wider.

    There must be room in all, and, for small designs, between the taps for each cell.
    """

    def __init__(self, database: Database, macros: Mapping[str, Macro]) -> None:
        rows = database.room() // database.row_height
        taps = sum(macros[c.cell].width for c in database.taps)
        self._site = database.site_width
        self._parts = free_parts(database, macros)
        self._widths = [macros[c.cell].width for c in database.components]
        self._free = int(rows * FULL) - taps - sum(self._widths)
        self._refused = 0

    def take(self, *widths: int, instead_of: int = 0) -> bool:
        """Take room for cells, of which one may replace another; False, and nothing taken, when there is not enough."""
        after = self._widths.copy()
        if instead_of:
            after.remove(instead_of)
        after += widths
        more = sum(widths) - instead_of
        if more > 0 and not (more <= self._free and self._holds(after)):
            self._refused += 1
            return False
        self._free -= more
        self._widths = after
        return True

    def _holds(self, widths: list[int]) -> bool:
        if len(widths) > MOST_DEALT_OUT:
            return True
        return dealt_out(sorted((w // self._site for w in widths), reverse=True), self._parts) is not None

    def sentence(self) -> str | None:
        """What there was no room for, and what to do; None when there was room for all."""
        if not self._refused:
            return None
        return (
            f"The rows are as full as they may be ({100 * FULL:.0f} % in all, less between taps that are close): "
            f"{self._refused} changes found no room. Lower FP_CORE_UTIL, or enlarge DIE_AREA, for the repair to do all "
            "it can."
        )
