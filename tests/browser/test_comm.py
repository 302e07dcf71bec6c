"""The widgets in a front end that cannot reach the server: the kernel carries all, as in VS Code and Colab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from .cells import attach, between_cells, open_cells, run
from .conftest import Lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]

# JupyterLab itself has read its configuration by then; our code finds none.
FORGET_SERVER = "document.getElementById('jupyter-config-data').remove()"


@pytest.fixture
def alone(page: Page, lab: Lab) -> Iterator[Page]:
    """A page from which nothing of ours reaches the server, and whose kernel reads comms between cells only."""
    reached: list[str] = []

    def refuse(route: Route) -> None:
        reached.append(route.request.url)
        route.abort()

    page.route(re.compile(r"/api/a6hub/|/static/a6hub_jupyter/"), refuse)
    page.on("websocket", lambda socket: reached.append(socket.url) if "/a6hub/" in socket.url else None)
    with between_cells(lab), lab.without("a6hub-jupyter"):  # which other front ends do not have
        yield page
    assert reached == []


def test_a_build_is_followed_through_the_kernel_while_a_cell_runs(alone: Page, lab: Lab, start: Any) -> None:
    build = start()
    with lab.paused(build["id"]):
        open_cells(alone, lab, attach(build), attach(build), "import time; time.sleep(8)", name="comm.ipynb")
        alone.evaluate(FORGET_SERVER)
        first = run(alone, 0).locator("article")
        expect(first).to_contain_text("Live")
        second = run(alone, 1).locator("article")
        expect(second).to_contain_text("Live")
        run(alone, 2)
    expect(first).to_contain_text("Succeeded")
    expect(second).to_contain_text("Succeeded")
    picture = first.locator(".picture img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    screenshot(alone, "comm-succeeded")
    size = lab.api(f"builds/{build['id']}")["log_size"]
    assert size > 0
    expect(first.locator(".log-size")).to_have_text(re.compile(r"^[\d\u202f]+ lines$"))


def test_a_busy_kernel_is_told_of_and_what_was_asked_for_comes_after(alone: Page, lab: Lab, start: Any) -> None:
    busy_at_once = "build = a6hub.builds()[0]\ndisplay(build)\ntime.sleep(3)"
    open_cells(
        alone,
        lab,
        "import time\nimport a6hub_jupyter as a6hub; a6hub.builds()",
        busy_at_once,
        "time.sleep(4)",
        name="asked.ipynb",
    )
    alone.evaluate(FORGET_SERVER)
    expect(run(alone, 0).locator(".jp-OutputArea")).to_contain_text("design")
    with lab.paused(start()["id"]):
        cell = run(alone, 1)
        expect(cell.locator(".jp-OutputArea")).to_contain_text("Waiting for the kernel")
        screenshot(alone, "comm-waiting")
        widget = cell.locator("article")
        expect(widget).to_contain_text("Live")
        run(alone, 2)
        widget.get_by_role("button", name="Cancel").click()
        expect(widget.locator(".connection")).to_have_text("Live, kernel busy")
        expect(widget).to_contain_text("What you asked for is done when the cell has ended.")
        screenshot(alone, "comm-busy")
    expect(widget.locator(".state").first).to_have_text("Cancelled")


def test_the_layout_and_the_files_come_through_the_kernel(alone: Page, lab: Lab, built: Any) -> None:
    build = built
    open_cells(alone, lab, attach(build), f"{attach(build)}.layout", name="files.ipynb")
    alone.evaluate(FORGET_SERVER)
    cell = run(alone, 0)
    expect(cell.locator("article")).to_contain_text("Succeeded")
    cell.get_by_role("button", name="Explore layout").click()
    expect(cell.locator(".layout-view")).to_contain_text("met1")
    with alone.expect_download() as download:
        cell.locator(".artifacts a", has_text="counter.gds").first.click()
    path = lab.work / "downloaded.gds"
    download.value.save_as(path)
    assert path.read_bytes() == next((lab.work / "runs" / build["id"] / "final" / "gds").glob("*.gds")).read_bytes()
    layout = run(alone, 1).locator(".jp-OutputArea")
    expect(layout).to_contain_text("met1")
    layout.locator("canvas").first.scroll_into_view_if_needed()
    screenshot(alone, "comm-layout")
