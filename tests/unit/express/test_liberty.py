"""The estimated Liberty: functions from Verilog, electrical values from SPICE."""

from __future__ import annotations

import re

import pytest

from a6hub_jupyter.express.sky130 import NOTE, liberty
from a6hub_jupyter.express.sky130.functions import FunctionReader, UnmodelledError
from a6hub_jupyter.express.sky130.transistors import GATE_CAPACITANCE, RESISTANCE, Transistors

INVERTER = """
.subckt inv A VGND VNB VPB VPWR Y
X0 Y A VPWR VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X1 VGND A Y VNB sky130_fd_pr__nfet_01v8 w=650000u l=150000u
.ends
"""
NAND = """
X0 Y A VPWR VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X1 Y B VPWR VPB sky130_fd_pr__pfet_01v8_hvt w=1e+06u l=150000u
X2 Y A mid VNB sky130_fd_pr__nfet_01v8 w=650000u l=150000u
X3 mid B VGND VNB sky130_fd_pr__nfet_01v8 w=650000u l=150000u
"""


def module(gates: str, outputs: str = "Y", inputs: str = "A B C") -> str:
    ports = [f"    output {o};" for o in outputs.split()] + [f"    input {i};" for i in inputs.split()]
    return "module cell (\n    Y\n);\n" + "\n".join(ports) + f"\n{gates}\nendmodule\n"


def evaluate(expression: str, values: dict[str, bool]) -> bool:
    """A Liberty expression, with Python as the judge."""
    python = expression.replace("!", " not ").replace("&", " and ").replace("|", " or ").replace("^", " != ")
    return bool(eval(python, {}, values))


@pytest.mark.parametrize(
    ("gates", "truth"),
    [
        ("  nand nand0 (n, A, B);\n  buf buf0 (Y, n);", lambda a, b, c: not (a and b)),
        ("  or or0 (n, A, B);\n  and and0 (m, n, C);\n  not not0 (Y, m);", lambda a, b, c: not ((a or b) and c)),
        ("  sky130_fd_sc_hd__udp_mux_2to1 mux0 (m, A, B, C);\n  buf buf0 (Y, m);", lambda a, b, c: b if c else a),
        ("  sky130_fd_sc_hd__udp_mux_2to1_N mux0 (Y, A, B, C);", lambda a, b, c: not (b if c else a)),
    ],
)
def test_functions_of_gates(gates: str, truth: object) -> None:
    function = FunctionReader(module(gates)).read()
    assert callable(truth)
    for n in range(8):
        a, b, c = bool(n & 1), bool(n & 2), bool(n & 4)
        assert evaluate(function.expressions["Y"], {"A": a, "B": b, "C": c}) == truth(a, b, c), n


def test_flip_flop_with_inverted_reset() -> None:
    gates = (
        "  not not0 (RESET, RESET_B);\n"
        "  sky130_fd_sc_hd__udp_dff$PR `UNIT_DELAY dff0 (q, D, CLK, RESET);\n  buf buf0 (Q, q);"
    )
    function = FunctionReader(module(gates, "Q", "D CLK RESET_B")).read()
    assert function.expressions == {"Q": "IQ"}
    assert function.storage is not None
    assert function.storage.kind == "ff"
    assert function.storage.roles == {"D": "D", "CLK": "CLK", "RESET": "!RESET_B"}
    text = liberty.storage_group(function.storage)
    assert 'clocked_on : "CLK";' in text
    assert 'clear : "!RESET_B";' in text


def test_tri_state_is_left_out() -> None:
    gates = "  bufif0 bufif00 (Y, A, B);"
    with pytest.raises(UnmodelledError):
        FunctionReader(module(gates)).read()
    assert liberty.cell_group("ebufn_1", 1.0, module(gates), INVERTER) is None


def test_inverter_capacitance_and_drive() -> None:
    transistors = Transistors(INVERTER)
    assert transistors.capacitance("A") == pytest.approx(1.65 * GATE_CAPACITANCE)
    rise, fall, gates = transistors.drive("Y")
    assert rise == pytest.approx(RESISTANCE["p"] / 1.0, rel=1e-6)
    assert fall == pytest.approx(RESISTANCE["n"] / 0.65, rel=1e-6)
    assert gates == ["A"]


def test_stacked_transistors_drive_half_as_well() -> None:
    rise, fall, gates = Transistors(NAND).drive("Y")
    assert fall == pytest.approx(2 * RESISTANCE["n"] / 0.65, rel=1e-6)
    assert rise == pytest.approx(RESISTANCE["p"], rel=1e-6), "the worst case is one of the two in parallel"
    assert gates == ["A", "B"]
    delay = Transistors(NAND).delay("Y", "A")
    assert delay is not None
    assert delay > 0
    assert Transistors(NAND).delay("Y", "C") is None


def test_library_says_what_it_is() -> None:
    assert f'comment : "{NOTE}";' in liberty.HEADER
    assert liberty.HEADER.splitlines()[0].startswith("/* FUNCTIONAL, ESTIMATED DELAYS.")


def test_cell_group_is_balanced_and_complete() -> None:
    text = liberty.cell_group("nand2_1", 3.75, module("  nand nand0 (Y, A, B);", "Y", "A B"), NAND)
    assert text is not None
    assert text.count("{") == text.count("}")
    assert "area : 3.7500;" in text
    assert text.count("timing ()") == 2
    assert 'function : "!(A&B)";' in text


def test_arcs_say_which_way_an_output_goes() -> None:
    nand = liberty.cell_group("nand2_1", 3.75, module("  nand nand0 (Y, A, B);", "Y", "A B"), NAND)
    assert nand is not None
    assert re.findall(r"timing_sense : (\w+)", nand) == ["negative_unate"] * 2
    gates = (
        "  not not0 (RESET, RESET_B);\n  sky130_fd_sc_hd__udp_dff$PR `UNIT_DELAY dff0 (q, D, CLK, RESET);\n"
        "  buf buf0 (Q, q);\n  not not1 (Q_N, q);"
    )
    flop = liberty.cell_group("dfrbp_1", 20.0, module(gates, "Q Q_N", "D CLK RESET_B"), INVERTER)
    assert flop is not None
    arcs = re.findall(r'related_pin : "(\w+)";\s+timing_type : (\w+);\s+timing_sense : (\w+)', flop)
    assert arcs == [
        ("CLK", "rising_edge", "non_unate"),
        ("RESET_B", "clear", "positive_unate"),
        ("CLK", "rising_edge", "non_unate"),
        ("RESET_B", "preset", "negative_unate"),
    ]


def test_a_latch_passes_its_data_and_closes_at_the_end_of_its_gate() -> None:
    gates = "  sky130_fd_sc_hd__udp_dlatch$P `UNIT_DELAY latch0 (q, D, GATE);\n  buf buf0 (Q, q);"
    latch = liberty.cell_group("dlxtp_1", 15.0, module(gates, "Q", "D GATE"), INVERTER)
    assert latch is not None
    arcs = re.findall(r'related_pin : "(\w+)";\s+timing_type : (\w+);', latch)
    assert arcs == [
        ("GATE", "setup_falling"),
        ("GATE", "hold_falling"),
        ("GATE", "rising_edge"),
        ("D", "combinational"),
    ]
