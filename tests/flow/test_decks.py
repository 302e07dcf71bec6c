"""The design-rule check against the foundry's deck, where a KLayout program and the deck are at hand.

No package ships a deck: name one for sky130A (`sky130A_mr.drc`) in A6HUB_SKY130_DECK.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.flow.conftest import Pdk
from tests.flow.faults import FaultMaker
from tests.flow.test_design_rules import broken, technology

DECK = os.environ.get("A6HUB_SKY130_DECK", "")
PLACE = 120_000
COLUMNS = 16


@pytest.mark.skipif(
    not (DECK and shutil.which("klayout")), reason="needs the KLayout program, and a deck in A6HUB_SKY130_DECK"
)
def test_deck_and_check_find_the_same_faults(sky130: Pdk, tmp_path: Path) -> None:
    import klayout.db as kdb

    from a6hub_jupyter.express.sky130.settings import STREAM

    lef = technology(sky130)
    maker = FaultMaker(lef, "li1")
    faults = list(maker.faults())
    layout = kdb.Layout()
    top = layout.create_cell("top")
    for number, fault in enumerate(faults):
        for layer, box in fault.shapes:
            gds = STREAM[layer]
            moved = kdb.Box(*box).moved(number % COLUMNS * PLACE, number // COLUMNS * PLACE)
            top.shapes(layout.layer(gds.number, gds.drawing)).insert(moved)
    layout.write(str(tmp_path / "faults.gds"))
    settings = {"input": "faults.gds", "report": "faults.lyrdb", "top_cell": "top", "beol": "true", "offgrid": "true"}
    options = [word for name, value in settings.items() for word in ("-rd", f"{name}={value}")]
    done = subprocess.run(
        ["klayout", "-b", *options, "-r", DECK],
        cwd=tmp_path,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    by_deck = _found_by_deck(tmp_path / "faults.lyrdb")
    differing = {}
    for number, fault in enumerate(faults):
        ours = broken(lef, maker.stack, fault)
        if bool(ours) != bool(by_deck.get(number)):
            differing[fault.name] = (ours, by_deck.get(number))
    assert not differing, "\n".join(f"{name}: ours {a}, deck {b}" for name, (a, b) in differing.items())
    assert sum(map(bool, by_deck.values())) > 40


def _found_by_deck(report: Path) -> dict[int, set[str]]:
    """Rules by the number of the fault that lies there."""
    from klayout import rdb

    database = rdb.ReportDatabase("deck")
    database.load(str(report))
    found: dict[int, set[str]] = defaultdict(set)
    for item in database.each_item():
        numbers = [float(n) for v in item.each_value() for n in re.findall(r"-?\d+\.?\d*(?=[,;)/|])", v.to_s())]
        x, y = numbers[0] * 1000, numbers[1] * 1000
        number = round((x - 5000) / PLACE) + round((y - 5000) / PLACE) * COLUMNS
        found[number].add(database.category_by_id(item.category_id()).name())
    return found
