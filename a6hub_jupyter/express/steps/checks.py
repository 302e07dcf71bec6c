"""Checks of the final layout. Their findings are metrics; the stock checkers after them fail the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from librelane.config import Variable
from librelane.state import DesignFormat
from librelane.steps import Step
from librelane.steps.checker import MetricChecker

from a6hub_jupyter.express.steps.base import RTL, SYNTHESISED, VIOLATIONS_PICTURE, ExpressStep

if TYPE_CHECKING:
    from librelane.state import State


@Step.factory.register()
class LVS(ExpressStep):
    """Compares the connections that the GDS makes with those that the netlist asks for."""

    id = "Express.LVS"
    name = "Layout vs. Netlist"
    tool = "layoutcheck"
    begins_after = "KLayout.StreamOut"
    inputs = [DesignFormat.GDS, DesignFormat.DEF, DesignFormat.NETLIST]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = []


@Step.factory.register()
class DRC(ExpressStep):
    """Checks the GDS against the design rules of the technology LEF."""

    id = "Express.DRC"
    name = "Design Rule Check"
    tool = "designrulecheck"
    begins_after = "KLayout.StreamOut"
    inputs = [DesignFormat.GDS]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = [VIOLATIONS_PICTURE]


@Step.factory.register()
class AntennaCheck(ExpressStep):
    """Weighs the metal of the GDS against the gates it charges, by the antenna rules of the technology LEF."""

    id = "Express.AntennaCheck"
    name = "Antenna Check"
    tool = "antennacheck"
    begins_after = "KLayout.StreamOut"
    inputs = [DesignFormat.GDS, DesignFormat.DEF, DesignFormat.NETLIST]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = []


@Step.factory.register()
class CheckAntennas(MetricChecker):  # type: ignore[misc]
    """Fails the flow where gates are charged too much in spite of the diodes that Express.Routing adds."""

    id = "Checker.Antennas"
    name = "Antenna Checker"
    metric_name = "antenna__violating__nets"
    metric_description = "Nets that violate antenna rules"
    error_on_var = Variable(
        "ERROR_ON_ANTENNAS",
        bool,
        "Exits the flow when nets of the final layout violate the antenna rules.",
        default=True,
    )
    config_vars = [error_on_var]  # noqa: RUF012


@Step.factory.register()
class Equivalence(ExpressStep):
    """Proves that the final netlist does what the synthesised one does."""

    id = "Express.Equivalence"
    name = "Equivalence"
    tool = "equivalence"
    begins_after = "Express.Routing"
    inputs = [DesignFormat.NETLIST, SYNTHESISED]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = []


@Step.factory.register()
class CheckEquivalence(MetricChecker):  # type: ignore[misc]
    """Fails the flow where the proof is not complete."""

    id = "Checker.Equivalence"
    name = "Equivalence Checker"
    metric_name = "design__equivalence_unproven__count"
    metric_description = "Signals not proven equivalent"
    error_on_var = Variable(
        "ERROR_ON_EQUIVALENCE",
        bool,
        "Exits the flow when the final netlist is not proven equivalent to the synthesised one.",
        default=True,
    )
    config_vars = [error_on_var]  # noqa: RUF012


@Step.factory.register()
class RTLEquivalence(ExpressStep):
    """Proves that the synthesised netlist does what the RTL says, for designs that are not too large."""

    id = "Express.RTLEquivalence"
    name = "RTL Equivalence"
    tool = "rtlequivalence"
    begins_after = "Express.Floorplan"
    inputs = [SYNTHESISED, RTL.mkOptional()]  # noqa: RUF012
    outputs: ClassVar[list[DesignFormat]] = []


@Step.factory.register()
class CheckRTLEquivalence(MetricChecker):  # type: ignore[misc]
    """Says what is not proven equal to the RTL; fails the flow where ERROR_ON_RTL_EQUIVALENCE asks for it.

    Off by default: what the proof cannot decide is no fault yet.
    """

    id = "Checker.RTLEquivalence"
    name = "RTL Equivalence Checker"
    metric_name = "design__rtl_equivalence_unproven__count"
    metric_description = "Signals not proven equal to the RTL"
    error_on_var = Variable(
        "ERROR_ON_RTL_EQUIVALENCE",
        bool,
        "Exits the flow when the synthesised netlist is not proven equivalent to the RTL.",
        default=False,
    )
    config_vars = [error_on_var]  # noqa: RUF012

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Where no proof was tried, there is nothing to judge."""
        if self.metric_name not in state_in.metrics:
            return {}, {}
        result: tuple[dict[Any, Any], dict[str, Any]] = super().run(state_in, **kwargs)
        return result
