from __future__ import annotations

from pathlib import Path

import pytest

from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.lefcells import slabs
from a6hub_jupyter.express.lefforeign import with_foreign
from a6hub_jupyter.express.lefrules import (
    ArraySpacing,
    CrowdSpacing,
    CutCount,
    EndEnclosure,
    EndSpacing,
    LayerRules,
    WideSpacing,
)
from a6hub_jupyter.express.lefwords import nanometres
from a6hub_jupyter.express.problem import ProblemError

TECHNOLOGY = """
VERSION 5.8 ;  # a comment ; with a semicolon
PROPERTYDEFINITIONS
  LAYER LEF58_TYPE STRING ;
END PROPERTYDEFINITIONS
UNITS
  DATABASE MICRONS 1000 ;
END UNITS
LAYER met1
  TYPE ROUTING ;
  DIRECTION HORIZONTAL ;
  PITCH 0.34 ;
  OFFSET 0.17 ;
  WIDTH 0.14 ;
  SPACINGTABLE
    PARALLELRUNLENGTH 0.0 1.0
    WIDTH 0.0 0.14 0.14
    WIDTH 3.0 0.14 0.28 ;
  AREA 0.083 ;
  PROPERTY LEF58_TYPE "TYPE ROUTING ; " ;
END met1
LAYER via
  TYPE CUT ;
  WIDTH 0.15 ;
  SPACING 0.17 ;
  ENCLOSURE BELOW 0.055 0.085 ;
  ENCLOSURE ABOVE 0.055 0.085 ;
END via
VIA M1M2 DEFAULT
  LAYER met1 ;
  RECT -0.1 -0.1 0.1 0.1 ;
END M1M2
VIARULE M1M2_R GENERATE
  LAYER met1 ;
  ENCLOSURE 0.03 0.06 ;
  LAYER via ;
  RECT -0.075 -0.075 0.075 0.075 ;
  SPACING 0.32 BY 0.34 ;
END M1M2_R
SITE unit
  SIZE 0.46 BY 2.72 ;
END unit
END LIBRARY
"""
CELL = """
MACRO gate
  CLASS CORE ;
  SIZE 1.38 BY 2.72 ;
  PIN A
    DIRECTION INPUT ;
    USE SIGNAL ;
    PORT
      LAYER li1 ;
      RECT 0.1 0.2 0.3 0.4 ;
      POLYGON 0 0 2 0 2 1 1 1 1 2 0 2 ;
    END
  END A
  PIN VPWR
    DIRECTION INOUT ;
    USE POWER ;
    PORT
      LAYER met1 ;
      RECT 0.0 2.48 1.38 2.96 ;
    END
  END VPWR
  OBS
    LAYER li1 ;
    RECT 0.5 0.5 0.6 0.6 ;
  END
  DENSITY
    LAYER met1 ;
    RECT 0 0 1 1 50 ;
  END
END gate
"""


@pytest.fixture
def lef() -> Lef:
    lef = Lef()
    lef.parse(TECHNOLOGY)
    lef.parse(CELL)
    return lef


def test_layer_rules_are_read_in_nanometres(lef: Lef) -> None:
    layer = lef.layers["met1"]
    assert (layer.kind, layer.direction, layer.pitch, layer.offset) == ("ROUTING", "HORIZONTAL", (340, 340), (170, 170))
    assert (layer.width, layer.spacing, layer.area) == (140, 140, 83_000)
    assert layer.spacing_table == [(0, [140, 140]), (3000, [140, 280])]


@pytest.mark.parametrize(
    ("width", "long", "spacing"), [(140, True, 140), (3000, True, 140), (3001, True, 280), (9000, False, 140)]
)
def test_wide_metal_needs_more_spacing(lef: Lef, width: int, *, long: bool, spacing: int) -> None:
    assert lef.layers["met1"].spacing_for(width, long=long) == spacing


def test_cut_and_via_rule(lef: Lef) -> None:
    assert [(e.side, e.first, e.second) for e in lef.layers["via"].enclosures] == [("BELOW", 55, 85), ("ABOVE", 55, 85)]
    assert lef.cut_size("via") == 150
    rule = lef.cut_rule("via")
    assert rule is not None
    assert rule["via"].spacing == (320, 340)
    assert rule["met1"].enclosure == (30, 60)
    lef.layers["via"].width = 0
    assert lef.cut_size("via") == 150, "the via rule says it too"


def test_cell_pins_and_obstructions(lef: Lef) -> None:
    gate = lef.macros["gate"]
    assert (gate.width, gate.height) == (1380, 2720)
    assert gate.pins["A"].shapes[0] == Shape("li1", Box(100, 200, 300, 400))
    assert [s.box for s in gate.pins["A"].shapes[1:]] == [Box(0, 0, 2000, 1000), Box(0, 1000, 1000, 2000)]
    assert gate.obstructions == [Shape("li1", Box(500, 500, 600, 600))]
    assert gate.pins["A"].is_signal
    assert not gate.pins["VPWR"].is_signal
    assert not gate.is_physical_only
    assert gate.pin("INPUT") == "A"
    with pytest.raises(ProblemError, match="gate has no output pin"):
        gate.pin("OUTPUT")
    assert lef.sites == {"unit": (460, 2720)}


