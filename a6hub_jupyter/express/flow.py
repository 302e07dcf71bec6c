"""The LibreLane flow "Express": RTL to GDSII with tools from Python wheels alone."""

from __future__ import annotations

from librelane.flows import Flow, SequentialFlow
from librelane.flows.classic import Classic
from librelane.steps import Checker, KLayout, Misc, Verilator

from a6hub_jupyter.express.steps.checks import (
    DRC,
    LVS,
    AntennaCheck,
    CheckAntennas,
    CheckEquivalence,
    CheckRTLEquivalence,
    Equivalence,
    RTLEquivalence,
)
from a6hub_jupyter.express.steps.frontend import JsonHeader, Synthesis
from a6hub_jupyter.express.steps.layout import StreamOut
from a6hub_jupyter.express.steps.physical import (
    ClockTree,
    Floorplan,
    Placement,
    PoweredNetlist,
    PowerGrid,
    Routing,
    WriteLEF,
)
from a6hub_jupyter.express.steps.repair import DesignRepair, HoldRepair, TimingEstimate
from a6hub_jupyter.express.steps.signoff import CheckMagicDRC, KLayoutDRC, MagicDRC, NetgenLVS, SpiceExtraction

GATES = {
    "Express.DesignRepair": ["RUN_POST_GPL_DESIGN_REPAIR"],
    "Express.ClockTree": ["RUN_CTS"],
    "Express.HoldRepair": ["RUN_POST_CTS_RESIZER_TIMING"],
    "Express.TimingEstimate": ["RUN_MCSTA"],
    "KLayout.DRC": ["RUN_KLAYOUT_DRC"],
    "Magic.DRC": ["RUN_MAGIC_DRC"],
    "Checker.MagicDRC": ["RUN_MAGIC_DRC"],
    "Magic.SpiceExtraction": ["RUN_LVS"],
    "Netgen.LVS": ["RUN_LVS"],
}
"""Steps that a variable of Classic switches off."""


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
        RTLEquivalence,
        CheckRTLEquivalence,
        Floorplan,
        Placement,
        DesignRepair,
        ClockTree,
        HoldRepair,
        PowerGrid,
        Routing,
        Checker.TrDRC,
        Checker.DisconnectedPins,
        Equivalence,
        CheckEquivalence,
        TimingEstimate,
        StreamOut,
        KLayout.Render,
        WriteLEF,
        PoweredNetlist,
        LVS,
        SpiceExtraction,
        NetgenLVS,
        Checker.LVS,
        Checker.PowerGridViolations,
        AntennaCheck,
        CheckAntennas,
        DRC,
        KLayoutDRC,
        Checker.KLayoutDRC,
        MagicDRC,
        CheckMagicDRC,
        Misc.ReportManufacturability,
    ]

    gating_config_vars = GATES
    config_vars = [v for v in Classic.config_vars if [v.name] in GATES.values()]  # noqa: RUF012
