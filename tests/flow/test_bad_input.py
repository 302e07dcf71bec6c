"""What students write by mistake: built all the same, or refused in one sentence by the step that knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results
from tests.flow.test_express import CLEAN

pytestmark = pytest.mark.needs("express")

CLOCK = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}
BUILT: dict[str, tuple[str, dict[str, Any]]] = {
    "two_clocks": (
        (
            "input c1, input c2, input d, output reg q, output reg r);"
            " always @(posedge c1) q <= d; always @(posedge c2) r <= q;"
        ),
        {"CLOCK_PORT": ["c1", "c2"]},
    ),
    "gated": ("input clk, input en, input d, output reg q); wire g = clk & en; always @(posedge g) q <= d;", CLOCK),
    "through": ("input a, output y); assign y = a;", {}),
    "constant": ("input a, output y); assign y = 1'b1;", {}),
    "tristate": ("input en, input d, output y); assign y = en ? d : 1'bz;", {}),
    "both_ways": ("inout p, input en, input d, output y); assign p = en ? d : 1'bz; assign y = p;", {}),
    "escaped": (
        (
            "input \\clk[0] , input [1:0] \\a.b , output reg \\q[3].r ); reg \\n+m ; always @(posedge \\clk[0] )"
            " begin \\n+m <= \\a.b [0] ^ \\a.b [1]; \\q[3].r <= \\n+m ; end"
        ),
        {"CLOCK_PORT": "clk[0]"},
    ),
    "generated": (
        (
            "input clk, input [0:1] d, output [0:1] q); genvar i; generate for (i = 0; i < 2; i = i + 1) begin : bit_of"
            " reg \\r[0] ; always @(posedge clk) \\r[0] <= d[i]; assign q[i] = \\r[0] ; end endgenerate"
        ),
        CLOCK,
    ),
    "allowed_latch": ("input en, input d, output reg q); always @* if (en) q = d;", {"LINTER_ERROR_ON_LATCH": False}),
}
REFUSED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "latch": ("input en, input d, output reg q); always @* if (en) q = d;", {}, "Checker.LintErrors", "1 Lint errors"),
    "syntax": ("input a, output y); assign y = a &;", {}, "Checker.LintErrors", "1 Lint errors found"),
    "missing": ("input a, output y); sub s(.a(a), .y(y));", {}, "Checker.LintErrors", "1 Lint errors found"),
    "two_drivers": ("input a, input b, output y); assign y = a; assign y = b;", {}, "Checker.LintErrors", "1 Lint"),
    "loop": (
        "input a, output y); wire n = ~(a & y); assign y = ~(n | a);",
        {},
        "Checker.YosysSynthChecks",
        "1 Yosys check errors",
    ),
    "undriven": ("input a, output y); wire n; assign y = a & n;", {}, "Checker.YosysSynthChecks", "1 Yosys check"),
    "undriven_output": ("input a, output y, output z); assign y = a;", {}, "Checker.YosysSynthChecks", "1 Yosys check"),
    "no_ports": (");", {}, "Yosys.JsonHeader", "The module 'no_ports' is empty, or there is none of that name"),
    "empty": ("input a);", {}, "Yosys.JsonHeader", "The module 'empty' is empty, or there is none of that name"),
    "memory": (
        (
            "input clk, input we, input [15:0] a, input [31:0] d, output reg [31:0] q); reg [31:0] m [0:65535];"
            " always @(posedge clk) begin if (we) m[a] <= d; q <= m[a]; end"
        ),
        CLOCK,
        "Yosys.JsonHeader",
        "The memory m has 2,097,152 bits",
    ),
    "waits": (
        "input a, output reg y); initial begin #5 y = 0; wait (a); y = 1; end",
        {},
        "Yosys.JsonHeader",
        "Yosys cannot build this: Can't resolve task name 'wait' (waits.v, line 1).",
    ),
    "fractions": (
        "input a, output y); real r; always @* r = a * 1.5; assign y = r > 1.0;",
        {},
        "Yosys.JsonHeader",
        "Yosys cannot build this: syntax error, unexpected TOK_REAL (fractions.v, line 1).",
    ),
    "both_edges": (
        "input clk, input d, output reg q); always @(posedge clk or negedge clk) q <= d;",
        CLOCK,
        "Yosys.JsonHeader",
        "A register listens to more than one edge",
    ),
    "wrong_clock": (
        "input clk, input d, output reg q); always @(posedge clk) q <= d;",
        {"CLOCK_PORT": "clock"},
        "",
        "names 'clock'",
    ),
}


def _drive(pdk: Pdk, directory: Path, bodies: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    designs = [
        {"top": top, "verilog": f"module {top} ({body}\nendmodule\n", "settings": settings}
        for top, (body, settings) in bodies.items()
    ]
    parts = [drive(pdk, directory / str(k), designs[k::2], lint=True) for k in (0, 1)]
    return {top: result for part in parts for top, result in results(part).items()}


@pytest.fixture(scope="module")
def built(pdk: Pdk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return _drive(pdk, tmp_path_factory.mktemp("odd"), BUILT)


@pytest.fixture(scope="module")
def found(ihp: Pdk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return _drive(ihp, tmp_path_factory.mktemp("bad"), {top: case[:2] for top, case in REFUSED.items()})


@pytest.mark.parametrize("top", BUILT)
def test_odd_design_is_built(top: str, built: dict[str, dict[str, Any]]) -> None:
    """On both PDKs: latches, tri-states and constants have cells of their own in each."""
    assert "refused" not in built[top], built[top]
    metrics = built[top]["metrics"]
    assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)


@pytest.mark.parametrize("top", REFUSED)
def test_bad_design_is_refused_by_the_step_that_knows(top: str, found: dict[str, dict[str, Any]]) -> None:
    _, _, step, sentence = REFUSED[top]
    assert sentence in found[top]["refused"]
    assert "Traceback" not in found[top]["refused"]
    assert found[top]["by"].startswith(step)
