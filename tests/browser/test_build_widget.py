"""The build widget in a real JupyterLab, through what happens in the minutes in which a chip is made."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from .cells import attach, between_cells, command, drawn, open_cells, run
from .conftest import Lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]


def streams(page: Page) -> list[WebSocket]:
    """Return the list that the page's connections to streams of builds will be in."""
    opened: list[WebSocket] = []
    page.on("websocket", lambda socket: opened.append(socket) if "/stream" in socket.url else None)
    return opened


@pytest.mark.usefixtures(
    "built"
)  # the first build of a checkout compiles the router, which is not to be waited for here
def test_with_a_busy_kernel_two_widgets_follow_over_one_connection(page: Page, lab: Lab, start: Any) -> None:
    build = start()
    opened = streams(page)
    with lab.paused(build["id"]):
        open_cells(page, lab, attach(build), attach(build), "import time; time.sleep(300)")
        first, second = run(page, 0), run(page, 1)
        for cell in (first, second):
            expect(cell.locator("article")).to_contain_text("Live")
        run(page, 2)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]").first).to_be_attached()
    assert len(opened) == 1
    for cell in (first, second):
        expect(cell.locator("article")).to_contain_text("Succeeded")
        expect(cell.locator(".toast")).to_contain_text("counter: succeeded after")
        expect(cell.locator("article")).to_contain_text("LVS")
        assert cell.locator(".strip button").count() > 2
    first.scroll_into_view_if_needed()
    screenshot(page, "widget-succeeded")
    # the log is searched in the page
    first.locator("input[aria-label='Search the log']").fill("synthesis")
    expect(first.locator(".found-count")).to_contain_text(" of ")
    expect(first.locator(".row.current")).to_be_visible()
    # the text for a terminal makes the same chip again, in a shell that knows nothing of the server
    text = lab.api(f"builds/{build['id']}")["command"]["shell"]
    assert f"{build['id']}-again" in text
    plain = {"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-c", text], env=plain, capture_output=True, timeout=100, check=True)
    made = lab.work / "runs" / f"{build['id']}-again" / "final" / "gds" / "counter.gds"
    assert made.stat().st_size == (lab.work / "runs" / build["id"] / "final" / "gds" / "counter.gds").stat().st_size


def test_while_a_cell_waits_for_it_a_build_is_live_and_can_be_cancelled(page: Page, lab: Lab, start: Any) -> None:
    """All in one cell, with a kernel that reads no comm before the cell has ended: "Run all" in an older JupyterLab."""
    build = start()
    waiting = f"import a6hub_jupyter as a6hub\nbuild = a6hub.build({build['id']!r})\ndisplay(build)\nbuild.wait()"
    with between_cells(lab):
        with lab.paused(build["id"]):
            open_cells(page, lab, waiting, name="waiting.ipynb")
            cell = run(page, 0)
            widget = cell.locator("article").first  # wait() returns the build, which the cell then shows once more
            expect(widget).to_contain_text("Live")
        expect(widget.locator(".steps-list")).to_contain_text("Synthesis")
        expect(widget.locator("[data-state=done]").first).to_be_attached()  # from there it can be resumed
        expect(cell.locator(".jp-InputArea-prompt")).to_have_text("[*]:")
        widget.get_by_role("button", name="Cancel").click()
        expect(widget.locator(".state").first).to_have_text("Cancelled")
        expect(widget.locator("button.resume")).to_be_visible()
        expect(widget.locator(".toast")).to_contain_text("counter: cancelled after")
        expect(cell.locator(".jp-InputArea-prompt")).not_to_have_text("[*]:")
    screenshot(page, "widget-cancelled")
    assert lab.api(f"builds/{build['id']}")["state"] == "cancelled"


def test_what_is_not_there_or_not_known_is_a_sentence_or_nothing(page: Page, lab: Lab, built: Any) -> None:
    """An id that no build has; then a server of another version: events that we do not know, fields left out."""
    absent = "from a6hub_jupyter.widgets.build import BuildWidget\nBuildWidget(build_id='20200101-000000-none-abcdef')"
    told: list[str] = []

    def connect(route: WebSocketRoute) -> None:
        def pass_on(text: str | bytes) -> None:
            message = json.loads(text)
            told.append(message["type"])
            if message["type"] == "status":
                for name in ("queue_reason", "eta_seconds", "command", "toolchain_reason", "pdk_note"):
                    message["data"].pop(name, None)
            route.send(json.dumps({**message, "type": "prophecy", "data": {"of": ["what", "is", "to", "come"]}}))
            route.send(json.dumps({**message, "new_in_a_later_version": 1}))

        server = route.connect_to_server()
        server.on_message(pass_on)

    page.route_web_socket(re.compile("/stream"), connect)
    open_cells(page, lab, absent, attach(built), name="strange.ipynb")
    absent_one = run(page, 0).locator("article")
    sentence = "The server knows no build with this id; it may have been deleted."
    expect(absent_one.locator(".notice").first).to_have_text(sentence)
    assert absent_one.inner_text().strip() == sentence  # and no blank area
    assert absent_one.evaluate("node => node.offsetHeight") < 100
    cell = run(page, 1)
    expect(cell.locator("article")).to_contain_text("Succeeded")
    expect(cell.locator(".steps-list")).to_contain_text("Synthesis")
    expect(cell.locator(".log-size")).to_have_text(re.compile(r"^[\d\u202f]+ lines$"))
    expect(cell).not_to_contain_text("prophecy")
    assert "status" in told


def test_after_a_reload_a_saved_notebook_goes_on(page: Page, lab: Lab, start: Any) -> None:
    build = start()
    with lab.paused(build["id"]):
        open_cells(page, lab, attach(build), name="reload.ipynb")
        widget = run(page, 0).locator("article")
        expect(widget).to_contain_text("Live")
        command(page, "docmanager:save")
    assert build["id"] in (lab.work / "reload.ipynb").read_text().split('"outputs"', 1)[1]
    page.reload()
    widget = page.locator(".jp-CodeCell").first.locator("article")
    expect(widget).to_contain_text("Succeeded")
    expect(widget.locator(".row").first).to_be_visible()


def test_offline_for_a_while_it_says_so_and_misses_nothing(page: Page, lab: Lab, start: Any, watch: Any) -> None:
    # The page's own sockets stay open when Chromium plays offline, so this one is led through us and cut.
    routes: list[WebSocketRoute] = []

    def connect(route: WebSocketRoute) -> None:
        if offline:
            route.close(code=4000)
            return
        routes.append(route)
        route.connect_to_server()

    offline = False
    page.route_web_socket(re.compile("/stream"), connect)
    build = start()
    with lab.paused(build["id"]):
        open_cells(page, lab, attach(build), name="offline.ipynb")
        widget = run(page, 0).locator("article")
        expect(widget).to_contain_text("Live")
        offline = True
        page.context.set_offline(True)
        routes[0].close(code=4000)
        expect(widget).to_contain_text("Reconnecting")
    screenshot(page, "widget-reconnecting")
    page.wait_for_timeout(20_000)
    offline = False
    page.context.set_offline(False)
    expect(widget).to_contain_text("Succeeded")
    size = lab.api(f"builds/{build['id']}")["log_size"]
    assert size > 0
    expect(widget.locator(".log-size")).to_have_text(re.compile(r"^[\d\u202f]+ lines$"))
    watch.errors.clear()  # the browser and JupyterLab report each request that found no network


def test_scrolled_away_and_back_the_log_is_where_it_was(page: Page, lab: Lab, built: Any) -> None:
    filler = "print('\\n' * 40)"
    open_cells(page, lab, attach(built), *[filler] * 30, name="scroll.ipynb")
    first = run(page, 0)
    widget = first.locator("article")
    expect(widget).to_contain_text("Succeeded")
    log = widget.locator(".log-scroll")
    log.scroll_into_view_if_needed()
    log.evaluate("node => { node.scrollTop = 1800 }")
    expect(widget.locator(".row[data-line='105']")).to_be_visible()
    page.locator(".jp-WindowedPanel-outer").first.evaluate("node => { node.scrollTop = node.scrollHeight }")
    expect(widget).not_to_be_in_viewport()
    drawn(page)
    page.locator(".jp-WindowedPanel-outer").first.evaluate("node => { node.scrollTop = 0 }")
    log.scroll_into_view_if_needed()
    expect(widget.locator(".row[data-line='105']")).to_be_visible()
    assert log.evaluate("node => node.scrollTop") == 1800
