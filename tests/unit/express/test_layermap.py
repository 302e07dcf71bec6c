"""GDS layers from layer maps as different PDKs write them."""

from __future__ import annotations

from pathlib import Path

from a6hub_jupyter.express.layermap import drawing_layers, label_layers

MAP = """
# wires, then names: as in gf180mcuD, as in ihp-sg13g2, as in sky130A
Via1    VIA               35 0
Metal1  NET,SPNET,PIN,VIA 34 0
NAME    Metal1/LABEL      34 10
Metal1  PIN               34 10
Metal2  NET,SPNET,PIN     10 0
NAME    Metal2/PIN        10 25
met3    LEFPIN,NET,VIA    70 20
NAME    met3/LABEL,met3/LEFPIN 70 5
Metal4  NET               50 0
NAME    Metal4            50 25
NAME    COMP              63 0
DIEAREA ALL               0  0
"""


def test_layers_of_wires_and_of_names(tmp_path: Path) -> None:
    (tmp_path / "map").write_text(MAP)
    drawn = {"Via1": (35, 0), "Metal1": (34, 0), "Metal2": (10, 0), "met3": (70, 20), "Metal4": (50, 0)}
    assert drawing_layers(tmp_path / "map") == drawn
    names = label_layers(tmp_path / "map")
    assert {name: names[name] for name in ("Metal1", "Metal2", "met3", "Metal4")} == {
        "Metal1": (34, 10),
        "Metal2": (10, 25),
        "met3": (70, 5),
        "Metal4": (50, 25),
    }
