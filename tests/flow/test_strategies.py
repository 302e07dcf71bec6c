"""Every strategy that LibreLane offers for synthesis maps a design to the cells of each PDK."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results

pytestmark = pytest.mark.needs("express")

LAST = "Checker.NetlistAssignStatements"
PROCESSES = 2


def _strategies() -> list[str]:
    from librelane.steps.pyosys import SynthesisCommon

    variable = next(v for v in SynthesisCommon.config_vars if v.name == "SYNTH_STRATEGY")
    return list(get_args(variable.type))


def test_every_strategy_synthesises(pdk: Pdk, tmp_path: Path) -> None:
    import librelane

    spm = (Path(librelane.__file__).parent / "examples" / "spm" / "src" / "spm.v").read_text()
    strategies = _strategies()
    assert len(strategies) >= 9
    designs: list[dict[str, Any]] = []
    for strategy in strategies:
        top = "spm_" + strategy.replace(" ", "").lower()
        settings = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 10, "SYNTH_STRATEGY": strategy}
        verilog = re.sub(r"\bmodule spm\b", f"module {top}", spm)
        designs.append({"top": top, "verilog": verilog, "settings": settings, "to": LAST})
    parts = [drive(pdk, tmp_path / str(k), designs[k::PROCESSES]) for k in range(PROCESSES)]
    found = {top: result for part in parts for top, result in results(part).items()}
    assert {top: result["refused"] for top, result in found.items() if "refused" in result} == {}
    areas = set()
    for design in designs:
        metrics = found[design["top"]]["metrics"]
        assert metrics["design__instance_unmapped__count"] == 0
        assert metrics["synthesis__check_error__count"] == 0
        assert metrics["design__instance__count"] > 200
        areas.add(round(metrics["design__instance__area"]))
    assert len(areas) > 2, "the strategies made one and the same netlist"