def test_slabs_cover_a_u_shape() -> None:
    points = [(0, 0), (30, 0), (30, 20), (20, 20), (20, 10), (10, 10), (10, 20), (0, 20)]
    assert slabs(points) == [Box(0, 0, 30, 10), Box(0, 10, 10, 20), Box(20, 10, 30, 20)]


@pytest.mark.parametrize(("text", "length"), [("0.34", 340), ("-.085", -85), ("1e-2", 10), ("0.0849999", 85)])
def test_nanometres(text: str, length: int) -> None:
    assert nanometres(text) == length


def test_file_that_is_missing_or_cut_short(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="cannot be read"):
        Lef(tmp_path / "none.lef")
    (tmp_path / "half.lef").write_text(CELL[:200])
    with pytest.raises(ProblemError, match="cut short or malformed"):
        Lef(tmp_path / "half.lef")


def test_rules_beyond_width_and_spacing_are_read() -> None:
    lef = Lef()
    lef.parse(
        """MANUFACTURINGGRID 0.005 ;
        LAYER m TYPE ROUTING ; DIRECTION VERTICAL ; WIDTH .2 ;
          SPACINGTABLE PARALLELRUNLENGTH 0 1 10 WIDTH 0 .2 .2 .2 WIDTH .4 .2 .24 .24 WIDTH 10 .2 .24 .6 ;
          MINENCLOSEDAREA .14 ; MAXWIDTH 30 ; MINIMUMCUT 2 WIDTH 1.4 ; MINIMUMCUT 4 WIDTH 3 FROMABOVE ;
          SPACING .25 ENDOFLINE .3 WITHIN .05 ; MINIMUMDENSITY 30 ; MINIMUMCUT 2 WIDTH 1 LENGTH 2 WITHIN 3 ;
        END m
        LAYER c TYPE CUT ; WIDTH .2 ; SPACING .22 ; SPACING .29 ADJACENTCUTS 3 WITHIN .31 ;
          ARRAYSPACING CUTSPACING .36 ARRAYCUTS 4 SPACING .36 ;
          PROPERTY LEF58_EOLENCLOSURE " EOLENCLOSURE 0.34 0.06 ; " ;
        END c
        LAYER old TYPE ROUTING ; DIRECTION VERTICAL ; WIDTH .2 ; SPACING .23 ; SPACING .3 RANGE 10.005 999 ; END old"""
    )
    m, c, old = (LayerRules.of(lef.layers[name]) for name in ("m", "c", "old"))
    assert lef.manufacturing_grid == 5
    assert m.wide == [WideSpacing(400, 1000, 240), WideSpacing(10000, 10000, 600)]
    assert (m.hole_area, m.most_width) == (140_000, 30_000)
    assert m.cut_counts == [CutCount(2, 1400, "BOTH"), CutCount(4, 3000, "ABOVE")]
    assert m.ends == [EndSpacing(250, 300, 50)]
    assert m.not_read == ["MINIMUMDENSITY 30", "MINIMUMCUT 2 WIDTH 1 LENGTH 2 WITHIN 3"]
    assert c.crowds == [CrowdSpacing(290, 3, 310)]
    assert c.arrays == [ArraySpacing(360, 4)]
    assert c.end_enclosures == [EndEnclosure(340, 60)]
    assert not c.not_read
    assert old.wide == [WideSpacing(10005, 0, 300)]
    assert lef.layers["old"].spacing == 230


CORNERS = """
MACRO here
  CLASS BLOCK ; SIZE 10 BY 20 ;
  PIN A DIRECTION INPUT ; PORT LAYER m1 ; RECT 1 2 3 4 ; END END A
END here
MACRO moved
  CLASS BLOCK ; ORIGIN 0.5 -1 ; SIZE 10 BY 20 ;
  PIN A DIRECTION INPUT ; PORT LAYER m1 ; RECT 0.5 3 2.5 5 ; END END A
  OBS LAYER m1 ; RECT 4.5 6 5.5 7 ; END
END moved
MACRO elsewhere
  CLASS BLOCK ; FOREIGN elsewhere ( 7 8 ) ; ORIGIN 0 0 ; SIZE 10 BY 20 ;
  PIN A DIRECTION INPUT ; PORT LAYER m1 ; RECT 1 2 3 4 ; END END A
END elsewhere
"""


def test_shapes_are_counted_from_the_lower_left_corner_wherever_the_layout_has_it() -> None:
    lef = Lef()
    lef.parse(CORNERS)
    for name, corner in (("here", (0, 0)), ("moved", (-500, 1000)), ("elsewhere", (7000, 8000))):
        macro = lef.macros[name]
        assert macro.pins["A"].shapes == [Shape("m1", Box(1000, 2000, 3000, 4000))], name
        assert macro.corner == corner
    assert lef.macros["moved"].obstructions == [Shape("m1", Box(5000, 5000, 6000, 6000))]


def test_cells_without_foreign_get_one_that_says_the_same() -> None:
    wanted = with_foreign(CORNERS)
    assert "FOREIGN here 0 0 ;" in wanted
    assert "FOREIGN moved -0.5 1 ;" in wanted
    assert wanted.count("FOREIGN") == 3
    assert with_foreign(wanted) == wanted
    before, after = Lef(), Lef()
    before.parse(CORNERS)
    after.parse(wanted)
    assert {name: after.macros[name] for name in after.macros} == {name: before.macros[name] for name in before.macros}
