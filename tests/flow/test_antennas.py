"""Antenna rules kept by diodes, and congestion told: what the router does when the easy way is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results
from tests.flow.test_express import CLEAN

pytestmark = pytest.mark.needs("express")

GCD = Path(__file__).parents[2] / "notebooks" / "designs" / "gcd.v"


def test_gates_charged_too_much_get_diodes(sky130: Pdk, tmp_path: Path) -> None:
    """Without them, long met4 from the ports charges gates of this design beyond the rules of sky130A."""
    settings = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 20}
    design = {"top": "gcd", "verilog": GCD.read_text(), "settings": settings}
    metrics = results(drive(sky130, tmp_path, [design]))["gcd"]["metrics"]
    assert metrics["antenna_diodes_count"] > 0
    assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    netlist = next(iter(sorted((tmp_path / "gcd").glob("*-express-routing/gcd.nl.v")))).read_text()
    assert netlist.count("sky130_fd_sc_hd__diode_2") == metrics["antenna_diodes_count"]
