"""What one does with a layout, tool by tool, on the chip of a real build in JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .cells import attach, open_cells, run, until_printed
from .conftest import Lab, screenshot, until_drawn

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]


@pytest.fixture
def cell(page: Page, lab: Lab, start: Any) -> Iterator[Locator]:
    """The cell with the layout of a finished build; the next one says what Python sees of it."""
    build = start()
    lab.until(build["id"], "succeeded")
    source = f"{attach(build).replace('a6hub.build', 'view = a6hub.build')}.layout; view"
    restored = "view.view = {'x': 4, 'y': 5, 'width': 8}; view.show('met3.drawing')"
    open_cells(page, lab, source, "print(view.selection, view.view)", restored, name="tools.ipynb")
    cell = run(page, 0)
    expect(cell.locator(".layout")).to_contain_text("met1")
    cell.get_by_role("application").scroll_into_view_if_needed()
    yield cell
    (lab.work / "tools.ipynb").unlink()


def names(cell: Locator) -> list[str]:
    """The layers that are shown."""
    return cell.locator(".row", has=cell.page.locator("input:checked")).locator(".name").all_text_contents()


def length(cell: Locator) -> float:
    """What the scale bar says, in micrometres."""
    value, unit = (cell.locator(".length").text_content() or "").split()
    return float(value) * {"nm": 1e-3, "µm": 1.0, "mm": 1e3}[unit]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], key: str | None = None) -> None:
    """Drag with the left button from one place on the page to another."""
    if key:
        page.keyboard.down(key)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def test_each_tool_does_what_it_says(cell: Locator, page: Page) -> None:
    stage = cell.get_by_role("application")
    box = stage.bounding_box()
    assert box is not None
    left, top, width, height = box["x"], box["y"], box["width"], box["height"]
    whole = length(cell)

    # layers: some by a preset, one alone and back, those that a filter lists
    every = names(cell)
    cell.get_by_role("button", name="Show metals alone").click()
    metals = names(cell)
    assert "met3.drawing" in metals
    assert "nwell.drawing" not in metals
    solo = cell.get_by_role("button", name="Show met3.drawing alone; again: as before")
    solo.click()
    assert names(cell) == ["met3.drawing"]
    solo.click()
    assert names(cell) == metals
    cell.get_by_role("searchbox", name="Filter layers by name or number").fill("met2")
    cell.get_by_role("button", name="Hide all listed layers").click()
    assert "met2.drawing" not in names(cell)
    assert "met3.drawing" in names(cell)
    cell.get_by_role("searchbox", name="Filter layers by name or number").fill("")
    cell.get_by_role("button", name="Show all listed layers").click()
    assert names(cell) == every

    # a box is zoomed to, the wheel zooms at the cursor, and f shows all
    drag(page, (left + 0.4 * width, top + 0.4 * height), (left + 0.6 * width, top + 0.6 * height), "Shift")
    expect(cell.locator(".length")).not_to_have_text(re.compile(rf"^{whole:g} "))
    assert length(cell) < whole / 2
    boxed = length(cell)
    page.mouse.wheel(0, -600)
    expect(cell.locator(".length")).not_to_have_text(re.compile(rf"^{boxed:g} "))
    assert length(cell) < boxed
    screenshot(page, "tools-zoomed")
    stage.focus()
    page.keyboard.press("f")
    expect(cell.locator(".length")).to_have_text(f"{whole:g} µm")

    # a ruler between two clicks, snapped, with its lengths
    page.keyboard.press("r")
    page.mouse.click(left + 0.3 * width, top + 0.3 * height)
    page.mouse.click(left + 0.5 * width, top + 0.6 * height)
    page.keyboard.press("Escape")
    screenshot(page, "tools-ruler")

    # cells: searched, found, hidden; fillers all at once
    stage.focus()
    page.keyboard.press("c")
    cell.get_by_role("searchbox", name="Search cells by name").fill("dfxtp")
    expect(cell.locator(".tree .row").first).to_contain_text("sky130_fd_sc_hd__dfxtp")
    cell.locator(".tree .row .name").first.click()
    screenshot(page, "tools-cells")
    cell.get_by_text(re.compile("Hide fillers, decaps and taps")).click()
    screenshot(page, "tools-fillers")

    # what is drawn: labels, fillings, levels
    stage.focus()
    page.keyboard.press("g")
    cell.get_by_text("Fillings").click()
    screenshot(page, "tools-frames")
    cell.get_by_text("Fillings").click()
    cell.get_by_label("Hierarchy").select_option("top cell alone")
    screenshot(page, "tools-top")
    cell.get_by_label("Hierarchy").select_option("all levels")
    cell.get_by_label("x in µm").fill("5")
    cell.get_by_label("y in µm").fill("6")
    cell.get_by_label("Width of the view in µm").fill("3")
    page.keyboard.press("Enter")
    screenshot(page, "tools-goto")

    # a picture of it, and Python that brings it back
    with page.expect_download() as download:
        cell.get_by_role("button", name="save picture").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    until_printed(page, 1, "{'x': 5, 'y': 6, 'width': 3, 'hidden': []}")
    run(page, 2)
    stage.focus()
    page.keyboard.press("l")
    expect(cell.locator(".row", has=page.locator("input:checked"))).to_have_count(1)
    assert names(cell) == ["met3.drawing"]
    until_drawn(stage.locator("canvas").first)
    screenshot(page, "tools-restored")
