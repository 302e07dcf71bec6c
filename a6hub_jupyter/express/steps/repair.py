"""Steps that work with timing: repair of slews, loads and hold, and the estimate after routing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from librelane.common import aggregate_metrics
from librelane.state import DesignFormat
from librelane.steps import Step

from a6hub_jupyter.express.steps.base import DATABASE, DesignStep, ExpressStep

if TYPE_CHECKING:
    from librelane.state import State


@Step.factory.register()
class DesignRepair(DesignStep):
    """Changes drive strengths and adds buffers where slews, loads or setup slacks ask for them."""

    id = "Express.DesignRepair"
    name = "Design Repair"
    tool = "designrepair"


@Step.factory.register()
class HoldRepair(DesignStep):
    """Puts delay before the data pins that miss hold."""

    id = "Express.HoldRepair"
    name = "Hold Repair"
    tool = "holdrepair"


@Step.factory.register()
class TimingEstimate(ExpressStep):
    """Estimates slacks from Liberty tables and the routed wires, in all corners. No sign-off.

    Also writes the Liberty model of the block, for designs that use it as a hard macro.
    """

    id = "Express.TimingEstimate"
    name = "Timing Estimate"
    tool = "timingestimate"
    begins_after = "Express.Routing"
    inputs = [DATABASE, DesignFormat.DEF]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = [DesignFormat.LIB]

    def views(self) -> dict[Any, Any]:
        """A model for each corner."""
        corners = dict.fromkeys([self.config["DEFAULT_CORNER"], *(self.config["STA_CORNERS"] or [])])
        name = self.config["DESIGN_NAME"]
        return {DesignFormat.LIB: {c: self.output(f"{c}/{name}__{c}.lib") for c in corners}}

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Metrics of all corners, and LibreLane's aggregates of them."""
        views, metrics = super().run(state_in, **kwargs)
        return views, aggregate_metrics(metrics)
