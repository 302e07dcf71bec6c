from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from a6hub_jupyter.layout import LayoutError
from a6hub_jupyter.layout.layers import LYP_LIMIT, describe, palette, read_lyp

if TYPE_CHECKING:
    from pathlib import Path


def test_reads_names_colours_order_and_visibility(lyp: Path) -> None:
    layers = read_lyp(lyp)
    assert [(one.layer, one.datatype, one.name) for one in layers] == [
        (68, 20, "met1.drawing"),
        (64, 20, "nwell"),
        (67, 20, "li1"),
        (99, 0, "absent"),
    ]
    met1, nwell, li1, _ = layers
    assert (met1.fill, met1.frame, met1.visible) == ("#aabbcc", "#112233", True)
    assert met1.stipple == ("*...", "..*.")
    assert li1.stipple is None
    assert not nwell.visible, "a layer in a hidden group is hidden"
    assert li1.fill == palette(67, 20).fill, "without a colour it gets one of ours"


def test_only_present_layers_known_ones_first(lyp: Path) -> None:
    described = describe([(5, 1), (64, 20), (5, 0), (68, 20)], read_lyp(lyp))
    assert [one.name for one in described] == ["met1.drawing", "nwell", "5/0", "5/1"]


def test_palette_tells_neighbours_apart() -> None:
    colours = {palette(layer, datatype).fill for layer in range(60, 80) for datatype in (0, 5, 16, 20)}
    assert len(colours) > 70
    assert palette(68, 20) == palette(68, 20)


@pytest.mark.parametrize("content", ["", "not xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><layer-properties/>"])
def test_refuses_what_is_no_lyp(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.lyp"
    path.write_text(content)
    with pytest.raises(LayoutError, match=r"^bad\.lyp is no KLayout layer properties file"):
        read_lyp(path)


def test_refuses_a_missing_or_huge_lyp(tmp_path: Path) -> None:
    path = tmp_path / "huge.lyp"
    with pytest.raises(LayoutError, match="cannot be read"):
        read_lyp(path)
    with path.open("wb") as file:
        file.truncate(LYP_LIMIT + 1)
    with pytest.raises(LayoutError, match="too large"):
        read_lyp(path)
