"""Resistance, capacitance and Elmore delays that can be computed by hand; DEF, SPEF and clock nets."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.timing import defnets, placedtree, spef
from a6hub_jupyter.express.timing.analysis import LATE
from a6hub_jupyter.express.timing.clocknets import clock_nets
from a6hub_jupyter.express.timing.constraints import Constraints
from a6hub_jupyter.express.timing.defnets import NetWires, RoutedNets
from a6hub_jupyter.express.timing.placedtree import placed_tree
from a6hub_jupyter.express.timing.wires import RoutedTrees, WireRules, Wires, grow
from tests.unit.express import tinylib

DRIVER, NEAR, FAR = ("b1", "Y"), ("r1", "D"), ("r2", "D")
LEF = """
LAYER M1
  TYPE ROUTING ; WIDTH 0.5 ; RESISTANCE RPERSQ 0.1 ; CAPACITANCE CPERSQDIST 0.00002 ; EDGECAPACITANCE 0.00004 ;
END M1
LAYER V1
  TYPE CUT ; RESISTANCE 4 ;
END V1
LAYER M2
  TYPE ROUTING ; WIDTH 0.5 ;
END M2
"""


def test_elmore_by_hand() -> None:
    """1 kOhm with 0.02 pF to the near pin (0.01 pF), from there 2 kOhm with 0.04 pF to the far one (0.03 pF)."""
    tree, missed = grow("n", 0, [(0, 1, 1.0, 0.02), (1, 2, 2.0, 0.04)], {DRIVER: 0, NEAR: 1, FAR: 2}, 3)
    assert missed == []
    loads, delays = Wires([tree]).solve({NEAR: (0.01, 0.01), FAR: (0.03, 0.06)})
    assert loads["n"] == pytest.approx([0.10, 0.13])
    assert delays[NEAR] == pytest.approx([0.09, 0.12])
    assert delays[FAR] == pytest.approx([0.09 + 2 * 0.05, 0.12 + 2 * 0.08])
    assert delays[DRIVER] == pytest.approx([0, 0])


def test_wire_delay_and_slew_reach_the_slack(tmp_path: Path) -> None:
    """r1.Q to r2.D through 1 kOhm and 0.02 pF: the load is 0.03 pF, the delay 0.02 ns, the slew grows by 1.39 RC."""
    library = tinylib.library(tmp_path)
    nets = {"clk": "r1.CK r2.CK", "q": "r1.Q r2.D", "x": "r1.D"}
    found = tinylib.netlist({"r1": "dff_1", "r2": "dff_1"}, nets, "clk:INPUT x:INPUT")
    tree, _ = grow("q", 0, [(0, 1, 1.0, 0.02)], {("r1", "Q"): 0, ("r2", "D"): 1}, 2)
    slacks = tinylib.analyse(found, library, Constraints(10, ("clk",)), (tree,))
    assert slacks.setup_between_registers.worst == pytest.approx(10 - 0.1 - 0.33 - 0.02)
    node = slacks.analysis.graph.node("r2", "D", 0)
    assert slacks.analysis.slew[LATE, node] == pytest.approx(math.hypot(0.05, math.log(4) * 0.02))


def test_rules_come_from_the_lef_then_from_the_pdk(tmp_path: Path) -> None:
    (tmp_path / "tech.lef").write_text(LEF)
    lef = Lef(tmp_path / "tech.lef")
    rules = WireRules.of(lef, {"M1": {"res": 9, "cap": 9}, "M2": {"res": 0.003, "cap": 0.0002}})
    assert rules.metals["M1"] == pytest.approx((0.1 / 0.5 / 1000, 0.00002 * 0.5 + 2 * 0.00004))
    assert rules.metals["M2"] == (0.003, 0.0002)
    assert rules.cuts["V1"] == pytest.approx(0.004)
    assert rules.sources == ["M1: the technology LEF", "M2: LAYERS_RC, as the technology LEF gives none"]
    assert "M2: nowhere: these wires cost no time" in WireRules.of(lef).sources
    assert WireRules.of(lef, {}, {"V1": {"res": 9}}).cuts["V1"] == pytest.approx(0.004)
    (tmp_path / "free.lef").write_text(LEF.replace("RESISTANCE 4 ", "RESISTANCE 0.0 "))
    assert WireRules.of(Lef(tmp_path / "free.lef"), {}, {"V1": {"res": 9}}).cuts["V1"] == 0, "as the LEF says"
    (tmp_path / "bare.lef").write_text("LAYER M1\n TYPE ROUTING ; WIDTH 0.5 ;\nEND M1\n")
    with pytest.raises(ProblemError, match="Neither the technology LEF nor LAYERS_RC"):
        WireRules.of(Lef(tmp_path / "bare.lef"))


def test_routed_tree_of_a_branching_net() -> None:
    """10 um along M1 with a branch at 4 um, up a via and 5 um along M2; a via beside the wire touches it."""
    wires = NetWires(
        [("M1", 0, 0, 10_000, 0), ("M2", 4000, 0, 4000, 5000)],
        [("via", "M1", 4000, 0), ("up", "M0", 10_000, 100)],
    )
    routed = RoutedNets({"n": wires}, {"via": ["M1", "V1", "M2"], "up": ["M0", "V0", "M1"]})
    rules = WireRules({"M0": (0, 0), "M1": (0.1, 0.01), "M2": (0.2, 0.02)}, {"V0": 0.5, "V1": 1.0})
    maker = RoutedTrees(routed, rules, ["M0", "V0", "M1", "V1", "M2"], 400)
    places = {
        DRIVER: [("M1", (-100, -100, 100, 100))],
        NEAR: [("M2", (3900, 4900, 4100, 5100))],
        FAR: [("M0", (9900, 0, 10_100, 200))],
    }
    tree = maker.tree("n", DRIVER, places)
    assert tree is not None
    assert maker.joined == 0
    loads, delays = Wires([tree]).solve({})
    assert loads["n"] == pytest.approx([0.2, 0.2])
    behind_branch = 0.06 / 2 + 0.1 + 0.04 / 2 + 0.03  # at 4 um: half of both wires there, all of M2, the far half
    at_branch = 0.4 * behind_branch
    assert delays[NEAR][0] == pytest.approx(at_branch + 1.0 * 0.1 + 1.0 * 0.05)
    assert delays[FAR][0] == pytest.approx(at_branch + 0.6 * 0.03)


def test_pieces_that_do_not_touch_are_counted() -> None:
    wires = NetWires([("M1", 0, 0, 1000, 0), ("M1", 3000, 0, 4000, 0)])
    maker = RoutedTrees(RoutedNets({"n": wires}, {}), WireRules({"M1": (0.1, 0.01)}), ["M1"], 400)
    tree = maker.tree("n", DRIVER, {DRIVER: [("M1", (0, 0, 0, 0))], FAR: [("M1", (4000, 0, 4000, 0))]})
    assert tree is not None
    assert maker.joined == 1
    assert set(tree.terminals) == {DRIVER, FAR}
    assert maker.tree("unknown", DRIVER, {}) is None


def test_placed_tree_goes_to_the_nearest_first() -> None:
    points = {DRIVER: (0, 0), FAR: (30_000, 0), NEAR: (10_000, 0)}
    tree = placed_tree("n", DRIVER, points, (0.1, 0.01), 0.5)
    assert tree.terminals == {DRIVER: 0, NEAR: 1, FAR: 2}
    assert tree.parents == [-1, 0, 1]
    assert tree.resistances == pytest.approx([0, 1.5, 2.5])
    assert tree.capacitances == pytest.approx([0.05, 0.15, 0.1])


def test_def_wiring_is_read() -> None:
    text = r"""UNITS DISTANCE MICRONS 2000 ;
