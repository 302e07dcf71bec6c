"""How a finished build looks: in Notebook 7, dark, narrow, in high contrast; and what axe finds in each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import ROOT

from .cells import attach, command, drawn, open_cells, run
from .conftest import Lab, Watch, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]

AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"


def serious(page: Page) -> list[str]:
    """Return what axe finds in the widget that keeps somebody out."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.read_text())
    result: Any = page.evaluate(
        """() => axe.run({ include: [['.jp-OutputArea'], ] }, { resultTypes: ['violations'] })
          .then(({ violations }) => violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(({ id, nodes }) => `${id}: ${nodes.map((one) => one.target.flat().join(' ')).join(', ')}`))"""
    )
    return [str(each) for each in result]


def whole(page: Page, widget: Locator, name: str) -> None:
    """Keep pictures of the upper and the lower half of a widget."""
    for block, file in (("start", name), ("end", f"{name}-end")):
        widget.evaluate("(node, block) => node.scrollIntoView({ block })", block)
        drawn(page)
        screenshot(page, file)


def overflowing(widget: Locator) -> list[str]:
    """Return parts that are wider than the widget and cannot be scrolled to."""
    found: list[str] = widget.evaluate(
        """node => {
          const right = node.getBoundingClientRect().right + 1;
          const scrolls = one => one.closest(".log-scroll, pre, .tree, .metric-scroll, .hidden, .steps-list");
          return [...node.querySelectorAll("*")]
            .filter(one => one.getBoundingClientRect().right > right && !scrolls(one))
            .map(one => `${one.tagName}.${one.className}`);
        }"""
    )
    return found


def test_a_finished_build_in_every_light(page: Page, lab: Lab, built: Any, watch: Watch) -> None:
    open_cells(page, lab, attach(built), name="looks.ipynb")
    widget = run(page, 0).locator("article")
    expect(widget.locator(".picture img")).to_be_visible()
    for drawer in widget.locator(".drawer > summary").all():
        drawer.click()
    expect(widget.locator(".drawer.settings")).to_contain_text("-again")
    widget.get_by_role("button", name="Timing estimate, paths").click()
    expect(widget.locator(".file-view pre")).to_contain_text("slack")
    for name in ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"):
        command(page, "apputils:change-theme", theme=name)
        expect(page.locator("body")).to_have_attribute("data-jp-theme-name", name)
        short = name.removeprefix("JupyterLab ").lower().replace(" ", "-")
        whole(page, widget, f"looks-{short}")
        assert serious(page) == []
        assert overflowing(widget) == []
    command(page, "apputils:change-theme", theme="JupyterLab Light")
    page.emulate_media(forced_colors="active")
    whole(page, widget, "looks-forced-colours")


def test_a_finished_build_in_notebook_7_and_narrow(page: Page, lab: Lab, built: Any, watch: Watch) -> None:
    pytest.importorskip("notebook")
    open_cells(page, lab, attach(built), name="narrow.ipynb", app="notebooks")
    widget = run(page, 0).locator("article")
    expect(widget.locator(".picture img")).to_be_visible()
    whole(page, widget, "looks-notebook")
    page.set_viewport_size({"width": 440, "height": 1000})  # which leaves some 400 to a cell's output
    expect(page.locator(".jp-Notebook")).to_have_css("width", re.compile(r"^4\d\d"))
    drawn(page)
    width = widget.evaluate("node => node.clientWidth")
    assert 350 < width < 450
    whole(page, widget, "looks-narrow")
    assert serious(page) == []
    assert overflowing(widget) == []
    watch.errors[:] = [e for e in watch.errors if "a6hub" in e]  # Notebook 7 has two of its own at each start
