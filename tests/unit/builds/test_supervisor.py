"""The supervisor closes its record, whatever goes wrong in itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from a6hub_jupyter.builds import journal
from a6hub_jupyter.builds.model import BuildRequest, new_build_id, now
from a6hub_jupyter.isolated import module_command


def request(tmp_path: Path, toolchain: str) -> BuildRequest:
    return BuildRequest(
        id=new_build_id("x"),
        created=now(),
        name="x",
        design_dir=str(tmp_path),
        config={},
        flow="Express",
        pdk="sky130A",
        scl=None,
        pdk_root=str(tmp_path),
        pdk_note=None,
        toolchain=toolchain,
        executor="local",
        steps=[],
        timeout=10,
    )


def test_a_defect_of_ours_is_a_failed_build_and_not_a_lost_one(tmp_path: Path) -> None:
    build_dir = tmp_path / "build"
    build_dir.mkdir()
    journal.write_request(build_dir, request(tmp_path, "a toolchain of a later version"), None)
    done = subprocess.run(
        module_command("a6hub_jupyter.builds.supervisor", str(build_dir)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "KeyError" in done.stderr
    result = json.loads((build_dir / journal.RESULT).read_text())
    assert result["state"] == "failed"
    assert "KeyError" in result["error"]["message"]
    assert journal.JournalReader(build_dir).read()[-1]["type"] == "complete"
