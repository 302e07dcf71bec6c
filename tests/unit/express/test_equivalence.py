"""The proof that a netlist does what another does: what must pass, and what must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from a6hub_jupyter.express import equivalence
from a6hub_jupyter.express.cellclasses import CellClasses
from a6hub_jupyter.express.problem import ProblemError
from tests.unit.express.jobs import job

pytestmark = pytest.mark.needs("express")


def gate(name: str, inputs: str, function: str) -> str:
    pins = "".join(f"pin({p}) {{ direction : input; }} " for p in inputs)
    return f'cell({name}) {{ {pins} pin(Y) {{ direction : output; function : "{function}"; }} }}\n'


def register(name: str, clock: str = "C") -> str:
    return (
        f'cell({name}) {{ ff(IQ, IQN) {{ clocked_on : "{clock}"; next_state : "D"; }} pin(C) {{ direction : input; }} '
        'pin(D) { direction : input; } pin(Q) { direction : output; function : "IQ"; } }\n'
    )


ICG = (
    'cell(icg_1) { statetable("C E", "L") { table : "x"; } pin(C) { direction : input; } '
    'pin(E) { direction : input; } pin(G) { direction : output; state_function : "C L"; } }\n'
)
LIBERTY = "library(small) {\n" + "".join(
    [
        *(gate(f"inv_{k}", "A", "!A") for k in (1, 4)),
        *(gate(f"buf_{k}", "A", "A") for k in (1, 4)),
        *(gate(f"nand2_{k}", "AB", "!(A B)") for k in (1, 4)),
        gate("nor2_1", "AB", "!(A+B)"),
        gate("andnot_1", "AB", "A !B"),
        *(register(f"dff_{k}") for k in (1, 4)),
        register("dffn_1", "!C"),
        ICG,
        "cell(diode_1) { pin(D) { direction : input; } }\n",
    ]
)
LIBERTY += "}\n"
LEF = (
    "MACRO ram\n SIZE 1 BY 1 ;\n PIN A[0]\n DIRECTION INPUT ;\n END A[0]\n PIN A[1]\n DIRECTION INPUT ;\n END A[1]\n"
    " PIN Q\n DIRECTION OUTPUT ;\n END Q\n PIN VDD\n DIRECTION INOUT ;\n USE POWER ;\n END VDD\nEND ram\n"
    "MACRO diode_1\n SIZE 1 BY 1 ;\n PIN D\n DIRECTION INPUT ;\n END D\nEND diode_1\n"
)
BEFORE = """module top (clk, alt, a, b, y, z);
  input clk, alt; input [1:0] a; input b; output y, z; wire n, m, q, e, g, r;
  nand2_1 g0 (.A(a[0]), .B(b), .Y(n));
  andnot_1 g1 (.A(n), .B(a[1]), .Y(m));
  dff_1 f0 (.C(clk), .D(m), .Q(q));
  icg_1 c0 (.C(clk), .E(b), .G(g));
  dff_1 f1 (.C(g), .D(q), .Q(e));
  ram m0 (.A({e, q}), .Q(r));
  inv_1 g2 (.A(q), .Y(y));
  buf_1 g3 (.A(r), .Y(z));
