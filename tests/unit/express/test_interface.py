"""A block replaced by its Liberty model is timed as the block itself is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from a6hub_jupyter.express.timing.analysis import EARLY, LATE
from a6hub_jupyter.express.timing.constraints import Constraints
from a6hub_jupyter.express.timing.graph import Graph
from a6hub_jupyter.express.timing.interface import Interface
from a6hub_jupyter.express.timing.libertywriter import LibertyModel
from a6hub_jupyter.express.timing.library import Library
from a6hub_jupyter.express.timing.slacks import Slacks
from a6hub_jupyter.express.timing.wires import Wires
from tests.unit.express import tinylib

CONSTRAINTS = Constraints(10, ("clk",), io_share=0.1, uncertainty=0.25, output_load=0.02)
# a register behind a clock buffer and a gate, one on the other edge, and a way straight through
INSIDE = {
    "cb": "buf_4",
    "g": "odd",
    "r": "dff_1",
    "n": "dffn_1",
    "o": "buf_2",
    "t": "inv_1",
    "u": "inv_1",
    "v": "buf_1",
}
PINS = {
    "clk": "cb.A n.CK",
    "ck": "cb.Y r.CK",
    "d[1]": "g.A",
    "d[0]": "n.D t.A",
    "gd": "g.Y r.D",
    "rq": "r.Q o.A",
    "q[1]": "o.Y",
    "nq": "n.Q v.A",
    "q[0]": "v.Y",
    "tu": "t.Y u.A",
    "y": "u.Y",
}
PORTS = "clk:INPUT d[1]:INPUT d[0]:INPUT q[1]:OUTPUT q[0]:OUTPUT y:OUTPUT one:OUTPUT"
AROUND = {"b": "buf_1", "s": "dff_1", "e": "dff_1", "z": "buf_1"}
WAYS = {
    "clk": "s.CK e.CK {clk}",
    "a": "b.A",
    "ba": "b.Y {d[1]}",
    "sd": "s.D",
    "sq": "s.Q {d[0]}",
    "p": "{q[1]} e.D",
    "w": "{q[0]}",
    "v": "{y} z.A",
    "x": "z.Y",
}
OUTSIDE = "clk:INPUT a:INPUT sd:INPUT w:OUTPUT x:OUTPUT"


def model(directory: Path, constraints: Constraints = CONSTRAINTS) -> tuple[Path, Library]:
    """The block's model as a file, and the library that its cells are of."""
    cells = tinylib.library(directory)
    block = tinylib.netlist(INSIDE, PINS, PORTS)
    next(port for port in block.ports if port.name == "one").net = "1'b1"
    interface = Interface(Graph(block, cells), Wires([]), constraints, cells.slew_factor)
    path = directory / "block.lib"
    path.write_text("\n".join(LibertyModel("block", 12.5, interface, cells.head).lines("block__typ")))
    return path, cells


def flat(cells: Library, constraints: Constraints) -> Slacks:
    """The whole design without a macro."""
    net_of = {name: name for name in PINS} | {
        "clk": "clk",
        "d[1]": "ba",
        "d[0]": "sq",
        "q[1]": "p",
        "q[0]": "w",
        "y": "v",
    }
    ways = {net: re.sub(r"\{[^}]*\}", "", pins) for net, pins in WAYS.items()}
    for name, pins in PINS.items():
        inside = " ".join(f"m_{pin}" for pin in pins.split())
        ways[net_of[name]] = f"{ways.get(net_of[name], '')} {inside}"
    both = {**AROUND, **{f"m_{name}": cell for name, cell in INSIDE.items()}}
    return tinylib.analyse(tinylib.netlist(both, ways, OUTSIDE), cells, constraints)


def with_macro(path: Path, directory: Path, constraints: Constraints) -> Slacks:
    """The same with the block as a macro."""
    ways = {net: re.sub(r"\{([^}]*)\}", r"m.\1", pins) for net, pins in WAYS.items()}
    found = tinylib.netlist({**AROUND, "m": "block"}, ways, OUTSIDE)
    return tinylib.analyse(found, Library([directory / "tiny.lib", path]), constraints)


@pytest.mark.parametrize("derate", [0, 0.1])
def test_design_has_the_slacks_that_it_has_without_the_macro(derate: float, tmp_path: Path) -> None:
    """The library is linear, so that nothing is lost between the points of the tables."""
    constraints = Constraints(10, ("clk",), io_share=0.1, uncertainty=0.25, output_load=0.02, derate=derate)
    path, cells = model(tmp_path, constraints)
    whole, parts = flat(cells, constraints), with_macro(path, tmp_path, constraints)
    for mode in (LATE, EARLY):
        slacks: list[dict[str, float]] = []
        for which in (whole, parts):
            graph = which.analysis.graph
            ends = (which.setup if mode == LATE else which.hold).ends
            names = {end: graph.pins[end.node >> 1] for end in ends}
            inside = {("m_r", "D"): "m/d[1]", ("m_n", "D"): "m/d[0]", ("m", "d[1]"): "m/d[1]", ("m", "d[0]"): "m/d[0]"}
            slacks.append({inside.get(name, "/".join(name)): end.slack for end, name in names.items()})
        assert slacks[0].keys() == {"m/d[0]", "m/d[1]", "/w", "/x", "e/D", "s/D"}
        assert slacks[1] == pytest.approx(slacks[0], abs=1e-4)


