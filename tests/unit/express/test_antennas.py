"""Antenna ratios on layouts small enough to weigh by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from a6hub_jupyter.express import antennarepair, verilog
from a6hub_jupyter.express.antennacheck import AntennaCheck, AntennaViolation, check, table
from a6hub_jupyter.express.antennarules import AntennaRules, Limit
from a6hub_jupyter.express.drawing import Drawing
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.job import Job
from a6hub_jupyter.express.layoutcheck import read_components
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.technology import Technology
from tests.unit.express.jobs import job

kdb = pytest.importorskip("klayout.db")

METAL = "TYPE ROUTING ; PITCH 1 ; OFFSET .5 ; WIDTH .2 ; SPACING .2 ; THICKNESS 0.5"
LEF = f"""SITE core SIZE 1 BY 2 ; END core
LAYER m0 {METAL} ; DIRECTION HORIZONTAL ; RULE0 END m0
LAYER c0 TYPE CUT ; WIDTH .2 ; SPACING .2 ; ENCLOSURE 0 0 ; END c0
LAYER m1 {METAL} ; DIRECTION VERTICAL ; RULE1 END m1
LAYER c1 TYPE CUT ; WIDTH .2 ; SPACING .2 ; ENCLOSURE 0 0 ; END c1
LAYER m2 {METAL} ; DIRECTION HORIZONTAL ; RULE2 END m2
MACRO drive
  SIZE 1 BY 2 ;
  PIN Y
    DIRECTION OUTPUT ;
    ANTENNADIFFAREA 0.5 ;
    PORT
      LAYER m0 ;
      RECT 0.4 0.4 0.6 0.6 ;
    END
  END Y
END drive
MACRO gate
  SIZE 1 BY 2 ;
  PIN A
    DIRECTION INPUT ;
    ANTENNAGATEAREA 0.1 ;
    PORT
      LAYER m0 ;
      RECT 0.4 0.4 0.6 0.6 ;
    END
  END A
