"""The first notebook from top to bottom against a real server and the real LibreLane, with no network but loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.flow.conftest import Pdk

pytestmark = pytest.mark.needs("express")

# Brings up `lo` in a network namespace that has nothing else, then runs the script that `make demo` runs.
ALONE = """
import fcntl, runpy, socket, struct, sys
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_demo_makes_a_chip_without_a_network(sky130: Pdk, tmp_path: Path) -> None:
    assert (sky130.root / sky130.name).is_dir()
    command = [sys.executable, str(ROOT / "scripts" / "demo.py"), "--output", str(tmp_path / "demo")]
    unshare = shutil.which("unshare")
    alone = unshare is not None and subprocess.run([unshare, "-n", "true"], check=False).returncode == 0
    if alone:
        command[1:1] = ["-c", ALONE]
        command[:0] = [str(unshare), "-n"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "build succeeded, layout-versus-netlist errors: 0" in done.stdout
    notebook = json.loads((tmp_path / "demo" / "01-first-chip.ipynb").read_text())
    outputs = [o for c in notebook["cells"] for o in c.get("outputs", [])]
    assert not [o for o in outputs if o["output_type"] == "error"]
    page = (tmp_path / "demo" / "01-first-chip.html").read_text()
    assert "data:image/png;base64," in page
    assert (tmp_path / "demo" / "chip.png").stat().st_size > 10_000
    if not alone:
        pytest.skip("made a chip, but without a network namespace: the network was there")
