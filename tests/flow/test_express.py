"""The Express flow through the real LibreLane."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flow.conftest import DESIGNS
from tests.flow.driver import drive, results

if TYPE_CHECKING:
    from tests.flow.conftest import Pdk, Run

pytestmark = pytest.mark.needs("express")

CLOCKED = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}
CLEAN = (
    "route__drc_errors",
    "design__critical_disconnected_pin__count",
    "design__lvs_error__count",
    "design__power_grid_violation__count",
    "design__equivalence_unproven__count",
    "antenna__violating__nets",
    "antenna__violating__pins",
    "klayout__drc_error__count",
)


@pytest.mark.parametrize(
    ("name", "settings", "cells"),
    [("spm", CLOCKED, 200), ("uart_tx", CLOCKED, 80), ("adder", {}, 20)],
)
def test_design_comes_out_clean(
    name: str,
    *,
    settings: dict[str, object],
    cells: int,
    pdk: Pdk,
    design: Callable[..., Path],
    librelane: Callable[..., Run],
) -> None:
    run = librelane(design(name, **settings), pdk)
    assert run.code == 0, run.output
    metrics = run.metrics
    assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert metrics["design__instance__count__stdcell"] >= cells
    assert metrics["route__wirelength"] > 5 * cells
    assert metrics["route__vias"] > 2 * cells
    assert 0.2 < metrics["design__instance__utilization"] < 0.8
    assert metrics["design__core__area"] < metrics["design__die__area"]
    assert run.view("gds").stat().st_size > 10_000
    assert "Traceback" not in run.output
    shown = re.findall(r"Global placement, round \d+: half-perimeter wire length \d+ um\.", run.output)
    assert shown or cells < 200


def test_counter_is_clean_and_says_what_it_does(counter: Run) -> None:
    assert counter.code == 0, counter.output
    assert {key: counter.metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert "Routing pass 1:" in counter.output
    assert "Layout against netlist: 0 opens, 0 shorts" in counter.output
    assert "RTL against netlist: 8 signals proven, 0 not" in counter.output
    assert (counter.step("express-drc") / "drc.klayout.lyrdb").exists()
    for picture in ("placement", "clock_tree", "congestion", "violations"):
        assert counter.view(f"express_{picture}").read_bytes().startswith(b"\x89PNG")
    report = (counter.step("misc-reportmanufacturability") / "manufacturability.rpt").read_text()
    assert report.count("Passed ✅") == 3, report


def test_same_input_gives_the_same_bytes(pdk: Pdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDS and all else do not depend on the day, the directory and the number of threads."""
    design = {"top": "uart_tx", "verilog": (DESIGNS / "uart_tx.v").read_text(), "settings": CLOCKED}
    building = {}
    for threads in ("1", "2"):
        monkeypatch.setenv("EXPRESS_THREADS", threads)
        building[threads] = drive(pdk, tmp_path / threads, [design])
    files = {}
    for threads, process in building.items():
        found = results(process)["uart_tx"]
        assert "refused" not in found, found
        files[threads] = {
            name: max((tmp_path / threads).glob(f"uart_tx/*/uart_tx.{name}")).read_bytes()
            for name in ("gds", "def", "lef", "nl.v", "pnl.v")
        }
    assert gds_dates(files["1"]["gds"]) == {(70, 1, 1, 0, 0, 0)}
    assert files["1"] == files["2"]


def gds_dates(data: bytes) -> set[tuple[int, ...]]:
    """All dates in a GDS file."""
    dates, at = set(), 0
    while at + 4 < len(data) and (length := int.from_bytes(data[at : at + 2], "big")):
        if data[at + 2] in (1, 5):
            dates |= {struct.unpack(">6h", data[at + 4 + k : at + 16 + k]) for k in (0, 12)}
        at += length
    return dates


def test_careless_design_is_built(design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk) -> None:
    """A latch, a constant, wires straight through, two ports on one net, no clock."""
    run = librelane(design("corners", LINTER_ERROR_ON_LATCH=False), sky130)
    assert run.code == 0, run.output
    assert {key: run.metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)


def test_wrong_clock_is_refused_in_one_sentence(
    design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk
) -> None:
    run = librelane(design("counter", CLOCK_PORT="clock"), sky130)
    assert run.code != 0
    assert "CLOCK_PORT names 'clock', which is no input of 'counter' (inputs: clk, rst)." in run.output
    assert "Traceback" not in run.output


def test_die_that_is_too_small_is_refused(
    design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk
) -> None:
    run = librelane(design("counter", **CLOCKED, FP_SIZING="absolute", DIE_AREA=[0, 0, 15, 12]), sky130)
    assert run.code != 0
    assert re.search(r"DIE_AREA holds \d+ um2 in whole rows, but the cells need \d+ um2", run.output)
    assert "Traceback" not in run.output


def test_ports_stand_where_the_pin_order_file_wants_them(
    design: Callable[..., Path], librelane: Callable[..., Run], pdk: Pdk
) -> None:
    directory = design("counter", **CLOCKED, IO_PIN_ORDER_CFG="dir::order.cfg", ERRORS_ON_UNMATCHED_IO="both")
    (directory / "order.cfg").write_text("#W\nclk\n$2\nrst\n#NR\ncount.*\n")
    run = librelane(directory, pdk)
    assert run.code == 0, run.output
    assert {key: run.metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    text = run.view("def").read_text()
    pins = dict(re.findall(r"^- (\S+) \+ NET .*PLACED \( (\d+ \d+) \)", text, re.M))
    place = {name: tuple(int(v) for v in at.split()) for name, at in pins.items()}
    assert place["clk"][0] == place["rst"][0] == 0
    assert place["clk"][1] < place["rst"][1]
    count = [place[f"count[{k}]"] for k in range(sum(name.startswith("count") for name in place))]
    assert len({y for _, y in count}) == 1
    assert count == sorted(count, reverse=True)
