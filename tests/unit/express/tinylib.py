"""A Liberty library small enough to compute with by hand; ns, pF, kOhm."""

from __future__ import annotations

from pathlib import Path

from a6hub_jupyter.express.timing.analysis import Analysis
from a6hub_jupyter.express.timing.constraints import Constraints
from a6hub_jupyter.express.timing.graph import Graph
from a6hub_jupyter.express.timing.library import Library
from a6hub_jupyter.express.timing.slacks import Slacks
from a6hub_jupyter.express.timing.wires import RcTree, Wires
from a6hub_jupyter.express.verilog import Netlist, Port


def _table(name: str, at_zero: float, per_slew: float, per_load: float, both: float = 0.0) -> str:
    corners = [[at_zero + per_slew * s + per_load * c + both * s * c for c in (0, 1)] for s in (0, 1)]
    rows = ", ".join('"' + ", ".join(f"{v:g}" for v in row) + '"' for row in corners)
    return f"{name} (square) {{ values ({rows}); }}"


def _arc(related: str, kind: str, sense: str, delay: tuple[float, ...], slew: float) -> str:
    tables = "".join(_table(f"cell_{t}", *delay) for t in ("rise", "fall"))
    tables += "".join(_table(f"{t}_transition", slew, 0, 0) for t in ("rise", "fall"))
    return f'timing () {{ related_pin : "{related}"; timing_type : {kind}; {sense} {tables} }}'


def _input(name: str, load: float, extra: str = "") -> str:
    return f"pin ({name}) {{ direction : input; capacitance : {load}; {extra} }}"


def _gate(name: str, area: float, function: str, delay: tuple[float, ...], most: float, inputs: str = "A") -> str:
    arcs = "".join(_arc(i, "combinational", "", delay, 0.05) for i in inputs)
    pins = "".join(_input(i, 0.01 * area) for i in inputs)
    output = f'pin (Y) {{ direction : output; function : "{function}"; max_capacitance : {most}; {arcs} }}'
    return f"cell ({name}) {{ area : {area}; {pins} {output} }}"


def _check(related: str, kind: str, margin: float) -> str:
    values = "".join(f'{t}_constraint (scalar) {{ values ("{margin}"); }}' for t in ("rise", "fall"))
    return f"timing () {{ related_pin : {related}; timing_type : {kind}; {values} }}"


def _register(name: str, edge: str) -> str:
    data = _input("D", 0.01, _check("CK", f"setup_{edge}", 0.1) + _check("CK", f"hold_{edge}", 0.05))
    launch = _arc("CK", f"{edge}_edge", "timing_sense : non_unate;", (0.3, 0, 1), 0.05)
    output = f'pin (Q) {{ direction : output; function : "IQ"; max_capacitance : 1; {launch} }}'
    state = f'ff (IQ, IQN) {{ clocked_on : "{"" if edge == "rising" else "!"}CK"; next_state : "D"; }}'
    return f"cell ({name}) {{ area : 4; {state} {_input('CK', 0.02)} {data} {output} }}"


TEXT = f"""/* a comment with a brace {{ in it */
library (tiny) {{
  time_unit : "1ns"; capacitive_load_unit (1, pf); default_max_transition : 5;
  slew_lower_threshold_pct_rise : 20; slew_upper_threshold_pct_rise : 80;
  lu_table_template (square) {{
    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("0, 1"); index_2 ("0, 1");
  }}
  {_gate("odd", 1, "!A", (1, 2, 1, 1), 1)}
  {_gate("inv_1", 1, "!A", (0.1, 0, 1), 1)}
  {_gate("buf_1", 1, "A", (0.1, 0, 1), 0.1)}
  {_gate("buf_2", 2, "(A)", (0.1, 0, 0.5), 0.2)}
  {_gate("buf_4", 4, "A", (0.1, 0, 0.25), 0.4)}
  {_gate("and2_1", 1, "(A B)", (0.1, 0, 1), 0.1, "AB")}
  {_register("dff_1", "rising")}
  {_register("dffn_1", "falling")}
}}
"""


def library(directory: Path) -> Library:
    """The library, read from a file."""
    path = directory / "tiny.lib"
    path.write_text(TEXT)
    return Library([path])


def netlist(cells: dict[str, str], nets: dict[str, str], ports: str) -> Netlist:
    """A netlist; pins as "r1.Q b1.A", ports as "clk:INPUT y:OUTPUT" on nets of their names."""
    connections = {net: [(p.split(".")[0], p.split(".")[1]) for p in pins.split()] for net, pins in nets.items()}
    listed = [Port(p.split(":")[0], p.split(":")[1], p.split(":")[0]) for p in ports.split()]
    return Netlist("top", cells, connections, listed)


def analyse(found: Netlist, lib: Library, constraints: Constraints, trees: tuple[RcTree, ...] = ()) -> Slacks:
    """Slacks of a netlist, its wires ideal but for those with a tree."""
    return Slacks(Analysis(Graph(found, lib), Wires(trees), constraints, lib.slew_factor))
