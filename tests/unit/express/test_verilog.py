from __future__ import annotations

from pathlib import Path

import pytest

from a6hub_jupyter.express import verilog
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.verilog import Flattener, Netlist, Parser, Port, constant_bits


def flat(text: str, top: str = "top") -> Netlist:
    return Flattener(Parser(text).modules()).flat(top)


def test_ports_buses_and_instances() -> None:
    netlist = flat(
        """/* generated */ (* top = 1 *) module top(clk, x, y);
        input clk; wire clk;
        input signed [1:0] x;
        output [1:0] y; wire [1:0] y;
        wire \\odd.name[3] ;
        gate g0 (.A(x[1]), .B(clk), .Y(\\odd.name[3] )); // a comment
        gate \\g.1  (.A(\\odd.name[3] ), .B(), .Y(y[0]));
        endmodule"""
    )
    assert netlist.cells == {"g0": "gate", "g.1": "gate"}
    assert netlist.nets == {
        "x[1]": [("g0", "A")],
        "clk": [("g0", "B")],
        "odd.name[3]": [("g0", "Y"), ("g.1", "A")],
        "y[0]": [("g.1", "Y")],
    }
    assert netlist.ports == [
        Port("clk", "INPUT", "clk"),
        Port("x[1]", "INPUT", "x[1]"),
        Port("x[0]", "INPUT", "x[0]"),
        Port("y[1]", "OUTPUT", "y[1]"),
        Port("y[0]", "OUTPUT", "y[0]"),
    ]


def test_assign_joins_nets_and_keeps_the_name_of_the_first_port() -> None:
    netlist = flat(
        """module top(a, y, z); input a; output y, z; wire n;
        assign { y, z } = { n, n }; gate g (.A(a), .Y(n)); endmodule"""
    )
    assert netlist.nets == {"a": [("g", "A")], "y": [("g", "Y")]}
    assert [(p.name, p.net) for p in netlist.ports] == [("a", "a"), ("y", "y"), ("z", "y")]


def test_a_net_called_x_is_no_constant() -> None:
    netlist = flat("module top(x); input x; gate g (.A(x), .B(1'bx), .C(1'h1)); endmodule")
    assert netlist.nets == {"x": [("g", "A")], "1'bx": [("g", "B")], "1'b1": [("g", "C")]}
    assert all(net in verilog.CONSTANTS for net in list(netlist.nets)[1:])


def test_hierarchy_is_dissolved() -> None:
    netlist = flat(
        """module leaf(d, q); input [1:0] d; output q; wire n; gate g (.A(d[0]), .B(n), .Y(q));
        inv i (.A(d[1]), .Y(n)); endmodule
        module top(p, q); input [1:0] p; output [1:0] q;
        leaf u (.d(p), .q(q[0])); leaf v (.d({ p[0], p[1] }), .q(q[1])); endmodule"""
    )
    assert netlist.cells == {"u/g": "gate", "u/i": "inv", "v/g": "gate", "v/i": "inv"}
    assert sorted(netlist.nets["p[0]"]) == [("u/g", "A"), ("v/i", "A")]
    assert sorted(netlist.nets["q[1]"]) == [("v/g", "Y")]
    assert netlist.nets["u/n"] != netlist.nets["v/n"]


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("4'b10x0", "10x0"),
        ("3'h5", "101"),
        ("6'o17", "001111"),
        ("4'd9", "1001"),
        ("2'hf", "11"),
        ("8'hz_1", "zzzz0001"),
    ],
)
def test_constants(text: str, bits: str) -> None:
    assert constant_bits(text) == [f"1'b{bit}" for bit in bits]


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    netlist = flat(
        """module top(clk, d, q, r, one); input clk; input [2:0] d; output [2:0] q; output r, one;
        wire \\a+b ; assign r = q[0]; assign one = 1'b1;
        ff f0 (.C(clk), .D(d[0]), .Q(q[0])); ff \\f[1]  (.C(clk), .D(\\a+b ), .Q(q[1]));
        gate g (.A(d[1]), .B(d[2]), .Y(\\a+b )); endmodule"""
    )
    path = tmp_path / "out.v"
    path.write_text(verilog.write(netlist))
    again = verilog.read(path, "top")
    assert again.cells == netlist.cells
    assert {n: sorted(c) for n, c in again.nets.items()} == {n: sorted(c) for n, c in netlist.nets.items()}
    assert sorted(again.ports, key=str) == sorted(netlist.ports, key=str)


@pytest.mark.parametrize("span", ["[0:2]", "[2:0]", "[6:4]"])
def test_a_bus_counts_as_the_design_counts_it(span: str) -> None:
    """Who uses the design as a macro goes by its netlist: the other way round, the bits would be swapped."""
    netlist = flat(f"module top(d, q); input {span} d; output q; ff f (.D(d[{span[1]}]), .Q(q)); endmodule")
    assert f"input {span} d;" in verilog.write(netlist)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("module top(a); input a; gate g (a); endmodule", "the instance g of gate needs named connections"),
        ("module top(a); input a; always @(posedge a) ;", "is not structural Verilog"),
        ("module top(a); input a;", "ends within a module"),
        ("module other(a); input a; endmodule", "has no module 'top'"),
    ],
)
def test_what_is_not_a_netlist_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ProblemError, match=sentence):
        flat(text)
