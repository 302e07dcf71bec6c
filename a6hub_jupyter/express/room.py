"""How much wider the cells of a design may become before the rows are full."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.lefcells import Macro

FULL = 0.95
"""Rows are left at most so full: packing cells onto sites between taps needs some play."""


class Room:
    """Free row length, nm. `take` some before a cell is added or made wider; a negative width gives back."""

    def __init__(self, database: Database, macros: Mapping[str, Macro]) -> None:
        rows = database.room() // database.row_height
        used = sum(
            macros[c.cell].width * (macros[c.cell].height // database.row_height)
            for c in (*database.components, *database.taps)
        )
        self._free = int(rows * FULL) - used
        self._refused = 0

    def take(self, width: int) -> bool:
        """Take so much; False, and nothing taken, when there is not enough."""
        if width > 0 and width > self._free:
            self._refused += 1
            return False
        self._free -= width
        return True

    def sentence(self) -> str | None:
        """What there was no room for, and what to do; None when there was room for all."""
        if not self._refused:
            return None
        return (
            f"The rows are full to {100 * FULL:.0f} %: {self._refused} changes found no room. "
            "Lower FP_CORE_UTIL, or enlarge DIE_AREA, for the repair to do all it can."
        )
