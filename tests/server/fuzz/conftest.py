"""One real server for all that is thrown at it; at the end it must have met no defect."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gdstk
import pytest

from ...conftest import DOUBLE
from ..conftest import COUNTER, write_script
from ..live import LiveServer, live_server
from ..test_openapi import REPORT

GOOD_CONFIG = {"DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::counter.v"], "CLOCK_PERIOD": 10}


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, pdk_root: Path) -> Iterator[LiveServer]:
    """A server with a design, a layout, a report of findings, and links that lead out."""
    directory = tmp_path_factory.mktemp("fuzz")
    design = directory / "root" / "course"
    design.mkdir(parents=True)
    (design / "counter.v").write_text(COUNTER)
    write_script(design, steps=["Verilator.Lint", "Yosys.Synthesis"], seconds=0.01)
    library = gdstk.Library("x")
    library.new_cell("top").add(gdstk.rectangle((0, 0), (1, 2), layer=68, datatype=20))
    library.write_gds(design / "chip.gds")
    (design / "broken.gds").write_bytes(b"\x00\x06\x00\x02\x02\x58 and no more")
    (design / "report.lyrdb").write_text(REPORT)
    (design / "out.gds").symlink_to("/etc/passwd")
    (design / "out").symlink_to("/etc")
    with live_server(directory, pdk_root, DOUBLE, max_running=1, max_queued=5000, build_timeout=30.0) as server:
        yield server
    text = server.log.read_text(errors="replace")  # what it has written down of all that was sent
    assert "Traceback" not in text, text[text.index("Traceback") - 2000 :][:6000]


@pytest.fixture(scope="package")
def made() -> list[str]:
    """The ids of builds that were made to be looked at."""
    return []


@pytest.fixture
def build(server: LiveServer, made: list[str]) -> str:
    """Return the id of a build that has succeeded; another one where the fuzzer has deleted the last."""
    if made and server.call("GET", f"/builds/{made[-1]}").status_code == 200:
        return made[-1]
    answer = server.call("POST", "/builds", json={"design_dir": "course", "config": GOOD_CONFIG})
    assert answer.status_code == 201, answer.text
    build_id = str(answer.json()["id"])
    for _ in range(600):
        if server.call("GET", f"/builds/{build_id}").json()["state"] == "succeeded":
            made.append(build_id)
            return build_id
        time.sleep(0.1)
    raise AssertionError(server.call("GET", f"/builds/{build_id}").text)


def body_with(**changes: Any) -> bytes:
    """Return a good request but for the changes; ``config`` is merged in."""
    config = {**GOOD_CONFIG, **changes.pop("config", {})}
    return json.dumps({"design_dir": "course", "config": config, **changes}).encode()
