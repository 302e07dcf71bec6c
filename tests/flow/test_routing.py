"""Antenna rules kept by diodes, and congestion told: what the router does when the easy way is not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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


TWO_LAYERS = {"RT_MAX_LAYER": "met2", "IO_PIN_H_LAYER": "met1", "IO_PIN_V_LAYER": "met2"}


def _filled(pdk: Pdk, directory: Path, fullness: int, seconds: int = 600) -> dict[str, Any]:
    """What comes of gcd up to routing, on two layers, with rows so full (per cent)."""
    settings = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 20, "FP_CORE_UTIL": fullness, **TWO_LAYERS}
    settings["EXPRESS_ROUTE_SECONDS"] = seconds
    design = {"top": "gcd", "verilog": GCD.read_text(), "settings": settings, "to": "Express.Routing"}
    return results(drive(pdk, directory / str(fullness), [design]))["gcd"]


@pytest.mark.timeout(900)
def test_congestion_is_told_in_a_sentence_and_ends_without_a_layout(sky130: Pdk, tmp_path: Path) -> None:
    """Rows are filled until routing fails; what is said then names the worst region, and a fullness that is routed."""
    for fullness in (70, 72):  # beyond, the cells themselves do not fit
        found = _filled(sky130, tmp_path, fullness, seconds=10)
        if "refused" in found:
            break
        assert found["metrics"]["route__drc_errors"] == 0
    assert found["by"] == "Express.Routing"
    sentence = re.search(
        r"Routing ended with \d+ nets in conflict\. "
        r"The worst region is \(([\d.]+), ([\d.]+)\) to \(([\d.]+), ([\d.]+)\) um: "
        r"(\d+) conflicts, \d+ % of the free tracks taken; the cells fill (\d+) % of the rows\. "
        r"To make room, set FP_CORE_UTIL to about (\d+)\.",
        found["refused"],
    )
    assert sentence, found["refused"]
    left, bottom, right, top, conflicts, full, advice = (float(word) for word in sentence.groups())
    run = tmp_path / str(fullness) / "gcd"
    die = re.search(r"DIEAREA \( 0 0 \) \( (\d+) (\d+) \)", next(run.glob("*-express-floorplan/gcd.def")).read_text())
    assert die
    assert 0 <= left < right <= int(die[1]) / 1000
    assert 0 <= bottom < top <= int(die[2]) / 1000
    assert conflicts > 0
    assert abs(full - fullness) < 8
    assert not list(run.glob("*/*.gds"))
    assert _filled(sky130, tmp_path, int(advice))["metrics"]["route__drc_errors"] == 0
