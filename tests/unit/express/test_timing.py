"""Slacks that can be computed by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.timing import limits, report
from a6hub_jupyter.express.timing.analysis import EARLY, LATE
from a6hub_jupyter.express.timing.constraints import Constraints
from a6hub_jupyter.express.timing.drives import lookup
from a6hub_jupyter.express.timing.library import Library
from a6hub_jupyter.express.timing.tables import TableStack
from a6hub_jupyter.express.timing.unateness import sense
from tests.unit.express import tinylib

TWO = {"clk": "r1.CK r2.CK", "q": "r1.Q b1.A", "d": "b1.Y r2.D", "x": "r1.D"}
CELLS = {"r1": "dff_1", "r2": "dff_1", "b1": "buf_1"}
PORTS = "clk:INPUT x:INPUT"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return tinylib.library(tmp_path)


def test_tables_are_bilinear_between_their_points_and_linear_beyond(library: Library) -> None:
    """The table is 1 + 2 s + c + s c."""
    table = library["odd"].pins["Y"].arcs[0].delays[0]
    assert table is not None
    stack = TableStack()
    points = [(0.5, 0.5, 2.75), (0, 1, 2), (1, 1, 5), (2, 2, 11), (-1, 0.5, -1), (0.25, 3, 5.25)]
    numbers = np.full(len(points), stack.add(table))
    found = stack.evaluate(numbers, np.array([p[0] for p in points]), np.array([p[1] for p in points]))
    assert found == pytest.approx([p[2] for p in points])
    assert [lookup(table, s, c) for s, c, _ in points] == pytest.approx([p[2] for p in points])


def test_one_inverter(library: Library) -> None:
    """0.2 of 10 ns at the input, 1 + 0.02 ns in the cell (no slew, 0.02 pF), 2 ns beyond the output."""
    found = tinylib.netlist({"g": "odd"}, {"x": "g.A", "y": "g.Y"}, "x:INPUT y:OUTPUT")
    slacks = tinylib.analyse(found, library, Constraints(10, io_share=0.2, output_load=0.02))
    assert slacks.setup.worst == pytest.approx(10 - 2 - 2 - 1.02)
    assert slacks.hold.worst == pytest.approx(2 + 1.02 - (-2))
    assert slacks.setup_between_registers.ends == []
    assert slacks.shortest_period() is None


def test_from_register_to_register(library: Library) -> None:
    """0.3 + 0.01 to Q, 0.1 + 0.01 through the buffer; setup takes 0.1, hold 0.05."""
    slacks = tinylib.analyse(tinylib.netlist(CELLS, TWO, PORTS), library, Constraints(10, ("clk",)))
    assert slacks.setup_between_registers.worst == pytest.approx(10 - 0.1 - 0.42)
    assert slacks.hold_between_registers.worst == pytest.approx(0.42 - 0.05)
    assert slacks.shortest_period() == pytest.approx(0.52)
    assert slacks.skew(LATE) == 0


def test_uncertainty_and_derating_count_against_both(library: Library) -> None:
    constraints = Constraints(10, ("clk",), uncertainty=0.25, derate=0.1)
    slacks = tinylib.analyse(tinylib.netlist(CELLS, TWO, PORTS), library, constraints)
    assert slacks.setup_between_registers.worst == pytest.approx(10 - 0.25 - 0.1 - 1.1 * 0.42)
    assert slacks.hold_between_registers.worst == pytest.approx(0.9 * 0.42 - 0.25 - 0.05)


@pytest.mark.parametrize(
    ("first", "second", "setup", "hold"),
    [
        ("dff_1", "dffn_1", 5, -5),
        ("dffn_1", "dff_1", 5, -5),
        ("dffn_1", "dffn_1", 10, 0),
    ],
)
def test_edges_of_launch_and_capture(library: Library, first: str, second: str, *, setup: float, hold: float) -> None:
    """The capturing edge is the next one after the launch; hold looks one period back."""
    cells = {**CELLS, "r1": first, "r2": second}
    slacks = tinylib.analyse(tinylib.netlist(cells, TWO, PORTS), library, Constraints(10, ("clk",)))
    assert slacks.setup_between_registers.worst == pytest.approx(setup - 0.1 - 0.42)
    assert slacks.hold_between_registers.worst == pytest.approx(0.42 - 0.05 - hold)
    assert slacks.shortest_period() == pytest.approx(0.52 * 10 / setup)


def test_latency_of_one_register_moves_its_slacks(library: Library) -> None:
    """A buffer in the capturing clock: 0.1 + 0.02 ns later."""
    nets = {**TWO, "clk": "r1.CK c1.A", "late": "c1.Y r2.CK"}
    found = tinylib.netlist({**CELLS, "c1": "buf_1"}, nets, PORTS)
    slacks = tinylib.analyse(found, library, Constraints(10, ("clk",)))
    assert slacks.setup_between_registers.worst == pytest.approx(10 + 0.12 - 0.1 - 0.42)
    assert slacks.hold_between_registers.worst == pytest.approx(0.42 - 0.05 - 0.12)
    assert slacks.skew(LATE) == pytest.approx(0.12)


def test_the_driving_cell_counts_beyond_its_unloaded_delay(library: Library) -> None:
    """buf_1 takes 1 ns per pF: with r1.D, 0.01 ns; the slew is the buffer's."""
    constraints = Constraints(10, ("clk",), io_share=0.2, driver=("buf_1", "Y"))
    slacks = tinylib.analyse(tinylib.netlist(CELLS, TWO, PORTS), library, constraints)
    end = next(e for e in slacks.setup.ends if e.tag.from_inputs)
    assert end.arrival == pytest.approx(2.01)
    assert slacks.analysis.slew[LATE, end.node] == pytest.approx(0.05)
    with pytest.raises(ProblemError, match="SYNTH_DRIVING_CELL names nothing/Y"):
        tinylib.analyse(tinylib.netlist(CELLS, TWO, PORTS), library, Constraints(10, driver=("nothing", "Y")))


