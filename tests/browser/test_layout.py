"""The layout viewer in a notebook, and as a page of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from klayout import db, rdb
from playwright.sync_api import Browser, Page, expect

from .cells import open_cells, run, until_printed
from .conftest import Lab, screenshot

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]

CELLS = [
    "import a6hub_jupyter as a6hub\nview = a6hub.layout('chip.gds')\nview.markers = 'chip.lyrdb'\nview",
    "view.goto(20, 10, 8)",
    "print('found', view.selection)",
    "print('layers', [l['name'] for l in view.layers]); view.show('2/0')",
    "print('view', view.view)",
    "view.to_html('chip.html')",
    "a6hub.layout('gone.gds')",
]


def make_chip(path: Path) -> None:
    """Write a small chip: a row of cells, a wire over them, and a text; and a report with two markers beside it."""
    layout = db.Layout()
    one, two = layout.layer(1, 0), layout.layer(2, 0)
    leaf, top = layout.create_cell("LEAF"), layout.create_cell("CHIP")
    leaf.shapes(one).insert(db.Box(0, 0, 2000, 6000))
    top.insert(db.CellInstArray(leaf.cell_index(), db.Trans(), db.Vector(4000, 0), db.Vector(0, 10000), 10, 2))
    top.shapes(two).insert(db.Box(0, 9000, 40000, 11000))
    top.shapes(two).insert(db.Text("wire", 1000, 10000))
    layout.write(str(path))
    report = rdb.ReportDatabase("DRC")
    cell, category = report.create_cell("CHIP"), report.create_category("width")
    for x in (5, 30):
        report.create_item(cell.rdb_id(), category.rdb_id()).add_value(db.DBox(x, 9, x + 1, 11))
    report.save(str(path.with_suffix(".lyrdb")))


@pytest.fixture
def notebook(page: Page, lab: Lab) -> Iterator[Page]:
    """A notebook with CELLS, open in JupyterLab."""
    make_chip(lab.work / "chip.gds")
    open_cells(page, lab, *CELLS, name="layout.ipynb")
    yield page
    for name in ("layout.ipynb", "chip.gds", "chip.lyrdb", "chip.html"):
        (lab.work / name).unlink(missing_ok=True)


def test_a_layout_in_a_notebook_is_inspected_by_hand_and_from_python(
    notebook: Page, browser: Browser, lab: Lab
) -> None:
    page = notebook
    cell = run(page, 0)
    stage = cell.get_by_role("application")
    expect(stage).to_have_attribute("aria-label", re.compile("Layout of CHIP, 40 µm by 16 µm"))
    expect(cell.locator(".row .name")).to_have_text(["2/0", "1/0"])
    run(page, 1)
    expect(cell.locator(".length")).to_have_text("1 µm")

    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)
    card = cell.get_by_role("region", name="Picked shape")
    expect(card).to_contain_text(re.compile("CHIP . LEAF"))  # the smallest first, then the rest
    page.mouse.click(*middle)
    expect(card).to_contain_text("0, 9 to 40, 11 µm")
    until_printed(page, 2, "'box': [0, 9, 40, 11]")
    expect(run(page, 3).locator(".jp-OutputArea")).to_contain_text("['1/0', '2/0']")
    expect(cell.locator(".row").nth(1).get_by_role("checkbox")).not_to_be_checked()
    until_printed(page, 4, "'hidden': ['1/0']")

    stage.focus()
    page.keyboard.press("m")
    expect(cell.locator(".category")).to_have_text(["All2", "width2"])
    stage.focus()
    page.keyboard.press("n")
    expect(cell.locator(".category").nth(1)).to_have_text("width1 of 2 seen")
    screenshot(page, "layout-lab")
    refused = run(page, 6)
    expect(refused.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"))
    expect(refused.locator(".jp-OutputArea")).not_to_contain_text("Traceback")

    expect(run(page, 5).locator(".jp-OutputArea")).to_contain_text(re.compile(r"chip\.html: 0\.\d MB"))
    offline(browser, lab.work / "chip.html")


def offline(browser: Browser, saved: Path) -> None:
    """Open the saved page from elsewhere, without a network: it draws, zooms, and has the view and the markers."""
    elsewhere = saved.with_name("elsewhere.html")
    shutil.move(saved, elsewhere)
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 600})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(elsewhere.as_uri())
    stage = page.get_by_role("application")
    expect(stage).to_have_attribute("aria-label", re.compile("Layout of CHIP"))
    expect(page.locator(".row").nth(1).get_by_role("checkbox")).not_to_be_checked()
    before = page.locator(".length").text_content() or ""
    stage.focus()
    for _ in range(4):
        page.keyboard.press("+")
    expect(page.locator(".length")).not_to_have_text(before)
    page.keyboard.press("m")
    expect(page.locator(".category")).to_have_text(["All2", "width2"])
    screenshot(page, "layout-offline")
    assert errors == []
    context.close()
    elsewhere.unlink()