END gate
"""
MAP = "m0 ALL 1 0\nc0 ALL 2 0\nm1 ALL 3 0\nc1 ALL 4 0\nm2 ALL 5 0\n"
LAYERS = {"m0": 1, "c0": 2, "m1": 3, "c1": 4, "m2": 5}
NETLIST = "module top(); wire n; drive d (.Y(n)); gate g (.A(n)); endmodule\n"
DEF = (
    "UNITS 1000 ;\nCOMPONENTS 2 ;\n- d drive + PLACED ( 0 0 ) N ;\n- g gate + PLACED ( 40000 0 ) N ;\nEND COMPONENTS\n"
)


def design(directory: Path, rules: dict[str, str]) -> Job:
    """Two cells, and a technology with these rules."""
    text = LEF
    for k in range(3):
        text = text.replace(f"RULE{k}", rules.get(f"m{k}", ""))
    for name, content in (("all.lef", text), ("layers.map", MAP), ("top.v", NETLIST), ("top.def", DEF)):
        (directory / name).write_text(content)
    return job(
        directory,
        top="top",
        lefs=[str(directory / "all.lef")],
        site="core",
        layer_map=str(directory / "layers.map"),
        lowest_layer="m1",
        highest_layer="m2",
        strap_layer="m2",
        netlist=str(directory / "top.v"),
        layout=str(directory / "top.gds"),
        placement=str(directory / "top.def"),
    )


def found(
    directory: Path, rules: dict[str, str], boxes: list[tuple[str, float, float, float, float]]
) -> list[AntennaViolation]:
    """Violations of a layout with these boxes (um) and a via stack on both pins."""
    settings = design(directory, rules)
    layout = kdb.Layout()
    top = layout.create_cell("top")
    pins = [("m0", x, 0.4, x + 0.2, 0.6) for x in (0.4, 40.4)]
    cuts = [(cut, x + 0.05, 0.45, x + 0.15, 0.55) for x in (0.4, 40.4) for cut in ("c0", "c1")]
    for layer, *box in [*pins, *cuts, *boxes]:
        top.shapes(layout.layer(LAYERS[layer], 0)).insert(kdb.DBox(*box).to_itype(layout.dbu))
    layout.write(str(directory / "top.gds"))
    violations = list(AntennaCheck.of_layout(settings).violations())
    metrics = check(settings)
    assert metrics["antenna__violating__pins"] == len({v.pin for v in violations})
    assert (directory / "antenna_summary.rpt").read_text() == table(violations)
    return violations


# Both pins have 0.04 um2 of m0. On m1 the gate has a pad of 0.04 and a wire of 10 x 0.2; m2 joins the two.
ON_M1 = [("m1", 0.4, 0.4, 0.6, 0.6), ("m1", 40.4, 0.4, 40.6, 10.6)]
JOINED = [*ON_M1, ("m2", 0.4, 0.4, 40.6, 0.6)]


def test_metal_before_the_driver_is_connected_is_weighed(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {"m1": "ANTENNAAREARATIO 20 ; "}, JOINED)
    assert (one.net, one.pin, one.layer, one.kind, one.allowed) == ("n", "g/A", "m1", "area", 20)
    assert one.ratio == pytest.approx(0.2 * 10.2 / 0.1)
    assert sorted(one.metal) == [(40400, 400, 40600, 600), (40400, 400, 40600, 10600)]  # nothing of the driver's


def test_what_just_keeps_the_limit_is_no_violation(tmp_path: Path) -> None:
    assert found(tmp_path, {"m1": "ANTENNAAREARATIO 20.4 ; "}, JOINED) == []


def test_side_area_is_perimeter_times_thickness(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {"m1": "ANTENNASIDEAREARATIO 100 ; "}, JOINED)
    assert one.ratio == pytest.approx(2 * (10.2 + 0.2) * 0.5 / 0.1)


def test_layers_add_up_in_the_cumulative_ratio(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {"m1": "ANTENNACUMAREARATIO 20.6 ; "}, JOINED)
    assert one.kind == "cumulative area"
    assert one.ratio == pytest.approx((0.04 + 0.2 * 10.2) / 0.1)


def test_diffusion_of_the_driver_drains_what_lies_above(tmp_path: Path) -> None:
    by_diffusion = "ANTENNADIFFAREARATIO PWL ( ( 0 20 ) ( 1 1000 ) ) ; "
    assert found(tmp_path, {"m2": by_diffusion}, JOINED) == []
    (one,) = found(tmp_path, {"m2": "ANTENNADIFFAREARATIO PWL ( ( 0 20 ) ( 1 80 ) ) ; "}, JOINED)
    assert (one.layer, one.allowed) == ("m2", 50)
    assert one.ratio == pytest.approx(0.2 * 40.2 / 0.1)
    assert one.missing == pytest.approx(1 - 0.5)  # 80.4 is more than any diffusion allows
    (one,) = found(tmp_path, {"m2": "ANTENNADIFFAREARATIO PWL ( ( 0 20 ) ( 1 80 ) ( 2 100 ) ) ; "}, JOINED)
    assert one.missing == pytest.approx(1 + 0.4 / 20 - 0.5)


def test_diffusion_may_count_as_gate(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {"m2": "ANTENNAGATEPLUSDIFF 2 ; ANTENNADIFFAREARATIO 7 ; "}, JOINED)
    assert one.ratio == pytest.approx(0.2 * 40.2 / (0.1 + 2 * 0.5))


def test_without_rules_there_is_nothing_to_violate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert found(tmp_path, {}, JOINED) == []
    assert "The technology LEF has no antenna rules." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("diffusion", "allowed"), [(0, 400), (0.01, 400), (0.0175, 1504.5), (0.0225, 2609), (22.5, 11600), (99, 11600)]
)
def test_limits_follow_their_points(diffusion: float, allowed: float) -> None:
    lef = Lef()
    points = "( ( 0 400 ) ( 0.0125 400 ) ( 0.0225 2609 ) ( 22.5 11600 ) )"
    lef.parse(f"LAYER m TYPE ROUTING ; ANTENNADIFFSIDEAREARATIO PWL {points} ; END m")
    assert AntennaRules.of(lef.layers["m"]).side_area.allowed(diffusion) == pytest.approx(allowed)


def test_plain_limit_holds_without_diffusion() -> None:
    assert Limit(200, [(0, 300), (1, 900)]).allowed(0) == 200
    assert Limit(200, []).allowed(5) == 200
    assert Limit().allowed(5) is None


def test_metal_that_is_not_written_yet_is_weighed_alike_and_only_where_it_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = {"m1": "ANTENNAAREARATIO 20 ; "}
    written = found(tmp_path, rules, JOINED)
    settings = design(tmp_path, rules)
    technology = Technology.of(settings)
    pins = [Shape("m0", Box(x, 400, x + 200, 600)) for x in (400, 40400)]
    netlist = verilog.read(settings.given("netlist"), "top", technology.lef.macros.bits)
    database = SimpleNamespace(netlist=netlist)
    assembly: Any = SimpleNamespace(
        pin_metal={"n": pins}.get, database=database, components=read_components(settings.given("placement"))
    )
    weighed: list[verilog.Netlist] = []

    def weigh(*given: Any) -> AntennaCheck:
        weighed.append(given[4])
        return AntennaCheck(*given)

    monkeypatch.setattr(antennarepair, "AntennaCheck", weigh)
    antennas = antennarepair.Antennas(settings, technology)

    def drawing(boxes: list[tuple[str, float, float, float, float]]) -> Drawing:
        cuts = [(cut, x + 0.05, 0.45, x + 0.15, 0.55) for x in (0.4, 40.4) for cut in ("c0", "c1")]
        return Drawing(patches=[Shape(n, Box(*(round(1000 * v) for v in box))) for n, *box in [*cuts, *boxes]])

    def nets() -> list[str]:
        return list(weighed[-1].nets)

    drawings = {"n": drawing(JOINED)}
    assert antennas.violations(assembly, drawings) == written
    assert antennas.violations(assembly, drawings) == written, "what violates is looked at again"
    drawings = {"n": drawing([*ON_M1[:1], ("m1", 40.4, 0.4, 40.6, 5.6), *JOINED[2:]])}
    assert antennas.violations(assembly, drawings) == []
    assert nets() == ["n"]
    assert antennas.violations(assembly, drawings) == []
    assert nets() == [], "it is as it was"
    drawings["n"].patches.append(Shape("m1", Box(40400, 400, 40600, 10600)))
    assert [v.pin for v in antennas.violations(assembly, drawings)] == ["g/A"]