def test_model_says_what_it_is_and_what_its_pins_are(tmp_path: Path) -> None:
    path, _ = model(tmp_path)
    library = Library([path])
    assert library.described() == ["block__typ (functional, ESTIMATED DELAYS: not characterised)"]
    block = library["block"]
    assert block.area == 12.5
    assert block.unfit
    assert set(block.pins) == {"clk", "d[1]", "d[0]", "q[1]", "q[0]", "y", "one"}
    assert block.pins["clk"].is_clock
    assert block.pins["clk"].capacitance == pytest.approx((0.06, 0.06)), "a buffer and a register"
    assert block.pins["d[0]"].capacitance == pytest.approx((0.02, 0.02))
    assert {(c.related, c.kind, c.edge) for c in block.pins["d[0]"].checks} == {("clk", "setup", 1), ("clk", "hold", 1)}
    assert block.pins["q[1]"].max_capacitance == pytest.approx(0.2)
    assert {(arc.related, arc.kind, arc.sense) for arc in block.pins["y"].arcs} == {
        ("d[0]", "combinational", "positive_unate")
    }
    assert {arc.kind for arc in block.pins["q[0]"].arcs} == {"falling_edge"}
    assert block.pins["one"].function == "1"


def test_setup_by_hand(tmp_path: Path) -> None:
    """Through "odd" into 0.01 pF: 1.01 ns and 2.01 for each ns of slew; 0.1 setup; the clock's buffer takes 0.105."""
    path, _ = model(tmp_path)
    setup = next(c for c in Library([path])["block"].pins["d[1]"].checks if c.kind == "setup")
    table = setup.margins[0]
    assert table is not None
    assert list(table.rows) == list(table.columns) == [0.01, 0.1, 0.5]
    expected = [1.01 + 2.01 * slew + 0.1 - 0.105 for slew in table.columns]
    assert table.values == pytest.approx(np.array([expected] * 3), abs=1e-5)


RAM = """
library (ram_typ) {
  time_unit : "1ns" ; capacitive_load_unit (1, pF) ; default_max_transition : 0.5 ; default_max_fanout : 4.0 ;
  lu_table_template (LOADS) { variable_1 : total_output_net_capacitance; index_1 ("0.0, 1.0"); }
  lu_table_template (SLEWS) {
    variable_1 : related_pin_transition; variable_2 : constrained_pin_transition;
    index_1 ("0.0, 1.0"); index_2 ("0.0, 1.0");
  }
  type (WORD) { base_type : array; data_type : bit; bit_width : 2; bit_from : 1; bit_to : 0; downto : true; }
  cell (ram) {
    memory () { type : ram; address_width : 1; word_width : 2; }
    pg_pin (VDD) { pg_type : primary_power; voltage_name : VDD; }
    area : 15532.03 ;
    pin (CK) { direction : input; clock : true; capacitance : 0.003;
      internal_power () { when : "CEN" rise_power ("scalar") { values (0); } }
      timing () { timing_type : "min_pulse_width"; related_pin : CK; rise_constraint (scalar) { values ("2.9"); } } }
    bus (D) { bus_type : WORD; direction : input; capacitance : 0.007; max_transition : "0.4";
      pin (D[0]) { capacitance : 0.005; }
      pin (D[1:0]) { related_power_pin : VDD; }
      timing () { timing_type : setup_rising; related_pin : "CK";
        when : "CEN & !WEN"
        sdf_cond : "WRITE"

        rise_constraint ("SLEWS") { values ("0.5, 0.6", "0.4, 0.5"); }
        fall_constraint ("SLEWS") { values ("0.7, 0.8", "0.6, 0.7"); } } }
    bus (Q) { bus_type : WORD; direction : output; max_capacitance : 0.06; memory_read () { address : A; }
      pin (Q[1:0]) {
        timing () { timing_type : falling_edge; timing_sense : non_unate; related_pin : "CK";
          cell_rise (LOADS) { values ("2, 3"); } cell_fall (LOADS) { values ("2, 3"); }
          rise_transition (scalar) { values ("0.05"); } fall_transition (scalar) { values ("0.05"); } } } }
  }
}
"""


def test_model_of_a_foreign_macro_is_read(tmp_path: Path) -> None:
    """As memory compilers write them: buses with a type, ranges of pins, conditions without a semicolon, scalars."""
    tinylib.library(tmp_path)
    (tmp_path / "ram.lib").write_text(RAM)
    library = Library([tmp_path / "tiny.lib", tmp_path / "ram.lib"])
    ram = library["ram"]
    assert {name: pin.capacitance[0] for name, pin in ram.pins.items()} == {
        "CK": 0.003, "D[0]": 0.005, "D[1]": 0.007, "Q[0]": 0, "Q[1]": 0,
    }  # fmt: skip
    assert ram.pins["D[0]"].max_transition == 0.4
    ways = {"clk": "s.CK m.CK e.CK", "x": "s.D", "d": "s.Q m.D[1]", "q": "m.Q[0] e.D"}
    found = tinylib.netlist({"s": "dff_1", "m": "ram", "e": "dff_1"}, ways, "clk:INPUT x:INPUT")
    slacks = tinylib.analyse(found, library, Constraints(20, ("clk",)))
    ends = {slacks.analysis.graph.pins[end.node >> 1]: end.slack for end in slacks.setup.ends}
    assert ends["m", "D[1]"] == pytest.approx(20 - 0.307 - 0.705), "0.3 + 0.007 in the register; falling: 0.7 + 0.1 s"
    assert ends["e", "D"] == pytest.approx(10 - 2.01 - 0.1), "from the falling edge, with 0.01 pF"
    assert slacks.analysis.graph.unknown == []
