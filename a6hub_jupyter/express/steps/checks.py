"""Checks of the final layout. Their findings are metrics; the stock checkers after them fail the flow."""

from __future__ import annotations

from typing import ClassVar

from librelane.state import DesignFormat
from librelane.steps import Step

from a6hub_jupyter.express.steps.base import ExpressStep


@Step.factory.register()
class LVS(ExpressStep):
    """Compares the connections that the GDS makes with those that the netlist asks for."""

    id = "Express.LVS"
    name = "Layout vs. Netlist"
    tool = "layoutcheck"
    inputs = [DesignFormat.GDS, DesignFormat.DEF, DesignFormat.NETLIST]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = []


@Step.factory.register()
class DRC(ExpressStep):
    """Checks the GDS against the design rules of the technology LEF."""

    id = "Express.DRC"
    name = "Design Rule Check"
    tool = "designrulecheck"
    inputs = [DesignFormat.GDS]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = []
