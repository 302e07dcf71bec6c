"""The recorded Classic run, 74 steps and 2 MB of console, played 20 times as fast in front of the widget."""

from __future__ import annotations

import json
import lzma
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import DOUBLE
from tests.recorded import classic
from tests.recorded.record import from_archive, pack

from .cells import open_cells, run
from .conftest import COUNTER, Lab, running_lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "shared"), pytest.mark.timeout(180)]

SPEED = os.environ.get("A6HUB_REPLAY_SPEED", "20")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "classic.json.xz"
    pack(from_archive(classic.RUN), path)
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> Iterator[Lab]:
    """A JupyterLab whose LibreLane is the recording."""
    environment = {
        **classic.surroundings(tmp_path_factory.mktemp("classic")),
        "LIBRELANE_PATH": str(DOUBLE.parent / "replay"),
        "A6HUB_PYTHON": sys.executable,
    }
    with running_lab(tmp_path_factory, environment, max_running=1) as running:
        orders = {"recording": str(recording), "speed": float(SPEED)}
        (running.work / "replay.json").write_text(json.dumps(orders))
        yield running


def begin(lab: Lab) -> dict[str, Any]:
    (lab.work / "spm.v").write_text(COUNTER.replace("counter", "spm"))
    config = {"DESIGN_NAME": "spm", "VERILOG_FILES": ["dir::spm.v"], "CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}
    request = {"design_dir": str(lab.work), "name": "spm", "config": config, "flow": "Classic", "pdk": classic.PDK}
    build: dict[str, Any] = lab.api("builds", {**request, "toolchain": "path"})
    return build


def shown_lines(widget: Locator) -> list[str]:
    """What the log shows, from its first line to its last, read as a reader does: by scrolling."""
    script = """async node => {
      const lines = new Map();
      for (let top = 0; ; top += node.clientHeight / 2) {
        node.scrollTop = top;
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        for (const row of node.querySelectorAll(".row")) lines.set(Number(row.dataset.line), row.textContent);
        if (top > node.scrollHeight) break;
      }
      return [...lines].sort(([a], [b]) => a - b).map(([, text]) => text);
    }"""
    lines: list[str] = widget.locator(".log-scroll").evaluate(script)
    return lines


def test_the_widget_follows_and_shows_what_a_terminal_would(page: Page, lab: Lab, recording: Path) -> None:
    open_cells(page, lab, "import a6hub_jupyter as a6hub; a6hub.builds()", "a6hub.builds()[0]", name="classic.ipynb")
    expect(run(page, 0).locator(".jp-OutputArea")).to_contain_text("design", timeout=30_000)
    build = begin(lab)
    widget = run(page, 1).locator("article")
    expect(widget.locator(".progress")).not_to_have_attribute("aria-valuenow", "0", timeout=60_000)
    screenshot(page, "classic-running")
    expect(widget).to_contain_text("Succeeded", timeout=120_000)
    widget.scroll_into_view_if_needed()
    screenshot(page, "classic-succeeded")
    steps = json.loads(lzma.decompress(recording.read_bytes()))["steps"]
    told = [s for s in lab.api(f"builds/{build['id']}")["steps"] if s["state"] == "done"]
    assert len(told) == len(steps) == 74
    # all of it, on lines of its own: what a bar overwrote and the addresses of links are gone
    search = widget.get_by_label("Search the log")
    search.fill("Detailed Routing")
    expect(widget.locator(".found-count")).to_contain_text(" of ")
    screenshot(page, "classic-search")
    search.fill("")
    for phase in widget.locator("button.phase").all():
        phase.click()
    assert widget.locator(".steps-list [data-id]").count() == len(lab.api(f"builds/{build['id']}")["steps"])
    widget.get_by_label("Which lines").select_option("warning")
    screenshot(page, "classic-warnings")
    widget.get_by_label("Which lines").select_option("all")
    expect(widget.locator(".log-size")).not_to_contain_text(" of ")  # no longer so many of them
    size = widget.locator(".log-size").inner_text()
    count = int(re.sub(r"\D", "", size))
    lines = shown_lines(widget)
    assert len(lines) == count
    text = "\n".join(lines)
    assert "]8;" not in text
    assert "file:///" not in text
    assert "\x1b" not in text
    assert "\r" not in text
    bars = [line for line in lines if "Stage" in line]
    assert len(bars) == 1, bars  # as it stood at the end
    # where a link had been stands its text, or nothing where it named the place in LibreLane's code
    assert any(line.endswith("Starting a new run of the 'Classic' flow with the tag 'full'.") for line in lines)
    screenshot(page, "classic-log")


def test_a_build_that_waits_says_where_and_why(page: Page, lab: Lab) -> None:
    open_cells(page, lab, "import a6hub_jupyter as a6hub; a6hub.builds()", "a6hub.builds()[0]", name="queued.ipynb")
    expect(run(page, 0).locator(".jp-OutputArea")).to_contain_text("design", timeout=30_000)
    first, second = begin(lab), begin(lab)
    widget = run(page, 1).locator("article")
    expect(widget.locator(".reason")).to_have_text(re.compile(r"Number 1 in the queue\. \w.*"), timeout=30_000)
    screenshot(page, "classic-queued")
    expect(widget).to_contain_text("Succeeded", timeout=60_000)
    assert lab.api(f"builds/{first['id']}")["finished"] <= lab.api(f"builds/{second['id']}")["started"]
