"""The LibreLane flow "Express": RTL to GDSII with tools from Python wheels alone."""

from __future__ import annotations

from librelane.flows import Flow, SequentialFlow
from librelane.steps import Checker, KLayout, Misc, Verilator

from a6hub_jupyter.express.steps.checks import DRC, LVS, AntennaCheck, CheckAntennas, CheckEquivalence, Equivalence
from a6hub_jupyter.express.steps.frontend import JsonHeader, Synthesis
from a6hub_jupyter.express.steps.physical import ClockTree, Floorplan, Placement, PowerGrid, Routing
from a6hub_jupyter.express.steps.repair import TimingEstimate


@Flow.factory.register()
class Express(SequentialFlow):  # type: ignore[misc]
    """Lint, synthesis, placement, routing, and checks of the final layout; no timing sign-off."""

    Steps = [  # noqa: RUF012
        Verilator.Lint,
        Checker.LintTimingConstructs,
        Checker.LintErrors,
        Checker.LintWarnings,
        JsonHeader,
        Synthesis,
        Checker.YosysUnmappedCells,
        Checker.YosysSynthChecks,
        Checker.NetlistAssignStatements,
        Floorplan,
        Placement,
        ClockTree,
        PowerGrid,
        Routing,
        Checker.TrDRC,
        Checker.DisconnectedPins,
        Equivalence,
        CheckEquivalence,
        TimingEstimate,
        KLayout.StreamOut,
        KLayout.Render,
        LVS,
        Checker.LVS,
        Checker.PowerGridViolations,
        AntennaCheck,
        CheckAntennas,
        DRC,
        Checker.KLayoutDRC,
        Misc.ReportManufacturability,
    ]
