"""Twenty random small designs on each PDK come out clean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results
from tests.flow.random_designs import Design
from tests.flow.test_express import CLEAN

pytestmark = pytest.mark.needs("express")

SEEDS = range(100, 120)
PROCESSES = 2


def test_random_designs_come_out_clean(pdk: Pdk, tmp_path: Path) -> None:
    designs: list[dict[str, Any]] = []
    for seed in SEEDS:
        design = Design(seed)
        settings = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 10} if design.has_clock else {}
        designs.append({"top": design.name, "verilog": design.verilog(), "settings": settings})
    parts = [drive(pdk, tmp_path / str(k), designs[k::PROCESSES]) for k in range(PROCESSES)]
    found = {top: result for part in parts for top, result in results(part).items()}
    refused = {top: result["refused"] for top, result in found.items() if "refused" in result}
    assert not refused
    assert len(found) == len(SEEDS)
    cells = 0.0
    for result in found.values():
        metrics = result["metrics"]
        assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
        cells += metrics["design__instance__count__stdcell"]
    assert cells > 10 * len(SEEDS), "the designs are too small to say anything"