VIAS 1 ;
- v + RECT M1 ( -1 -1 ) ( 1 1 ) + RECT V1 ( -1 -1 ) ( 1 1 ) + RECT M2 ( -1 -1 ) ( 1 1 ) ;
END VIAS
SPECIALNETS 1 ;
- VDD ( * VDD ) + ROUTED M1 400 ( 0 0 ) ( 100 0 ) ;
END SPECIALNETS
NETS 2 ;
- a\[0\] ( PIN a ) ( g A )
  + ROUTED M1 ( 0 0 60 ) ( 200 * 60 ) v
    NEW M2 TAPER ( 200 0 ) ( * 400 )
    NEW M1 ( 0 0 ) RECT ( 0 0 10 10 ) ;
- b ( g Y ) ;
END NETS
"""
    found = defnets.read(text)
    assert found.via_layers == {"v": ["M1", "V1", "M2"]}
    assert found.nets["a[0]"].wires == [("M1", 0, 0, 100, 0), ("M2", 100, 0, 100, 200)]
    assert found.nets["a[0]"].vias == [("v", "M1", 100, 0)]
    assert found.nets["b"] == NetWires()


@pytest.mark.parametrize(("more", "name"), [(" q[1]:OUTPUT", "q[1]"), ("", r"q\[1\]")], ids=["bus", "wire"])
def test_spef_names_pins_and_adds_up(more: str, name: str, tmp_path: Path) -> None:
    """The brackets of a wire that is no port's are part of its name: that is how the netlist has it."""
    nets = {"clk": "r1.CK r2.CK", "q[1]": "r1.Q r2.D", "x": "r1.D"}
    found = tinylib.netlist({"r1": "dff_1", "r2": "dff_1"}, nets, "clk:INPUT x:INPUT" + more)
    slacks = tinylib.analyse(found, tinylib.library(tmp_path), Constraints(10, ("clk",)))
    tree, _ = grow("q[1]", 0, [(0, 1, 1.0, 0.02)], {("r1", "Q"): 0, ("r2", "D"): 1}, 2)
    text = "\n".join(spef.lines("top", [tree], slacks.analysis.graph))
    assert f"*D_NET {name} 0.02" in text
    assert "*I r1:Q O\n*I r2:D I" in text
    assert "1 r1:Q 0.01\n2 r2:D 0.01" in text
    assert "*RES\n1 r1:Q r2:D 1\n*END" in text


def test_clock_nets_go_through_gates_and_not_into_data(tmp_path: Path) -> None:
    cells = {"g": "and2_1", "r1": "dff_1", "r2": "dff_1", "i": "inv_1", "r3": "dff_1"}
    nets = {"clk": "g.A r1.CK i.A", "en": "g.B", "gated": "g.Y r2.CK", "n": "i.Y r3.D", "q": "r1.Q r3.CK"}
    found = tinylib.netlist(cells, nets, "clk:INPUT en:INPUT other:INPUT")
    library = tinylib.library(tmp_path)
    assert clock_nets(found, library, ["clk", "other"]) == {"clk": ["clk", "gated"], "other": ["other"]}


def test_few_and_many_pins_make_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = random.Random(3)
    for count in range(3, 30):
        points = {("", str(k)): (generator.randrange(9) * 460, generator.randrange(9) * 340) for k in range(count)}
        trees = []
        for few in (0, count):
            monkeypatch.setattr(placedtree, "FEW_PINS", few)
            trees.append(placed_tree("n", ("", "0"), points, (0.1, 0.01), 0.5))
        assert trees[0] == trees[1]
