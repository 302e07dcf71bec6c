"""LibreLane's stream-out, with dates that do not change from run to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from librelane.state import DesignFormat
from librelane.steps import KLayout

from a6hub_jupyter.express.gdsdates import set_dates, wanted_date
from a6hub_jupyter.express.steps.ahead import Announced

if TYPE_CHECKING:
    from librelane.state import State


class StreamOut(Announced, KLayout.StreamOut):  # type: ignore[misc]
    """Converts the DEF to GDS. The dates in the file are SOURCE_DATE_EPOCH, or 1970-01-01."""

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Write the GDS, then its dates."""
        views, metrics = super().run(state_in, **kwargs)
        for view in (DesignFormat.KLAYOUT_GDS, DesignFormat.GDS):
            if view in views:
                set_dates(Path(str(views[view])), wanted_date())
        return views, metrics
