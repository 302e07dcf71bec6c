"""Pictures of layouts, over HTTP."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import gdstk
import pytest

from .conftest import Api


@pytest.fixture
def layout(design_dir: Path) -> str:
    library = gdstk.Library("x")
    library.new_cell("top").add(gdstk.rectangle((-5, -5), (5, 5), layer=68, datatype=20))
    library.write_gds(design_dir / "chip.gds")
    return str(design_dir / "chip.gds")


@pytest.mark.parametrize(
    "view", [{}, {"x": "-1e-7", "y": "-2.5", "size": "4"}, {"x": "-1e8", "y": "1e8", "size": "1e-3"}]
)
async def test_a_picture_has_the_size_that_was_asked_for(api: Api, layout: str, view: dict[str, str]) -> None:
    response = await api.raw("layouts", "snapshot", params={"path": layout, "width": "64", "height": "48", **view})
    assert response.code == 200, response.body
    assert response.body[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", response.body[16:24]) == (64, 48)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"width": "15"}, "width"),
        ({"height": "5000"}, "height"),
        ({"width": "20.5"}, "width"),
        ({"x": "1"}, "y"),
        ({"x": "1", "y": "1", "size": "0"}, "size"),
        ({"x": "1", "y": "1", "size": "1e-9"}, "size"),
        ({"x": "1e300", "y": "1", "size": "1"}, "x"),
        ({"hidden": "68"}, "hidden"),
        ({"hidden": "68/20,--help"}, "hidden"),
    ],
)
async def test_a_wrong_question_is_named(api: Api, layout: str, params: dict[str, str], field: str) -> None:
    response = await api.raw("layouts", "snapshot", params={"path": layout, **params})
    assert (response.code, json.loads(response.body)["field"]) == (422, field)
