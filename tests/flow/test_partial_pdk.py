"""A PDK that lacks a file is refused, with one sentence that names it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flow.conftest import Pdk

pytestmark = pytest.mark.needs("express")

REFERENCE, TECHNOLOGY = "libs.ref/sg13g2_stdcell", "libs.tech"
FILES = (
    f"{REFERENCE}/lef/sg13g2_tech.lef",
    f"{REFERENCE}/lef/sg13g2_stdcell.lef",
    f"{REFERENCE}/lib/sg13g2_stdcell_typ_1p20V_25C.lib",
    f"{REFERENCE}/gds/sg13g2_stdcell.gds",
    f"{REFERENCE}/verilog/sg13g2_stdcell.v",
    f"{TECHNOLOGY}/klayout/tech/sg13g2.map",
    f"{TECHNOLOGY}/librelane/sg13g2_stdcell/tracks.info",
    f"{TECHNOLOGY}/librelane/config.tcl",
    f"{TECHNOLOGY}/librelane/sg13g2_stdcell/config.tcl",
)


def test_missing_file_is_named(ihp: Pdk, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.flow.partial_pdks", str(ihp.root), str(tmp_path), *FILES]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {line["file"]: line["errors"] for line in lines}
    assert set(found) == set(FILES)
    for file, errors in found.items():
        assert len(errors) == 1, (file, errors)
        assert file in errors[0]
