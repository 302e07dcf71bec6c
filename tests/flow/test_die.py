"""DIE_AREA and CORE_AREA as LibreLane means them: a clean chip whose rows keep within the core."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.conftest import Pdk, Run
from tests.flow.test_express import CLEAN, CLOCKED

pytestmark = pytest.mark.needs("express")

ROW = re.compile(r"^ROW \S+ \S+ (\d+) (\d+) \S+ DO (\d+) BY 1 STEP (\d+)", re.M)
DIE, CORE = [0, 0, 100, 90], [20, 15.5, 80, 82]


def test_rows_keep_within_the_core_and_the_chip_is_clean(
    design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk
) -> None:
    """On a die of 100 x 90 um; sites of sky130 are 0.46 um wide and 2.72 um high."""
    run = librelane(design("uart_tx", **CLOCKED, FP_SIZING="absolute", DIE_AREA=DIE, CORE_AREA=CORE), sky130)
    metrics = run.metrics
    assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert metrics["design__die__area"] == pytest.approx(99.82 * 87.04)
    assert metrics["design__core__area"] == pytest.approx(59.34 * 65.28)
    rows = [tuple(int(n) for n in row) for row in ROW.findall(run.view("def").read_text())]
    assert {(x, count * step) for x, _, count, step in rows} == {(20240, 59340)}
    assert [y for _, y, _, _ in rows] == list(range(16320, 81600, 2720))
