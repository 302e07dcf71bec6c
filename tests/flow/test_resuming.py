"""Every step of Express can be run again on its own, with the same result, and left out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flow.conftest import Pdk, Run

pytestmark = pytest.mark.needs("express")

CANNOT_BE_LEFT_OUT = {
    "Express.Floorplan": "missing required input",
    "Express.Placement": "The cells have no places yet: run Express.Placement first",
}
"""What the next step says."""


def test_each_step_alone_repeats_itself_and_can_be_skipped(counter: Run, sky130: Pdk) -> None:
    command = [sys.executable, "-m", "tests.flow.resuming", str(counter.directory), str(sky130.root), sky130.name]
    done = subprocess.run(
        [*command, sky130.library], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = [json.loads(line) for line in done.stdout.splitlines()]
    alone = [r for r in results if r["how"] == "only"]
    assert len(alone) >= 10
    for result in alone:
        assert not result["ended"], result
        assert result["differing"] == [], result
    for result in results:
        if result["how"] == "skip":
            assert result["ended"].find(CANNOT_BE_LEFT_OUT.get(result["step"], "")) >= 0, result
            assert bool(result["ended"]) == (result["step"] in CANNOT_BE_LEFT_OUT), result
            assert "Traceback" not in result["ended"]
            assert "fault of Express" not in result["ended"]
