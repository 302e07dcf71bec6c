"""Other people's tools and decks: our design-rule check against the foundry's, and what the flow does with them.

No package ships a deck: name one for sky130A (`sky130A_mr.drc`) in A6HUB_SKY130_DECK.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flow.conftest import Pdk, Run
from tests.flow.faults import FaultMaker
from tests.flow.test_design_rules import broken, technology

DECK = os.environ.get("A6HUB_SKY130_DECK", "")
PLACE = 120_000
COLUMNS = 16


with_deck = pytest.mark.skipif(
    not (DECK and shutil.which("klayout")), reason="needs the KLayout program, and a deck in A6HUB_SKY130_DECK"
)


@with_deck
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


@with_deck
def test_deck_runs_in_the_flow(design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk) -> None:
    run = librelane(design("counter", CLOCK_PORT="clk", CLOCK_PERIOD=10, KLAYOUT_DRC_RUNSET=DECK), sky130)
    assert run.code == 0, run.output
    assert run.metrics["klayout__drc_error__count"] == 0
    assert (run.step("klayout-drc") / "reports" / "drc.klayout.lyrdb").is_file()


@pytest.mark.needs("express")
@pytest.mark.parametrize("said", ["undefined method `size_inside' for DRCEngine(...):DRC::DRCEngine", "no such file"])
def test_a_klayout_that_is_too_old_for_the_deck_is_left_out(
    said: str,
    design: Callable[..., Path],
    librelane: Callable[..., Run],
    sky130: Pdk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only when it says that it does not know a command: any other failure of the deck ends the flow."""
    program, deck = tmp_path / "klayout", tmp_path / "deck.drc"
    program.write_text(f'#!/bin/sh\necho "ERROR: {said}" | sed "s/^/ /"\nexit 1\n'.replace("`", "\\`"))
    program.chmod(0o755)
    deck.write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    run = librelane(design("counter", CLOCK_PORT="clk", CLOCK_PERIOD=10, KLAYOUT_DRC_RUNSET=str(deck)), sky130)
    told = f"KLayout.DRC is left out: {program} is too old for {deck}, which uses 'size_inside'."
    assert (told in " ".join(run.output.split())) == ("size_inside" in said)
    assert (run.code == 0) == ("size_inside" in said), run.output


@pytest.mark.needs("express")
def test_what_is_not_there_is_left_out_with_a_sentence(counter: Run) -> None:
    program = r"there is no \S+.* on PATH"
    for step, variable in (
        ("KLayout.DRC", "KLAYOUT_DRC_RUNSET"),
        ("Magic.DRC", "MAGICRC"),
        ("Magic.SpiceExtraction", "MAGICRC"),
        ("Netgen.LVS", "NETGEN_SETUP"),
    ):
        said = rf"{step} is left out: ({program}|{variable} is not set: the PDK sky130A comes without that file)\."
        assert re.search(said, counter.output), step


@pytest.mark.needs("express")
def test_gates_by_program_version_and_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from librelane.state import State

    from a6hub_jupyter.express.steps.signoff import KLayoutDRC, MagicDRC

    def lacking(step: Any, **config: object) -> str | None:
        made = step.__new__(step)
        made.config = {"PDK": "pdk", "MAGICRC": None, "MAGIC_TECH": None, "KLAYOUT_DRC_RUNSET": None, **config}
        found: str | None = made.lacking(State())
        return found

    monkeypatch.setenv("PATH", str(tmp_path))
    assert lacking(KLayoutDRC) == "there is no klayout on PATH"
    for name in ("klayout", "magic"):
        (tmp_path / name).write_text("#!/bin/sh\necho 8.3.105\n")
        (tmp_path / name).chmod(0o755)
    assert lacking(KLayoutDRC) == "KLAYOUT_DRC_RUNSET is not set: the PDK pdk comes without that file"
    gone = str(tmp_path / "gone.drc")
    assert lacking(KLayoutDRC, KLAYOUT_DRC_RUNSET=gone) == f"KLAYOUT_DRC_RUNSET names {gone}, which is not there"
    (tmp_path / "deck.drc").write_text("")
    assert lacking(KLayoutDRC, KLAYOUT_DRC_RUNSET=str(tmp_path / "deck.drc")) is None
    files = {"MAGICRC": str(tmp_path / "deck.drc"), "MAGIC_TECH": str(tmp_path / "deck.drc")}
    assert "magic is version 8.3.105, and LibreLane needs 8.3.411" in str(lacking(MagicDRC, **files))
    (tmp_path / "magic").write_text("#!/bin/sh\necho 8.3.520\n")
    assert lacking(MagicDRC, **files) is None
