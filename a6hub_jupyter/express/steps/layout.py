"""LibreLane's stream-out: the one GDS of the flow, with dates that do not change from run to run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from librelane.common import Path as ViewPath
from librelane.state import DesignFormat
from librelane.steps import KLayout

from a6hub_jupyter.express.gdsdates import set_dates, wanted_date
from a6hub_jupyter.express.lefforeign import with_foreign
from a6hub_jupyter.express.steps.ahead import Announced

if TYPE_CHECKING:
    from librelane.state import State


class StreamOut(Announced, KLayout.StreamOut):  # type: ignore[misc]
    """Converts the DEF to GDS. The dates in the file are SOURCE_DATE_EPOCH, or 1970-01-01.

    It is the design's GDS whatever PRIMARY_GDSII_STREAMOUT_TOOL says: sky130A and gf180mcuD name Magic there, which
    Express does not have.
    """

    def get_cli_args(self, **kwargs: Any) -> list[str]:
        """LibreLane's, with copies of LEF files whose cells KLayout would not take from their GDS."""
        arguments: list[str] = super().get_cli_args(**kwargs)
        for k, option in enumerate(arguments[:-1]):
            if option == "--input-lef":
                given = Path(str(arguments[k + 1]))
                text = given.read_text(errors="replace")
                if text != (wanted := with_foreign(text)):
                    copy = Path(self.step_dir) / f"{k}-{given.name}"
                    copy.write_text(wanted)
                    arguments[k + 1] = str(copy)
        return arguments

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Write the GDS, then its dates."""
        views, metrics = super().run(state_in, **kwargs)
        written = Path(str(views[DesignFormat.KLAYOUT_GDS]))
        set_dates(written, wanted_date())
        final = Path(self.step_dir) / f"{self.config['DESIGN_NAME']}.gds"
        shutil.copyfile(written, final)
        return {**views, DesignFormat.GDS: ViewPath(final)}, metrics
