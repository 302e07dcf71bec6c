"""A block is built, and then used as a hard macro in another design."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from a6hub_jupyter.express.lef import Lef
from tests.flow import opensta
from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results
from tests.flow.test_course_designs import DESIGNS
from tests.flow.test_express import CLEAN

pytestmark = pytest.mark.needs("express")

AGREEMENT = 0.05
"""Slacks may differ by so much from OpenSTA's, ns."""
CLOCKED: dict[str, Any] = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 20}
# two instances of a small block, so that both orientations are seen
BLOCK = """
module block (input wire clk, input wire [3:0] d, output reg [3:0] q);
  always @(posedge clk) q <= {d[0] ^ q[3], q[3:1] + d[3:1]};
endmodule
"""
USER = """
module user (input wire clk, input wire [3:0] a, output wire [3:0] b, output reg [4:0] sum);
  wire [3:0] middle;
  block first (.clk(clk), .d(a), .q(middle));
  block second (.clk(clk), .d(middle), .q(b));
  always @(posedge clk) sum <= middle + b;
endmodule
"""


def test_block_becomes_a_macro_of_another_design(pdk: Pdk, tmp_path: Path) -> None:
    single = {**CLOCKED, "PDN_MULTILAYER": False}
    # the first macro is beside the core, the second within
    die = {"FP_SIZING": "absolute", "DIE_AREA": [0, 0, 220, 160], "CORE_AREA": [85, 20, 205, 145]}
    places = {"first": [20, 30, "N"], "second": ["130.005", "40.25", "S"]}
    found = results(
        drive(
            pdk,
            tmp_path,
            [
                {"top": "block", "verilog": BLOCK, "settings": single},
                {"top": "user", "verilog": USER, "settings": {**CLOCKED, **die, "MACROS": {"block": places}}},
            ],
        )
    )
    for name in ("block", "user"):
        assert "refused" not in found[name], found[name]
        metrics = found[name]["metrics"]
        assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0), name
    abstract = Lef(next(iter((tmp_path / "block").glob("*-express-writelef/block.lef")))).macros["block"]
    assert abstract.is_block
    assert {name for name, pin in abstract.pins.items() if pin.is_signal} == {
        "clk",
        *(f"{bus}[{k}]" for bus in "dq" for k in range(4)),
    }
    assert all(abstract.pins[f"d[{k}]"].gate_area > 0 for k in range(4))
    layers = {shape.layer for shape in abstract.obstructions}
    assert len(layers) >= 3
    netlist = next(iter((tmp_path / "user").glob("*-express-holdrepair/user.nl.v"))).read_text()
    assert netlist.count("  block ") == 2
    _check_timing(next(iter((tmp_path / "user").glob("*-express-timingestimate"))), found["user"]["metrics"])


def _check_timing(step: Path, metrics: dict[str, float]) -> None:
    """Paths begin and end at the macros, and OpenSTA finds the same with the models that Express wrote of them."""
    assert metrics["timing__unconstrained_endpoint__count"] == 0
    assert metrics["timing__setup_r2r__ws"] < CLOCKED["CLOCK_PERIOD"]
    report = next(iter(step.glob("*/max.rpt"))).read_text()
    assert re.search(r"Endpoint: first/d\[\d\] \(setup check of a register", report)
    assert re.search(r"Startpoint: second/clk \(register", report)
    assert re.search(r"Liberty: .*, block__\w+ \(functional, ESTIMATED", report)
    for corner in opensta.compare(step) if opensta.STA else ():
        for ours, theirs, at_their_endpoint in (corner.setup, corner.hold):
            assert abs(ours.slack - theirs.slack) < AGREEMENT, corner
            assert at_their_endpoint is not None, corner


def test_design_with_a_register_file_as_macro_is_clean(sky130: Pdk, tmp_path: Path) -> None:
    """The course's register file, used where a larger design would have an SRAM."""
    blocks = {"register_file": {"counts": [30, 30, "FS"]}}
    settings = {**CLOCKED, "FP_SIZING": "absolute", "DIE_AREA": [0, 0, 200, 200], "MACROS": blocks}
    designs = [
        {
            "top": "register_file",
            "verilog": (DESIGNS / "register_file.v").read_text(),
            "settings": {**CLOCKED, "PDN_MULTILAYER": False},
        },
        {"top": "histogram", "verilog": (DESIGNS / "histogram.v").read_text(), "settings": settings},
    ]
    found = results(drive(sky130, tmp_path, designs))
    for name in ("register_file", "histogram"):
        assert "refused" not in found[name], found[name]
        assert {key: found[name]["metrics"][key] for key in CLEAN} == dict.fromkeys(CLEAN, 0), name
