"""The recorded Classic run, 74 steps and 2 MB of console, played 20 times as fast in front of the widget.

In the same JupyterLab, whose LibreLane is a recording: a log of 200 000 lines, and an image that takes long to pull.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from a6hub_jupyter import express
from tests.conftest import DOUBLE, ROOT
from tests.recorded import classic
from tests.recorded.record import from_archive, pack

from .cells import attach, drawn, open_cells, run
from .conftest import COUNTER, Lab, running_lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "shared"), pytest.mark.timeout(600)]

ENGINE = ROOT / "tests" / "toolchains" / "engine"
SPEED = os.environ.get("A6HUB_REPLAY_SPEED", "20")
# The run took 50 s where it was recorded; ms.
TWO_RUNS = 60_000 + 2 * 50_000 / float(SPEED)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "classic.json.xz"
    pack(from_archive(classic.RUN), path)
    return path


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a stand-in for a container engine."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, recording: Path, engine: Path) -> Iterator[Lab]:
    """A JupyterLab whose LibreLane is the recording, and whose container engine a stand-in."""
    environment = {
        **classic.surroundings(tmp_path_factory.mktemp("classic")),
        "LIBRELANE_PATH": str(DOUBLE.parent / "replay"),
        "A6HUB_PYTHON": sys.executable,
        "A6HUB_TEST_ENGINE": str(engine),
    }
    with running_lab(tmp_path_factory, environment, max_running=1, container_engine=str(ENGINE)) as running:
        order(running.work, recording, float(SPEED))
        yield running


def order(directory: Path, recording: Path, speed: float) -> None:
    """Have builds in a directory play a recording."""
    (directory / "replay.json").write_text(json.dumps({"recording": str(recording), "speed": speed}))


def directory_in(lab: Lab) -> Path:
    """Make a directory for one build, new each time: a test may run again."""
    return Path(tempfile.mkdtemp(dir=lab.work))


def begin(lab: Lab, directory: Path | None = None, **more: str) -> dict[str, Any]:
    design_dir = directory or lab.work
    (design_dir / "spm.v").write_text(COUNTER.replace("counter", "spm"))
    config = {"DESIGN_NAME": "spm", "VERILOG_FILES": ["dir::spm.v"], "CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}
    request = {"design_dir": str(design_dir), "name": "spm", "config": config, "flow": "Classic", "pdk": classic.PDK}
    build: dict[str, Any] = lab.api("builds", {**request, "toolchain": "path", **more})
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
    expect(run(page, 0).locator(".jp-OutputArea")).to_contain_text("design")
    build = begin(lab)
    widget = run(page, 1).locator("article")
    expect(widget.locator(".progress")).not_to_have_attribute("aria-valuenow", "0")
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


def test_a_build_that_waits_says_where_and_why(page: Page, lab: Lab, recording: Path) -> None:
    slow = directory_in(lab)
    order(slow, recording, min(8, float(SPEED)))  # it is there for as long as it takes to look at the next one
    open_cells(page, lab, "import a6hub_jupyter as a6hub; a6hub.builds()", "a6hub.builds()[0]", name="queued.ipynb")
    expect(run(page, 0).locator(".jp-OutputArea")).to_contain_text("design")
    first, second = begin(lab, slow), begin(lab)
    widget = run(page, 1).locator("article")
    expect(widget.locator(".reason")).to_have_text(re.compile(r"Number 1 in the queue\. \w.*"))
    screenshot(page, "classic-queued")
    expect(widget).to_contain_text("Succeeded", timeout=TWO_RUNS)
    assert lab.api(f"builds/{first['id']}")["finished"] <= lab.api(f"builds/{second['id']}")["started"]


def heap(page: Page) -> float:
    """Bytes of live objects in the page, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["JSHeapUsedSize"]) / 1e6


def test_a_log_of_200_000_lines_is_opened_searched_and_held(page: Page, lab: Lab, tmp_path: Path) -> None:
    """What it took is printed."""
    lines = [f"[INFO DRT-{n % 1000:04}] Completing {n % 100}% with {n} violations, n{n}.\n" for n in range(200_000)]
    console = [[n / 1e5, "".join(lines[n : n + 500])] for n in range(0, len(lines), 500)]
    long = tmp_path / "long.json.xz"
    long.write_bytes(lzma.compress(json.dumps({"console": console, "steps": []}).encode(), preset=0))
    directory = directory_in(lab)
    order(directory, long, 100)
    build = begin(lab, directory)
    lab.until(build["id"], "succeeded", "failed")
    open_cells(page, lab, "import a6hub_jupyter as a6hub; a6hub.builds()", attach(build), name="long.ipynb")
    expect(run(page, 0).locator(".jp-OutputArea")).to_contain_text("design")
    before = heap(page)
    page.evaluate(
        """() => {
          const cell = document.querySelectorAll(".jp-CodeCell")[1];
          const look = () => {
            const root = cell.querySelector(".jp-OutputArea [data-lm-suppress-shortcuts]")?.shadowRoot;
            if (root && !window.appeared) window.appeared = performance.now();
            const ready = root?.querySelector(".row:last-of-type");
            if (ready) window.opened = performance.now() - window.appeared;
            else requestAnimationFrame(look);
          };
          look();
        }"""
    )
    widget = run(page, 1).locator("article")
    expect(widget.locator(".row").last).to_be_visible()
    opened = page.evaluate("() => window.opened")
    # all of it comes once it is looked for
    widget.locator(".log-scroll").evaluate("node => { node.scrollTop = 0 }")
    load = widget.get_by_role("button", name=re.compile("earlier"))
    while load.count() and load.is_visible():
        load.click()
        drawn(page)
    expect(widget.locator(".log-size")).to_have_text(re.compile("^200\u202f0"))
    search = widget.get_by_label("Search the log")
    took = []
    for text, found in (("n123456.", "1 of 1"), ("100 violations", " of ")):
        begun = time.perf_counter()
        search.fill(text)
        expect(widget.locator(".found-count")).to_contain_text(found)
        took.append(time.perf_counter() - begun)
    held = heap(page) - before
    print(f"200 000 lines: {opened:.0f} ms, {held:.1f} MB, searches {[round(1000 * each) for each in took]} ms")
    screenshot(page, "long-log")
    assert held < 30


def test_the_pull_of_an_image_is_a_step_that_says_how_far_it_is(page: Page, lab: Lab, engine: Path) -> None:
    inside = express.environment(sys.executable, {"PATH": os.environ["PATH"]})
    (engine / "image.json").write_text(json.dumps({**inside, "HOME": os.environ["HOME"]}))
    (engine / "pulled").unlink(missing_ok=True)
    held = engine / "held"
    held.touch()
    daemon = subprocess.Popen([sys.executable, str(ENGINE), "daemon", str(engine)])
    try:
        build = begin(lab, toolchain="container", to_step="Verilator.Lint")
        open_cells(page, lab, attach(build), name="pull.ipynb")
        widget = run(page, 0).locator("article")
        step = widget.locator("[data-id='Container.Pull']")
        expect(step).to_be_visible()
        expect(step).to_contain_text("Pull LibreLane's image")
        expect(widget.locator(".row", has_text="1 of 2 layers are here")).to_be_visible()
        screenshot(page, "pull-running")
        held.unlink()
        expect(widget.locator(".state").first).not_to_have_text("Running")
        screenshot(page, "pull-ended")
        expect(widget.locator(".state").first).to_have_text("Succeeded")
    finally:
        held.unlink(missing_ok=True)
        daemon.kill()
        daemon.wait()
