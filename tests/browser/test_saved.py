"""A notebook that was saved and is opened again, without the kernel that made it."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

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


def test_without_its_kernel_a_saved_build_goes_live_again(page: Page, lab: Lab, start: Any) -> None:
    build = start()
    open_cells(page, lab, attach(build), name="saved.ipynb")
    expect(run(page, 0).locator("article")).to_contain_text("counter", timeout=30_000)
    save(page, lab, "saved.ipynb", build["id"])
    page.goto("about:blank")
    end_kernels(lab)
    page.goto(lab.page_url("saved.ipynb"))
    cell = page.locator(".jp-CodeCell").first
    expect(cell.locator(".jp-OutputArea")).to_contain_text("counter", timeout=60_000)
    page.wait_for_timeout(3000)
    screenshot(page, "saved-without-kernel")
    expect(cell.locator("article")).to_contain_text("Succeeded", timeout=60_000)
