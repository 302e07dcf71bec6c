"""Notebooks of a few cells, and running them by hand."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

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
    expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible(timeout=60_000)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first).to_be_attached(timeout=60_000)


def run(page: Page, index: int) -> Locator:
    """Run a cell, see that it has begun, and return it."""
    cell = page.locator(".jp-CodeCell").nth(index)
    prompt = cell.locator(".jp-InputArea-prompt")
    for _ in range(5):  # JupyterLab drops what is run before it has a connection to the kernel
        cell.locator(".jp-InputArea-editor").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).to_have_text(re.compile(r"\[[*\d]+\]"), timeout=2000)
            return cell
    raise AssertionError("the cell does not run")


def attach(build: dict[str, Any]) -> str:
    """Return the source of a cell that shows a build."""
    return f"import a6hub_jupyter as a6hub\na6hub.build({build['id']!r})"