def test_different_clocks_are_not_timed_against_each_other(library: Library) -> None:
    nets = {**TWO, "clk": "r1.CK", "other": "r2.CK"}
    found = tinylib.netlist(CELLS, nets, "clk:INPUT other:INPUT x:INPUT")
    slacks = tinylib.analyse(found, library, Constraints(10, ("clk", "other")))
    assert slacks.setup_between_registers.ends == []
    assert [slacks.analysis.graph.pins[p] for p in slacks.setup.unconstrained] == [("r2", "D")]


def test_what_no_clock_reaches_is_unconstrained(library: Library) -> None:
    slacks = tinylib.analyse(tinylib.netlist(CELLS, TWO, PORTS), library, Constraints(10))
    pins = slacks.analysis.graph.pins
    assert {pins[p] for p in slacks.setup.unconstrained} == {("r1", "D"), ("r2", "D")}
    assert math.isinf(slacks.setup.worst)


def test_a_combinational_loop_is_cut_and_named(library: Library) -> None:
    nets = {"x": "a.A", "n1": "a.Y i.A y1.A", "n2": "i.Y a.B", "y": "y1.Y"}
    found = tinylib.netlist({"a": "and2_1", "i": "inv_1", "y1": "buf_1"}, nets, "x:INPUT y:OUTPUT")
    slacks = tinylib.analyse(found, library, Constraints(10))
    (loop,) = slacks.analysis.graph.loops
    assert "a, i form a combinational loop" in loop or "i, a form a combinational loop" in loop
    assert slacks.setup.worst < 10


def test_cells_without_a_model_are_named_and_passed_over(library: Library) -> None:
    found = tinylib.netlist({**CELLS, "m": "sram"}, {**TWO, "z": "m.OUT"}, PORTS)
    slacks = tinylib.analyse(found, library, Constraints(10, ("clk",)))
    assert slacks.analysis.graph.unknown == ["sram"]


