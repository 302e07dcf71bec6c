"""The proof that a netlist does what the RTL says: what must pass, what must not, and its bounds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from a6hub_jupyter.express import rtlequivalence
from a6hub_jupyter.express.verilog import Netlist
from a6hub_jupyter.isolated import module_command
from tests.unit.express.jobs import job
from tests.unit.express.test_equivalence import LEF, LIBERTY

pytestmark = pytest.mark.needs("express")

RTL = """module top (clk, alt, a, b, y, q);
  input clk, alt, a, b; output y; output reg [1:0] q;
  assign y = q[0] & ~q[1];
  always @(posedge clk) q <= {q[0], ~(a & b)};
endmodule
"""
NETLIST = """module top (clk, alt, a, b, y, q);
  input clk, alt, a, b; output y; output [1:0] q; wire n, m;
  nand2_1 g0 (.A(a), .B(b), .Y(n));
  dff_1 f0 (.C(clk), .D(n), .Q(q[0]));
  dff_4 f1 (.C(clk), .D(q[0]), .Q(q[1]));
  inv_1 g1 (.A(q[0]), .Y(m));
  nor2_1 g2 (.A(m), .B(q[1]), .Y(y));
endmodule
"""

Check = Callable[..., dict[str, "int | float"]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    (tmp_path / "a b.lib").write_text(LIBERTY)
    (tmp_path / "cells.lef").write_text(LEF)
    (tmp_path / "rtl.v").write_text(RTL)
    read = "read_verilog rtl.v; hierarchy -top top; proc; flatten; json -o read.json"
    command = module_command("a6hub_jupyter.express.yosys", "-p", read)
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    def run(netlist: str, **settings: object) -> dict[str, int | float]:
        (tmp_path / "netlist given.v").write_text(netlist)
        given: dict[str, object] = {
            "top": "top",
            "lefs": [str(tmp_path / "cells.lef")],
            "liberty": [str(tmp_path / "a b.lib")],
            "synthesised": str(tmp_path / "netlist given.v"),
            "rtl": str(tmp_path / "read.json"),
            "rtl_seconds": 60,
            "rtl_cells": 100,
        }
        return rtlequivalence.check(job(tmp_path, **{**given, **settings}))

    return run


def test_netlist_of_the_rtl_is_proven(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(NETLIST) == {
        "design__rtl_equivalence_proven__count": 3,
        "design__rtl_equivalence_unproven__count": 0,
    }
    assert "RTL against netlist: 3 signals proven, 0 not" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("nand2_1 g0", "nor2_1 g0"),
        (".D(q[0])", ".D(n)"),
        ("nor2_1 g2 (.A(m)", "nor2_1 g2 (.A(q[0])"),
        ("dff_1 f0 (.C(clk)", "dff_1 f0 (.C(alt)"),
        ("dff_1 f0", "dffn_1 f0"),
        (".A(a), .B(b)", ".A(a), .B(1'b1)"),
        (".Q(q[1])", ".Q(n)"),
    ],
)
def test_another_netlist_is_not(before: str, after: str, check: Check, tmp_path: Path) -> None:
    assert before in NETLIST
    assert check(NETLIST.replace(before, after))["design__rtl_equivalence_unproven__count"] > 0
    assert "Not proven equal to the RTL: " in (tmp_path / "rtl_equivalence.rpt").read_text()


def test_signals_are_matched_by_the_name_that_the_netlist_has() -> None:
    bits: dict[str, dict[str, object]] = {
        "sum": {"bits": [2, 3, 4]},
        "high": {"bits": [3, 4, "0"]},
        "one": {"bits": [5]},
        "up": {"bits": [6, 7]},
    }
    bits["up"] |= {"upto": 1, "offset": 1}
    read = {"modules": {"top": {"ports": {"a": {}}, "netnames": {"a": {"bits": [8]}, **bits}}}}
    netlist = Netlist("top", nets={name: [] for name in ("sum[0]", "high[0]", "high[1]", "up[2]")})
    kept = rtlequivalence.with_names_of(read, netlist)["modules"]["top"]["netnames"]
    assert {name: net["bits"] for name, net in kept.items()} == {
        "a": [8],
        "sum[0]": [2],
        "high[0]": [3],
        "high[1]": [4],
        "up[2]": [6],
    }


def test_time_out_is_said(check: Check, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **settings: object) -> None:
        raise subprocess.TimeoutExpired("yosys", 1)

    monkeypatch.setattr("a6hub_jupyter.express.equivalence.subprocess.run", slow)
    assert check(NETLIST)["design__rtl_equivalence_unproven__count"] == 1
    assert "came to no end: the proof was given up after 60 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rtl_cells": 4}, "the netlist has 5 cells, and EXPRESS_RTL_EQUIVALENCE_CELLS is 4"),
        ({"rtl": None}, "Yosys.JsonHeader was left out"),
    ],
)
def test_left_out_with_a_sentence(
    settings: dict[str, object], said: str, check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(NETLIST, **settings) == {}
    assert f"The netlist is not compared with the RTL: {said}" in capsys.readouterr().out
