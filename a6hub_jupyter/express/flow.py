"""The LibreLane flow "Express": RTL to GDSII with tools from Python wheels alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from librelane.common import Filter
from librelane.flows import Flow, SequentialFlow
from librelane.flows.classic import Classic
from librelane.steps import Checker, KLayout, Misc, Verilator

from a6hub_jupyter.express.steps.ahead import beside
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
from a6hub_jupyter.express.steps.serving import prepare
from a6hub_jupyter.express.steps.signoff import CheckMagicDRC, KLayoutDRC, MagicDRC, NetgenLVS, SpiceExtraction
from a6hub_jupyter.express.steps.timing import liberty_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from librelane.state import State
    from librelane.steps import Step

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
        Floorplan,
        Placement,
        DesignRepair,
        ClockTree,
        HoldRepair,
        PowerGrid,
        Routing,
        Checker.TrDRC,
        Checker.DisconnectedPins,
        StreamOut,
        RTLEquivalence,
        CheckRTLEquivalence,
        Equivalence,
        CheckEquivalence,
        TimingEstimate,
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

    def run(
        self,
        initial_state: State,
        frm: str | None = None,
        to: str | None = None,
        skip: Iterable[str] | None = None,
        reproducible: str | None = None,
        **kwargs: Any,
    ) -> tuple[State, list[Step]]:
        """As a sequential flow does; checks may begin before their turn, see `steps/ahead.py`."""
        skipped = list(skip or ())
        steps = [] if reproducible else self.begun_ahead(to, skipped)
        if steps:
            prepare(liberty_files(self.config, self.toolbox))
        with beside(steps, self.config, self.toolbox, Path(self.run_dir) / "tmp" / "ahead"):
            result: tuple[State, list[Step]] = super().run(
                initial_state, frm, to, skipped, reproducible=reproducible, **kwargs
            )
        return result

    def begun_ahead(self, to: str | None, skipped: Iterable[str]) -> list[type[Step]]:
        """The steps that will run and may begin before their turn. `to`, `skipped`: as LibreLane takes them."""
        by_name = {cls.id.lower(): cls for cls in self.Steps}
        last = next(Filter([to.lower()]).filter(by_name), None) if to else None
        left_out = {name for pattern in skipped for name in Filter([pattern.lower()]).filter(by_name)}
        left_out |= {step.lower() for step, names in GATES.items() if not all(self.config[name] for name in names)}
        found = []
        for name, cls in by_name.items():
            if name not in left_out and getattr(cls, "begins_after", None):
                found.append(cls)
            if name == last:
                break
        return found
