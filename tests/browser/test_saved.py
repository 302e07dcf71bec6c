"""A notebook that was saved and is opened again, without the kernel that made it."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, Page, expect

from .cells import attach, open_cells, run
from .conftest import TOKEN, Lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(120)]


def end_kernels(lab: Lab) -> None:
    """End all kernels, as a server that was started again would have."""

    def call(path: str, method: str = "GET") -> Any:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(f"{lab.url}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    for session in call("api/sessions"):
        call(f"api/sessions/{session['id']}", "DELETE")


def save(page: Page, lab: Lab, name: str, text: str) -> None:
    """Save the notebook, and wait until the file has ``text`` among its outputs."""
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    deadline = time.monotonic() + 15
    while text not in (lab.work / name).read_text().split('"outputs"', 1)[1]:
        assert time.monotonic() < deadline, "the notebook was not saved"
        time.sleep(0.1)


def test_a_saved_build_is_there_without_its_kernel_and_without_jupyter(
    page: Page, browser: Browser, lab: Lab, start: Any
) -> None:
    """One notebook, saved; then seen without its kernel, as a page of nbconvert, and by who does not trust it."""
    build = start()
    lab.until(build["id"], "succeeded")
    open_cells(page, lab, attach(build), name="saved.ipynb")
    expect(run(page, 0).locator("article")).to_contain_text("Succeeded", timeout=30_000)
    save(page, lab, "saved.ipynb", build["id"])
    page.goto("about:blank")
    end_kernels(lab)

    page.goto(lab.page_url("saved.ipynb"))
    widget = page.locator(".jp-CodeCell").first.locator("article")
    expect(widget).to_contain_text("Succeeded", timeout=60_000)
    expect(widget.locator(".picture img")).to_be_visible(timeout=30_000)
    screenshot(page, "saved-without-kernel")

    # nobody has signed this copy: Lab shows it cleaned, and runs nothing of it
    notebook = json.loads((lab.work / "saved.ipynb").read_text())
    notebook["cells"][0]["source"] = "'copied'"
    (lab.work / "copied.ipynb").write_text(json.dumps(notebook))
    page.goto(lab.page_url("copied.ipynb"))
    output = page.locator(".jp-CodeCell").first.locator(".jp-OutputArea")
    check_static(output)
    expect(output.locator("article")).to_have_count(0)
    screenshot(page, "saved-untrusted")

    exported, _ = HTMLExporter().from_notebook_node(nbformat.reads(json.dumps(notebook), as_version=4))
    file = lab.work / "saved.html"
    file.write_text(exported)
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    plain = context.new_page()
    plain.goto(file.as_uri(), wait_until="domcontentloaded")
    check_static(plain.locator("body"))
    plain.locator("body").evaluate("() => scrollTo(0, 0)")
    screenshot(plain, "saved-nbconvert")
    context.close()

    # the record is deleted: one sentence in its place
    headers = {"Authorization": f"token {TOKEN}"}
    request = urllib.request.Request(f"{lab.url}api/a6hub/builds/{build['id']}", method="DELETE", headers=headers)
    urllib.request.urlopen(request, timeout=30).close()
    page.goto(lab.page_url("saved.ipynb"))
    expect(widget).to_have_text("The server knows no build with this id.", timeout=60_000)
    screenshot(page, "saved-deleted")


def check_static(place: Locator) -> None:
    """State, figures, picture, step times and the end of the log are there, and can be seen."""
    expect(place).to_contain_text("succeeded after", timeout=60_000)
    expect(place).to_contain_text("Design rule errors")
    picture = place.locator("img[alt='Layout of counter']")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    for summary in place.locator("summary").all():
        summary.click()
    expect(place.locator("td", has_text="Synthesis").first).to_be_visible()
    expect(place.locator("pre", has_text="Flow complete.").first).to_be_visible()