def test_limits_of_slew_load_and_fanout(library: Library) -> None:
    """buf_1 may drive 0.1 pF: eleven loads of 0.01 pF are too many."""
    cells = {"b": "buf_1", **{f"g{k}": "inv_1" for k in range(11)}}
    nets = {"x": "b.A", "n": "b.Y " + " ".join(f"g{k}.A" for k in range(11))}
    found = tinylib.netlist(cells, nets, "x:INPUT")
    broken = limits.check(tinylib.analyse(found, library, Constraints(10, max_fanout=10, max_transition=0.04)).analysis)
    (load,) = broken.capacitance
    assert (load.pin, load.limit) == ("b/Y", 0.1)
    assert load.value == pytest.approx(0.11)
    assert [(v.pin, v.value) for v in broken.fanout] == [("b/Y", 11)]
    assert len(broken.slew) == 12  # b/Y and what it drives; the input port's slew is 0


def test_the_report_adds_up_and_says_what_it_is(library: Library) -> None:
    slacks = tinylib.analyse(tinylib.netlist(CELLS, TWO, PORTS), library, Constraints(10, ("clk",), uncertainty=0.25))
    for mode, slack in ((LATE, slacks.setup.worst), (EARLY, slacks.hold.worst)):
        text = "\n".join(report.paths(slacks, mode, 10, ["a note"]))
        assert "TIMING ESTIMATE, not a sign-off" in text
        assert "a note" in text
        assert "Endpoint: r2/D" in text
        assert f"{slack:.4f}   slack" in text
        path = text[text.index("Startpoint: r1/CK") :].split("data arrival time")[0]
        steps = [
            line[28:47].split() for line in path.splitlines() if line[:6].strip() in ("", "1", "2") and "(" in line
        ]
        times = [(float(s[0]), float(s[1])) for s in steps if len(s) == 2]
        assert times[-1][1] == pytest.approx(sum(delay for delay, _ in times), abs=2e-4)


def test_the_sdc_says_the_same() -> None:
    lines = Constraints(8, ("clk",), 0.25, 0.1, 0.05, 0.03, ("buf_1", "Y")).sdc()
    assert "create_clock -name {clk} -period 8 [get_ports {clk}]" in lines
    assert "set_input_delay 2 -clock {clk} $inputs" in lines
    assert "set_timing_derate -late 1.05" in lines
    assert "set_driving_cell -lib_cell buf_1 -pin Y [get_ports {clk}]" in lines
    assert Constraints(8).sdc()[0] == "create_clock -name {__VIRTUAL_CLK__} -period 8"


@pytest.mark.parametrize(
    ("function", "pin", "expected"),
    [
        ("((A*B)+C)", "A", "positive_unate"),
        ("!(A&B)", "A", "negative_unate"),
        ("A' B", "A", "negative_unate"),
        ("A^B", "B", "non_unate"),
        ("(S*A)|(!S*B)", "S", "non_unate"),
        ("(S A) + (S' B)", "B", "positive_unate"),
        ("A ?? B", "A", "non_unate"),
        ("B", "A", "non_unate"),
    ],
)
def test_sense_of_a_function(function: str, pin: str, expected: str) -> None:
    assert sense(function, pin) == expected


def test_families_of_strengths(library: Library) -> None:
    assert [c.name for c in library.strengths("buf_1")] == ["buf_1", "buf_4"], "buf_2 writes its function differently"
    assert [c.name for c in library.strengths("inv_1")] == ["inv_1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("library (x) { cell (a) { pin (A) {", "cut short or malformed"),
        ('library (x) { time_unit : "1h"; cell (a) { } }', "time_unit 1h is not known"),
        ("library (x) { }", "no Liberty file with cells"),
    ],
)
def test_bad_liberty_is_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.lib").write_text(text)
    with pytest.raises(ProblemError, match=said):
        Library([tmp_path / "bad.lib"])
    with pytest.raises(ProblemError, match="cannot be read"):
        Library([tmp_path / "missing.lib"])