endmodule
"""


@pytest.fixture
def prove(tmp_path: Path) -> object:
    (tmp_path / "a b.lib").write_text(LIBERTY)
    (tmp_path / "cells.lef").write_text(LEF)
    (tmp_path / "before.v").write_text(BEFORE)

    def run(after: str) -> tuple[dict[str, int | float], str]:
        (tmp_path / "after.v").write_text(after)
        metrics = equivalence.check(
            job(
                tmp_path,
                top="top",
                lefs=[str(tmp_path / "cells.lef")],
                liberty=[str(tmp_path / "a b.lib")],
                synthesised=str(tmp_path / "before.v"),
                netlist=str(tmp_path / "after.v"),
                equivalence_seconds=60,
            )
        )
        return metrics, (tmp_path / "equivalence.rpt").read_text()

    return run


SAME = [
    pytest.param([], id="unchanged"),
    pytest.param([("nand2_1", "nand2_4"), ("dff_1 f0", "dff_4 f0"), ("inv_1", "inv_4")], id="resized"),
    pytest.param(
        [("f0 (.C(clk)", "f0 (.C(ck)"), ("endmodule", "wire ck; buf_4 b0 (.A(clk), .Y(ck)); endmodule")],
        id="clock buffer",
    ),
    pytest.param(
        [
            ("g1 (.A(n)", "g1 (.A(w)"),
            ("endmodule", "wire v, w; inv_1 i (.A(n), .Y(v)); inv_4 j (.A(v), .Y(w)); endmodule"),
        ],
        id="two inverters",
    ),
    pytest.param([(".A(a[0]), .B(b)", ".A(b), .B(a[0])")], id="symmetric pins swapped"),
    pytest.param([("endmodule", "diode_1 d0 (.D(n)); endmodule")], id="antenna diode"),
]
DIFFERENT = [
    pytest.param([("nand2_1", "nor2_1")], "Not proven equal: g1/A", id="cell swapped"),
    pytest.param([(".A(n), .B(a[1])", ".A(a[1]), .B(n)")], "Not proven equal: m", id="pins swapped"),
    pytest.param([("buf_1 g3", "inv_1 g3")], "Not proven equal: g3/A and z", id="buffer inverts"),
    pytest.param([("f0 (.C(clk)", "f0 (.C(alt)")], "Not proven equal: clk and alt", id="another clock"),
    pytest.param(
        [("f0 (.C(clk)", "f0 (.C(ck)"), ("endmodule", "wire ck; inv_1 b0 (.A(clk), .Y(ck)); endmodule")],
        "Not proven equal",
        id="clock inverted",
    ),
    pytest.param([(".E(b)", ".E(a[0])")], "Not proven equal: b and a[0]", id="clock gate"),
    pytest.param([("{e, q}", "{q, e}")], "Not proven equal", id="macro pins"),
    pytest.param(
        [("dff_1 f1", "dffn_1 f1")], "f1 was dff_1, and is dffn_1, which behaves differently", id="falling edge"
    ),
    pytest.param(
        [("  dff_1 f1 (.C(g), .D(q), .Q(e));\n", "buf_1 f1 (.A(q), .Y(e));")],
        "The final netlist has no f1",
        id="register lost",
    ),
    pytest.param(
        [("endmodule", "dff_1 f2 (.C(clk), .D(b), .Q(e)); endmodule")], "has f2 (dff_1) of its own", id="register added"
    ),
    pytest.param(
        [("output y, z", "output y, z, x"), ("b, y, z);", "b, y, z, x);")],
        "Nothing is proven: Yosys says",
        id="another port",
    ),
    pytest.param([(".Y(y)", ".Y()")], "Not proven equal: y", id="output undriven"),
]


def edited(changes: list[tuple[str, str]]) -> str:
    text = BEFORE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("changes", SAME)
def test_what_does_the_same_is_proven(changes: list[tuple[str, str]], prove: object) -> None:
    metrics, report = prove(edited(changes))  # type: ignore[operator]
    assert report == ""
    assert metrics["design__equivalence_unproven__count"] == 0
    assert metrics["design__equivalence_proven__count"] >= 5


@pytest.mark.parametrize(("changes", "said"), DIFFERENT)
def test_what_does_not_is_named(changes: list[tuple[str, str]], said: str, prove: object) -> None:
    metrics, report = prove(edited(changes))  # type: ignore[operator]
    assert said in report
    assert metrics["design__equivalence_unproven__count"] > 0


def test_time_that_runs_out_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "slow.ys").write_text("exec -- sleep 20\n")
    proof = equivalence.prove(tmp_path / "slow.ys", 1)
    assert proof.stopped == "the proof was given up after 1 s"
    assert not proof.is_complete


@pytest.mark.parametrize("log", ["", "ERROR: out of memory", "-- Running command `equiv_status equiv'"])
def test_a_run_without_a_result_proves_nothing(log: str) -> None:
    assert not equivalence.read_log(log).is_complete


def test_cells_are_classed_by_what_they_do(tmp_path: Path) -> None:
    (tmp_path / "x.lib").write_text(LIBERTY)
    found = CellClasses.of([str(tmp_path / "x.lib")])
    assert found.representative["nand2_4"] == "nand2_1"
    assert found.representative["dffn_1"] == "dffn_1"
    assert {n for n, c in found.cells.items() if c.is_buffer} == {"buf_1", "buf_4"}
    assert {n for n, c in found.cells.items() if not c.is_gate} == {"dff_1", "dff_4", "dffn_1", "icg_1", "diode_1"}


def test_a_liberty_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"The Liberty file .*none\.lib cannot be read"):
        CellClasses.of([str(tmp_path / "none.lib")])
