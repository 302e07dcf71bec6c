"""Rules derived from a small technology LEF, each checked against what its lengths say."""

from __future__ import annotations

import pytest

from a6hub_jupyter.express.geometry import centered, distance
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import RoutingLayer, Technology, up_to_grid


def metal(name: str, direction: str, pitch: float, width: float, area: float) -> str:
    return (
        f"LAYER {name} TYPE ROUTING ; DIRECTION {direction} ; PITCH {pitch} ; OFFSET {pitch / 2} ; WIDTH {width} ; "
        f"SPACING {width} ; AREA {area} ; END {name}\n"
    )


def cut(name: str, size: float) -> str:
    return f"LAYER {name} TYPE CUT ; WIDTH {size} ; SPACING {size} ; ENCLOSURE BELOW .03 .06 ; END {name}\n"


RULES = (
    "VIARULE r GENERATE LAYER m0 ; ENCLOSURE .04 .05 ; LAYER m1 ; ENCLOSURE .03 .06 ; "
    "LAYER c0 ; RECT -.08 -.08 .08 .08 ; END r\n"
)
STACK = (
    metal("m0", "VERTICAL", 0.4, 0.16, 0.05)
    + cut("c0", 0.16)
    + metal("m1", "HORIZONTAL", 0.4, 0.16, 0.08)
    + "LAYER c1 TYPE CUT ; WIDTH .16 ; SPACING .16 ; ENCLOSURE .03 .06 ; END c1\n"
    + metal("m2", "VERTICAL", 0.4, 0.16, 0.08)
    + "LAYER c2 TYPE CUT ; WIDTH .2 ; SPACING .2 ; ENCLOSURE .06 .06 ; END c2\n"
    + metal("m3", "HORIZONTAL", 0.6, 0.3, 0.3)
    + RULES
)


@pytest.fixture
def technology() -> Technology:
    lef = Lef()
    lef.parse(STACK)
    return Technology(lef, (400, 2800), "m1", "m3")


def test_stack_and_grid(technology: Technology) -> None:
    assert technology.stack == ["m0", "c0", "m1", "c1", "m2", "c2", "m3"]
    assert technology.pin_layer == "m0"
    assert (technology.pitch_x, technology.pitch_y, technology.offset_x, technology.offset_y) == (400, 400, 200, 200)


def test_pads_enclose_their_cuts(technology: Technology) -> None:
    c0, c1, c2 = technology.cuts
    assert c0.lower == ((110, 140), (140, 110)), "both ways on the pin layer"
    assert c0.upper == ((140, 110),), "from the via rule, long along the horizontal wire"
    assert c1.lower == ((140, 110),)
    assert c1.upper == ((110, 140),)
    assert c2.upper == ((160, 160),)


def test_collision_offsets_are_those_closer_than_the_spacing(technology: Technology) -> None:
    def too_near(layer: RoutingLayer, offset: tuple[int, int]) -> bool:
        x, y = offset[0] * technology.pitch_x, offset[1] * technology.pitch_y
        pad = centered(0, 0, *layer.pad)
        return distance(pad, centered(x, y, *layer.pad)) < layer.spacing

    for layer in technology.layers:
        reach = range(-4, 5)
        every = [(i, j) for i in reach for j in reach if (i if layer.vertical else j) % layer.every == 0]
        for offset in every:
            if too_near(layer, offset):
                assert offset in layer.via_via, (layer.name, offset)
        assert set(layer.wire_wire) <= set(layer.wire_via) <= set(layer.via_via)
        assert {(-i, -j) for i, j in layer.via_via} == set(layer.via_via), "collisions are mutual"


def test_shortest_wires_have_the_minimum_area(technology: Technology) -> None:
    for layer in technology.layers:
        along = technology.pitch_y if layer.vertical else technology.pitch_x
        length = layer.least_steps * along + 2 * layer.extension
        assert length * layer.width >= layer.area


def test_thick_layer_uses_every_second_track(technology: Technology) -> None:
    m3 = technology.layers[technology.index("m3")]
    assert m3.every == 2
    assert m3.every * technology.pitch_y - m3.width // 2 - m3.pad[1] >= m3.spacing


def test_tracks_file_moves_the_grid(technology: Technology) -> None:
    technology.use_tracks(["m1 X 0.2 0.4", "m1 Y 0.1 0.4", "m2 X 0.33 0.4", "", "nonsense"])
    assert (technology.offset_x, technology.offset_y) == (330, 100)


def test_unknown_layers_are_named() -> None:
    lef = Lef()
    lef.parse(STACK)
    with pytest.raises(ProblemError, match="The layer met9 is no routing layer"):
        Technology(lef, (400, 2800), "m1", "met9")
    with pytest.raises(ProblemError, match="pins need a metal below"):
        Technology(lef, (400, 2800), "m0", "m3")
    with pytest.raises(ProblemError, match=r"I/O pins cannot be on m9: Express routes on m1, m2, m3"):
        Technology(lef, (400, 2800), "m1", "m3").index("m9")


@pytest.mark.parametrize(("length", "rounded"), [(0, 0), (1, 5), (5, 5), (112.5, 115)])
def test_up_to_grid(length: float, rounded: int) -> None:
    assert up_to_grid(length) == rounded
