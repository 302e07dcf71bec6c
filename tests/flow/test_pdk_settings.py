"""What full PDKs say and the staged one does not: sky130A and gf180mcuD as they are installed by ciel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.conftest import Pdk, Run
from tests.flow.test_express import CLEAN

pytestmark = pytest.mark.needs("express")


def test_gds_of_another_tool_patterns_of_buffers_and_cuts_in_pins(
    design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk
) -> None:
    """The GDS is KLayout's, any clock buffer that is not excluded is taken, and pins may have cuts in the LEF."""
    cells = next((sky130.root / sky130.name / "libs.ref" / sky130.library / "lef").glob("*.lef")).read_text()
    rail = re.compile(r"(PIN VGND\n(?:    .*\n)*?      LAYER) li1 ;\n")
    changed, count = rail.subn(r"\1 mcon ;\n        RECT 0.145 -0.085 0.315 0.085 ;\n      LAYER li1 ;\n", cells)
    assert count > 100
    settings = {
        "PRIMARY_GDSII_STREAMOUT_TOOL": "magic",
        "CTS_CLK_BUFFERS": ["sky130_fd_sc_hd__clkbuf_*"],
        "EXTRA_EXCLUDED_CELLS": ["sky130_fd_sc_hd__clkbuf_1"],
        "CELL_LEFS": ["dir::cells.lef"],
    }
    directory = design("counter", CLOCK_PORT="clk", CLOCK_PERIOD=10, **settings)
    (directory / "cells.lef").write_text(changed)
    run = librelane(directory, sky130)
    assert run.code == 0, run.output
    assert {key: run.metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert run.view("gds").read_bytes() == run.view("klayout_gds").read_bytes()
    buffers = set(re.findall(r"^\s*(\S+__clkbuf_\d+) clkbuf_clk", run.view("nl").read_text(), re.M))
    assert buffers
    assert "sky130_fd_sc_hd__clkbuf_1" not in buffers


def test_a_pattern_that_matches_nothing_is_named(
    design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk
) -> None:
    settings = {"CTS_CLK_BUFFERS": ["sky130_fd_sc_hd__nobuf_*"]}
    run = librelane(design("counter", CLOCK_PORT="clk", CLOCK_PERIOD=10, **settings), sky130)
    assert run.code != 0
    said = " ".join(run.output.split())
    assert "CTS_CLK_BUFFERS or CTS_ROOT_BUFFER names 'sky130_fd_sc_hd__nobuf_*', which no Liberty file has." in said
