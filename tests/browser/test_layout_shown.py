"""A layout that was scrolled away, in a dark page, and with nothing but a keyboard, in JupyterLab and Notebook 7."""

from __future__ import annotations

import re
from collections.abc import Iterator

import gdstk
import pytest
from playwright.sync_api import Page, expect

from .cells import open_cells, run, until_printed
from .conftest import Lab, Watch, colours, screenshot, until_drawn

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]


@pytest.fixture
def dark(lab: Lab) -> Iterator[None]:
    """Pages that are opened meanwhile are dark."""
    directory = lab.state / "settings" / "@jupyterlab" / "apputils-extension"
    directory.mkdir(parents=True, exist_ok=True)
    setting = directory / "themes.jupyterlab-settings"
    before = setting.read_text() if setting.exists() else None
    setting.write_text('{"theme": "JupyterLab Dark"}')
    yield
    if before is None:
        setting.unlink(missing_ok=True)
    else:
        setting.write_text(before)


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize("app", ["lab/tree", "notebooks"])
def test_scrolled_away_and_back_it_is_drawn_and_keys_are_enough(page: Page, lab: Lab, app: str, watch: Watch) -> None:
    library = gdstk.Library("x")
    cell = library.new_cell("CHIP")
    for layer in range(1, 9):
        cell.add(gdstk.rectangle((0, 5 * layer), (40, 5 * layer + 3), layer=layer))
    library.write_gds(lab.work / "shown.gds")
    sources = ["import a6hub_jupyter as a6hub\nview = a6hub.layout('shown.gds'); view", *["# below\n" * 40] * 3]
    open_cells(page, lab, *sources, "print(view.view)", name="shown.ipynb", app=app)
    expect(page.locator("body[data-jp-theme-light=false]")).to_be_attached()
    shown = run(page, 0)
    stage = shown.get_by_role("application")
    expect(stage).to_have_attribute("aria-label", re.compile("Layout of CHIP"))
    canvas = stage.locator("canvas").first
    stage.scroll_into_view_if_needed()
    until_drawn(canvas)
    before = colours(canvas)
    assert before > 8  # the background, and each layer
    screenshot(page, f"layout-dark-{app.split('/', maxsplit=1)[0]}")

    page.locator(".jp-CodeCell").nth(3).scroll_into_view_if_needed()
    expect(stage).not_to_be_in_viewport()
    stage.scroll_into_view_if_needed()
    until_drawn(canvas)
    assert colours(canvas) == before

    # From the picture on, keys alone: inspect, the ruler, layers by tab and space, and back to all.
    stage.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("+")
    expect(shown.locator(".length")).to_be_visible()
    page.keyboard.press("r")
    expect(shown.get_by_role("button", name="Ruler (r)")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(shown.get_by_label("x in µm")).to_be_focused()
    page.keyboard.type("20")
    page.keyboard.press("Tab")
    page.keyboard.type("16")
    page.keyboard.press("Tab")
    page.keyboard.type("4")
    expect(shown.get_by_label("Width of the view in µm")).to_have_value("4")
    page.keyboard.press("Enter")
    screenshot(page, f"layout-keys-{app.split('/', maxsplit=1)[0]}")
    expect(shown.locator(".length")).to_have_text("0.5 µm")
    screenshot(page, f"layout-keys-{app.split('/', maxsplit=1)[0]}")
    until_printed(page, 4, "'x': 20, 'y': 16, 'width': 4")
    watch.errors[:] = [e for e in watch.errors if "a6hub" in e]  # Notebook 7 has two of its own at each start
