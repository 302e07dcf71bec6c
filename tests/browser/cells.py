"""Notebooks of a few cells, and running them by hand."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab


def open_cells(page: Page, lab: Lab, *sources: str, name: str = "widget.ipynb", app: str = "lab/tree") -> None:
    """Open a notebook of these code cells, and wait for its kernel."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": s, "outputs": [], "execution_count": None}
        for n, s in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    (lab.work / name).write_text(json.dumps(notebook))
    page.goto(lab.page_url(name, app))
    expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first).to_be_attached()


def run(page: Page, which: int | Locator) -> Locator:
    """Run a cell, by its number among the code cells or as it is; see that it has begun, and return it."""
    cell = page.locator(".jp-CodeCell").nth(which) if isinstance(which, int) else which
    prompt = cell.locator(".jp-InputArea-prompt")
    dialog = page.locator("dialog.jp-Dialog")
    for _ in range(5):  # JupyterLab drops what is run before it has a connection to the kernel, or says so in a dialog
        if dialog.count():
            page.keyboard.press("Escape")
        try:
            cell.locator(".jp-InputArea-editor").click(timeout=30_000)
        except PlaywrightError:
            continue
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).to_have_text(re.compile(r"\[[*\d]+\]"), timeout=5000)
            return cell
    raise AssertionError(f"the cell does not run; over it lies {dialog.all_inner_texts()}")


def until_printed(page: Page, which: int, expected: str) -> None:
    """Run a cell until it prints this: what the page tells of itself reaches Python a moment later."""
    for _ in range(10):
        with contextlib.suppress(AssertionError):
            expect(run(page, which).locator(".jp-OutputArea")).to_contain_text(expected, timeout=2000)
            return
    expect(run(page, which).locator(".jp-OutputArea")).to_contain_text(expected)


def command(page: Page, name: str, **arguments: Any) -> None:
    """Have JupyterLab do what is in its palette, and wait until it has."""
    page.evaluate("([name, given]) => jupyterapp.commands.execute(name, given)", [name, arguments])


def drawn(page: Page) -> None:
    """Wait until what the page was told last is on screen."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@contextlib.contextmanager
def between_cells(lab: Lab) -> Iterator[None]:
    """Have the kernels of pages that are opened meanwhile read comms between cells only, as older ones do."""
    directory = lab.state / "settings" / "@jupyterlab" / "apputils-extension"
    setting = directory / "kernels-settings.jupyterlab-settings"
    setting.write_text('{"commsOverSubshells": "disabled"}')
    yield
    setting.unlink()


def attach(build: dict[str, Any]) -> str:
    """Return the source of a cell that shows a build."""
    return f"import a6hub_jupyter as a6hub\na6hub.build({build['id']!r})"
