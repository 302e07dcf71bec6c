"""A notebook that was saved and is opened again, without the kernel that made it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .cells import attach, command, open_cells, run
from .conftest import Lab, Watch, screenshot, until_drawn

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]


def save(page: Page, lab: Lab, name: str, text: str) -> None:
    """Save the notebook, and wait until the file has ``text`` among its outputs."""
    command(page, "docmanager:save")
    deadline = time.monotonic() + 15
    while text not in (lab.work / name).read_text().split('"outputs"', 1)[1]:
        assert time.monotonic() < deadline, "the notebook was not saved"
        time.sleep(0.1)


def test_a_saved_build_and_its_layout_are_there_without_their_kernel_and_without_jupyter(
    page: Page, browser: Browser, lab: Lab, start: Any, watch: Watch
) -> None:
    """One notebook, saved; then seen without its kernel, as a page of nbconvert, and by who does not trust it."""
    build = start()
    lab.until(build["id"], "succeeded")
    layout_cell = f"{attach(build).replace('a6hub.build', 'view = a6hub.build')}.layout; view"
    open_cells(page, lab, attach(build), layout_cell, "view.goto(8, 8, 4)", name="saved.ipynb")
    widget = page.locator(".jp-CodeCell").first.locator("article")
    layout = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea")
    run(page, 0)
    expect(widget).to_contain_text("Succeeded")
    run(page, 1)
    expect(layout.locator(".layout")).to_contain_text("met1")
    save(page, lab, "saved.ipynb", "vnd.a6hub.layout+json")

    # the page is read again while the kernel lives: the layout is the kernel's, and Python moves it
    page.reload()
    expect(layout.locator(".layout")).to_contain_text("met1")
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first).to_be_attached()
    before = layout.locator(".length").inner_text()
    run(page, 2)
    expect(layout.locator(".length")).not_to_have_text(before)
    expect(layout.locator(".layout")).to_have_count(1)
    page.goto("about:blank")
    lab.end_kernels()  # as if the server had been started again

    page.goto(lab.page_url("saved.ipynb"))
    expect(widget).to_contain_text("Succeeded")
    expect(widget.locator(".picture img")).to_be_visible()
    screenshot(page, "saved-without-kernel")
    expect(layout.locator(".layout")).to_contain_text("met1")
    expect(layout).not_to_contain_text("model not found")
    layout.scroll_into_view_if_needed()
    until_drawn(layout.locator("canvas").first)
    screenshot(page, "saved-layout-without-kernel")

    page.goto(lab.page_url("saved.ipynb", "notebooks"))
    expect(layout.locator(".layout")).to_contain_text("met1")
    expect(widget).to_contain_text("Succeeded")
    watch.errors[:] = [e for e in watch.errors if "a6hub" in e]  # Notebook 7 has two of its own at each start

    # nobody has signed this copy: Lab shows it cleaned, and runs nothing of it
    notebook = json.loads((lab.work / "saved.ipynb").read_text())
    notebook["cells"][0]["source"] = "'copied'"
    (lab.work / "copied.ipynb").write_text(json.dumps(notebook))
    page.goto(lab.page_url("copied.ipynb"))
    output = page.locator(".jp-CodeCell").first.locator(".jp-OutputArea")
    check_static(output)
    expect(output.locator("article")).to_have_count(0)
    screenshot(page, "saved-untrusted")
    picture_of(layout, build["id"])
    layout.scroll_into_view_if_needed()
    screenshot(page, "saved-layout-untrusted")

    file = lab.work / "saved.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(lab.work / "saved.ipynb")]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    plain = context.new_page()
    plain.goto(file.as_uri(), wait_until="domcontentloaded")
    check_static(plain.locator(".jp-CodeCell").first)
    plain.locator("body").evaluate("() => scrollTo(0, 0)")
    screenshot(plain, "saved-nbconvert")
    frame = plain.frame_locator("iframe[title=Layout]")
    expect(frame.locator(".layout")).to_contain_text("met1")
    plain.locator("iframe[title=Layout]").scroll_into_view_if_needed()
    until_drawn(frame.locator("canvas").first)
    screenshot(plain, "saved-layout-nbconvert")
    context.close()

    # the record is deleted: one sentence in its place
    lab.jupyter(f"a6hub/builds/{build['id']}", "DELETE")
    page.goto(lab.page_url("saved.ipynb"))
    expect(widget).to_contain_text("The server knows no build with this id")
    screenshot(page, "saved-deleted")
    expect(layout).to_contain_text(f"There is no build '{build['id']}'")


def picture_of(place: Locator, alternative: str) -> None:
    """A picture is there, and can be seen."""
    picture = place.locator(f"img[alt='{alternative}']")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100


def check_static(place: Locator) -> None:
    """State, figures, picture, step times and the end of the log are there, and can be seen."""
    expect(place).to_contain_text("succeeded after")
    expect(place).to_contain_text("Design rule errors")
    picture_of(place, "Layout of counter")
    for summary in place.locator("summary").all():
        summary.click()
    expect(place.locator("td", has_text="Synthesis").first).to_be_visible()
    expect(place.locator("pre", has_text="Flow complete.").first).to_be_visible()
