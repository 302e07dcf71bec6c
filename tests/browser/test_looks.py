"""How a finished build looks: in Notebook 7, dark, narrow, in high contrast; and what axe finds in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import ROOT

from .cells import attach, open_cells, run
from .conftest import Lab, Watch, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(120)]

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
    widget.evaluate("node => node.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(300)
    screenshot(page, name)
    widget.evaluate("node => node.scrollIntoView({ block: 'end' })")
    page.wait_for_timeout(300)
    screenshot(page, f"{name}-end")


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


@pytest.fixture
def theme(lab: Lab) -> Callable[[str], None]:
    """Sets JupyterLab's theme for pages that are opened after."""
    place = lab.state / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"

    def set_theme(name: str) -> None:
        place.write_text(f'{{"theme": "{name}"}}')

    yield set_theme
    place.unlink(missing_ok=True)


def test_a_finished_build_in_every_light(
    page: Page, lab: Lab, start: Any, theme: Callable[[str], None], watch: Watch
) -> None:
    build = start()
    lab.until(build["id"], "succeeded")
    for name in ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"):
        theme(name)
        open_cells(page, lab, attach(build), name="looks.ipynb")
        widget = run(page, 0).locator("article")
        expect(widget.locator(".picture img")).to_be_visible(timeout=30_000)
        short = name.removeprefix("JupyterLab ").lower().replace(" ", "-")
        for drawer in widget.locator(".drawer > summary").all():
            drawer.click()
        expect(widget.locator(".drawer.settings")).to_contain_text("-again")
        whole(page, widget, f"looks-{short}")
        assert serious(page) == []
        assert overflowing(widget) == []
    page.emulate_media(forced_colors="active")
    whole(page, widget, "looks-forced-colours")


def test_a_finished_build_in_notebook_7_and_narrow(page: Page, lab: Lab, start: Any, watch: Watch) -> None:
    pytest.importorskip("notebook")
    build = start()
    lab.until(build["id"], "succeeded")
    open_cells(page, lab, attach(build), name="narrow.ipynb", app="notebooks")
    widget = run(page, 0).locator("article")
    expect(widget.locator(".picture img")).to_be_visible(timeout=30_000)
    whole(page, widget, "looks-notebook")
    page.set_viewport_size({"width": 440, "height": 1000})  # which leaves some 400 to a cell's output
    page.wait_for_timeout(500)
    width = widget.evaluate("node => node.clientWidth")
    assert 350 < width < 450
    whole(page, widget, "looks-narrow")
    assert serious(page) == []
    assert overflowing(widget) == []
    watch.errors[:] = [e for e in watch.errors if "a6hub" in e]  # Notebook 7 has two of its own at each start
