"""Antenna rules kept by diodes, and congestion told: what the router does when the easy way is not there."""

from __future__ import annotations

import re
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


def test_congestion_is_told_in_a_sentence_and_ends_without_a_layout(sky130: Pdk, tmp_path: Path) -> None:
    """On two layers, rows are filled until routing fails; before that, every chip is clean."""
    layers = {"RT_MAX_LAYER": "met2", "IO_PIN_H_LAYER": "met1", "IO_PIN_V_LAYER": "met2"}
    for fullness in (40, 60, 80, 95):
        settings = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 20, "FP_CORE_UTIL": fullness, **layers}
        design = {"top": "gcd", "verilog": GCD.read_text(), "settings": {**settings, "EXPRESS_ROUTE_SECONDS": 60}}
        found = results(drive(sky130, tmp_path / str(fullness), [design]))["gcd"]
        if "refused" in found:
            break
        assert found["metrics"]["route__drc_errors"] == 0
    assert found["by"] == "Express.Routing"
    sentence = re.search(
        r"Routing ended with \d+ nets in conflict\. "
        r"The worst region is \(([\d.]+), [\d.]+\) to \(([\d.]+), [\d.]+\) um: "
        r"\d+ conflicts, \d+ % of the free tracks taken; the cells fill (\d+) % of the rows\. "
        r"To make room, set FP_CORE_UTIL to about (\d+)\.",
        found["refused"],
    )
    assert sentence, found["refused"]
    left, right, full, advice = (float(word) for word in sentence.groups())
    assert left < right
    assert advice < full
    assert not list((tmp_path / str(fullness)).glob("gcd/*/*.gds"))
