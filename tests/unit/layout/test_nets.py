"""Nets and instances from DEF: a small design whose every shape is known, and a real one against its GDS."""

from __future__ import annotations

import asyncio
import lzma
import tarfile
from pathlib import Path
from typing import Any

import pytest
from klayout import db

from a6hub_jupyter.layout import LayoutError, SceneCache, nets
from a6hub_jupyter.layout.defnets import DefNet, read_nets
from a6hub_jupyter.layout.netindex import NetIndex, back, forth
from tests.conftest import SHARED

LEF = """VERSION 5.8 ;
UNITS DATABASE MICRONS 1000 ; END UNITS
LAYER m1 TYPE ROUTING ; DIRECTION HORIZONTAL ; PITCH 0.4 ; WIDTH 0.2 ; END m1
LAYER v1 TYPE CUT ; END v1
LAYER m2 TYPE ROUTING ; DIRECTION VERTICAL ; PITCH 0.4 ; WIDTH 0.2 ; END m2
VIA V12 DEFAULT
  LAYER m1 ; RECT -0.1 -0.2 0.1 0.2 ; LAYER v1 ; RECT -0.1 -0.1 0.1 0.1 ; LAYER m2 ; RECT -0.1 -0.1 0.1 0.1 ;
END V12
MACRO INV
  CLASS CORE ; ORIGIN 0 0 ; SIZE 2 BY 4 ;
  PIN A DIRECTION INPUT ; PORT LAYER m1 ; RECT 0.2 1 0.4 1.5 ; END END A
  PIN Y DIRECTION OUTPUT ; PORT LAYER m1 ; RECT 1.6 1 1.8 3 ; END END Y
END INV
END LIBRARY
"""
DEF = """VERSION 5.8 ; DIVIDERCHAR "/" ; BUSBITCHARS "[]" ;
DESIGN top ;
UNITS DISTANCE MICRONS 2000 ;
DIEAREA ( 0 0 ) ( 20000 20000 ) ;
COMPONENTS 2 ;
- u/1 INV + PLACED ( 2000 2000 ) N ;
- u\\[2\\] INV + PLACED ( 10000 2000 ) FS ;
END COMPONENTS
PINS 1 ;
- in[0] + NET in[0] + DIRECTION INPUT + LAYER m1 ( -200 -200 ) ( 200 200 ) + PLACED ( 200 4400 ) N ;
END PINS
SPECIALNETS 1 ;
- VDD ( * VDD ) + USE POWER + ROUTED m1 400 + SHAPE STRIPE ( 0 12000 ) ( 20000 12000 )
  NEW m1 0 + SHAPE STRIPE ( 1000 12000 ) V12 DO 2 BY 1 STEP 4000 0 ;
END SPECIALNETS
NETS 2 ;
- in[0] ( PIN in[0] ) ( u/1 A ) + USE SIGNAL
  + ROUTED m1 ( 200 4400 ) ( 2600 * ) ;
- mid ( u/1 Y ) ( u\\[2\\] A ) + ROUTED m1 ( 5400 6000 ) V12 FS # a comment ( * 9 )
  NEW m2 ( 5400 6000 ) ( * 8000 ) ( 10600 * )
  NEW m1 TAPER ( 10600 8000 ) V12 ;
END NETS
END DESIGN
"""


@pytest.fixture
def design(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "top.def").write_text(DEF)
    (tmp_path / "tech.lef").write_text(LEF)
    return tmp_path / "top.def", tmp_path / "tech.lef"


@pytest.fixture
def index(design: tuple[Path, Path], tmp_path: Path) -> NetIndex:
    nets.index(design[0], tmp_path / "top.nets", [design[1]])
    return NetIndex(tmp_path / "top.nets")


def boxes(net: dict[str, Any] | None, layer: str) -> list[list[float]]:
    assert net is not None
    [flat] = [each["boxes"] for each in net["layers"] if each["name"] == layer]
    return sorted([round(value, 4) for value in flat[i : i + 4]] for i in range(0, len(flat), 4))


def test_pins_and_vias_of_each_net() -> None:
    found = {each.name: each for each in read_nets(DEF.splitlines()) if isinstance(each, DefNet)}
    assert next(iter(read_nets(DEF.splitlines()))) == 2000
    assert found["mid"].pins == [("u/1", "Y"), ("u[2]", "A")]
    assert found["mid"].vias == [("V12", 5400, 6000, "FS"), ("V12", 10600, 8000, "N")]
    assert found["VDD"].vias == [("V12", 1000, 12000, "N"), ("V12", 5000, 12000, "N")]
    assert (found["VDD"].use, found["in[0]"].use) == ("POWER", "SIGNAL")


