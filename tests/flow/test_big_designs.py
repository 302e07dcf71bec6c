"""Designs that take minutes: run with A6HUB_BIG=1."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results
from tests.flow.test_course_designs import DESIGNS
from tests.flow.test_express import CLEAN

pytestmark = [
    pytest.mark.needs("express"),
    pytest.mark.skipif(not os.environ.get("A6HUB_BIG"), reason="takes minutes each: set A6HUB_BIG=1 to run it"),
]

PORTS = 2000
WIDE = (
    f"module wide (input clk, input [{PORTS // 2 - 1}:0] d, output reg [{PORTS // 2 - 2}:0] q);"
    f" always @(posedge clk) q <= d[{PORTS // 2 - 1}:1] ^ d[{PORTS // 2 - 2}:0]; endmodule"
)
CLOCKED = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 40}
DESIGNS_AND_CELLS: dict[str, tuple[str, dict[str, Any], int]] = {
    "usb": ((DESIGNS / "usb.v").read_text(), CLOCKED, 1000),
    "wide": (WIDE, {**CLOCKED, "EXPRESS_ROUTE_SECONDS": 3600}, PORTS),
    "rv32": ((DESIGNS / "rv32.v").read_text(), {**CLOCKED, "EXPRESS_ROUTE_SECONDS": 3600}, 6000),
}


@pytest.mark.parametrize("name", DESIGNS_AND_CELLS)
def test_big_design_is_clean(name: str, pdk: Pdk, tmp_path: Path) -> None:
    verilog, settings, cells = DESIGNS_AND_CELLS[name]
    found = results(drive(pdk, tmp_path, [{"top": name, "verilog": verilog, "settings": settings}]))[name]
    assert "refused" not in found, found
    metrics = found["metrics"]
    assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert metrics["design__instance__count__stdcell"] > cells


def test_picorv32_is_clean(pdk: Pdk, tmp_path: Path) -> None:
    """Another's core, where its file is at hand: A6HUB_PICORV32 names it."""
    path = os.environ.get("A6HUB_PICORV32", "")
    if not path:
        pytest.skip("picorv32 comes with no package of the tests: name its file in A6HUB_PICORV32")
    settings = {**CLOCKED, "EXPRESS_ROUTE_SECONDS": 3600}
    design = {"top": "picorv32", "verilog": Path(path).read_text(), "settings": settings}
    found = results(drive(pdk, tmp_path, [design]))["picorv32"]
    assert "refused" not in found, found
    assert {key: found["metrics"][key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