def test_a_net_has_its_wires_vias_and_pins(index: NetIndex) -> None:
    mid = index.net("mid")
    assert mid is not None
    assert [(pin["instance"], pin["name"], pin["cell"]) for pin in mid["pins"]] == [
        ("u/1", "Y", "INV"),
        ("u[2]", "A", "INV"),
    ]
    # The pin of the mirrored cell: y 1 to 1.5 of a cell 4 high, which lies from y 1 to 5.
    assert boxes(mid, "m1") == [
        [2.6, 2, 2.8, 4],
        [2.6, 2.8, 2.8, 3.2],
        [5.2, 3.5, 5.4, 4],
        [5.2, 3.8, 5.4, 4.2],
    ]
    assert len(boxes(mid, "v1")) == 2
    assert boxes(index.net("in[0]"), "m1") == [[0, 2.1, 0.2, 2.3], [0, 2.1, 1.4, 2.3], [1.2, 2, 1.4, 2.5]]
    assert len(boxes(index.net("VDD"), "v1")) == 2
    assert index.net("gone") is None


def test_what_is_at_a_place(index: NetIndex) -> None:
    here = index.at(2.7, 2.5)
    assert here["nets"] == [{"name": "mid", "use": "SIGNAL", "layer": "m1"}], "on the pin, below no wire"
    assert here["instances"] == [{"name": "u/1", "cell": "INV"}]
    assert index.at(1.7, 4.9) == {"nets": [], "instances": [{"name": "u/1", "cell": "INV"}]}
    assert index.at(-1e9, 1e300) == {"nets": [], "instances": []}


def test_finds_by_a_part_of_the_name(index: NetIndex) -> None:
    found = index.search("u", 10)
    assert [each["name"] for each in found["instances"]] == ["u/1", "u[2]"]
    assert found["instances"][0]["box"] == [1, 1, 3, 5]
    assert index.search("", 1)["net_count"] == 3
    assert index.search("i%", 10)["nets"] == [], "a percent sign is itself"
    assert [each["name"] for each in index.search("N[0", 10)["nets"]] == ["in[0]"]


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("mirror", [0, 1])
def test_moves_there_and_back_as_klayout_does(turn: int, mirror: int) -> None:
    place = turn, mirror, 100, -7
    moved = db.Trans(turn, bool(mirror), 100, -7) * db.Point(3, 5)
    assert forth(3, 5, *place) == (moved.x, moved.y)
    assert back(*forth(3, 5, *place), *place) == (3, 5)


@pytest.mark.parametrize("content", ["", "nothing of the kind", DEF[:700], "DESIGN top ;\nEND DESIGN\n"])
def test_a_damaged_def_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.def").write_text(content)
    scenes = SceneCache(tmp_path / "cache", 1 << 20, 60, 2 << 30)
    with pytest.raises(LayoutError, match=r"bad\.def"):
        asyncio.run(scenes.nets(tmp_path / "bad.def", []))
    assert not list((tmp_path / "cache").glob("*"))


def test_the_cache_makes_it_once(design: tuple[Path, Path], tmp_path: Path) -> None:
    scenes = SceneCache(tmp_path / "cache", 1 << 20, 60, 2 << 30)

    async def twice() -> list[Path]:
        return list(await asyncio.gather(*(scenes.nets(design[0], [design[1]]) for _ in range(2))))

    first, second = asyncio.run(twice())
    assert first == second
    assert NetIndex(first).net("mid") is not None


@pytest.mark.needs("shared")
def test_every_shape_of_a_real_net_is_in_the_gds(tmp_path: Path) -> None:
    """A real Classic run: what the index says of all nets lies on the metal of the finished layout."""
    record = SHARED / "recorded" / "classic-spm-ihp-sg13g2.tar.xz"
    with lzma.open(record) as packed, tarfile.open(fileobj=packed) as archive:
        for member in archive:
            if member.name.endswith(("final/def/spm.def", "final/gds/spm.gds")):
                content = archive.extractfile(member)
                assert content is not None
                (tmp_path / Path(member.name).name).write_bytes(content.read())
    lefs = sorted((SHARED / "pdk" / "ihp-sg13g2" / "libs.ref" / "sg13g2_stdcell" / "lef").glob("*.lef"), reverse=True)
    nets.index(tmp_path / "spm.def", tmp_path / "spm.nets", lefs)
    index = NetIndex(tmp_path / "spm.nets")
    layout = db.Layout()
    layout.read(str(tmp_path / "spm.gds"))
    names = [each["name"] for each in index.search("", 1000)["nets"]]
    assert len(names) == 456
    drawn: dict[str, db.Region] = {}
    for name in names:
        net = index.net(name)
        assert net is not None
        for layer in net["layers"]:
            region = drawn.setdefault(layer["name"], db.Region())
            values = [round(value * 1000) for value in layer["boxes"]]
            for i in range(0, len(values), 4):
                region.insert(db.Box(*values[i : i + 4]))
    for layer, number in {"Metal1": 8, "Via1": 19, "Metal2": 10, "Via2": 29, "Metal3": 30, "TopMetal1": 126}.items():
        metal = db.Region(layout.top_cell().begin_shapes_rec(layout.layer(number, 0))).merged()
        assert drawn[layer].count() > 0
        assert (drawn[layer] - metal).is_empty(), layer
    # And the other way round: above the cells there is no metal that no net owns.
    metal = db.Region(layout.top_cell().begin_shapes_rec(layout.layer(30, 0))).merged()
    assert (metal - drawn["Metal3"]).is_empty()
