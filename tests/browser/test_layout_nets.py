"""A build's layout in a notebook: nets highlighted by hand and from Python, and two layouts compared."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import gdstk
import pytest
from playwright.sync_api import Page, expect

from .cells import open_cells, run, until_printed
from .conftest import Lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]

VERILOG = """module toggle (input wire clk, input wire rst, output reg [2:0] q);
  always @(posedge clk) q <= rst ? 3'd0 : q + 3'd1;
endmodule
"""
BUILD = """import a6hub_jupyter as a6hub
design = a6hub.Design("toggle", verilog_files=["toggle.v"], clock_port="clk", clock_period=10)
build = design.build()
print(build.wait(progress=False).state)"""


def test_a_net_is_shown_with_the_rest_dimmed(page: Page, lab: Lab) -> None:
    (lab.work / "toggle.v").write_text(VERILOG)
    cells = [
        BUILD,
        "view = build.layout; view",
        "view.highlight(net='clk'); print(view.nets('q['))",
        "print(view.net, view.selection.get('net'), view.selection.get('instance'))",
        "view.highlight(net='clock')",
    ]
    open_cells(page, lab, *cells, name="nets.ipynb")
    expect(run(page, 0).locator(".jp-OutputArea")).to_contain_text("succeeded", timeout=120_000)
    cell = run(page, 1)
    stage = cell.get_by_role("application")
    expect(stage).to_have_attribute("aria-label", re.compile("Layout of toggle"))
    stage.scroll_into_view_if_needed()
    stage.focus()
    page.keyboard.press("t")
    search = cell.get_by_label("Search nets and instances by name")
    search.fill("q[")
    expect(cell.locator("[data-net]")).to_have_text([re.compile(rf"q\[{i}\]") for i in range(3)])
    cell.locator("[data-net]").nth(1).click()
    expect(cell.locator("[data-net]").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(cell.locator(".pins .row").first).to_be_visible()
    screenshot(page, "layout-net")
    expect(run(page, 2).locator(".jp-OutputArea")).to_contain_text("['q[0]', 'q[1]', 'q[2]']")
    expect(cell.locator(".detail .name").first).to_have_text("clk")
    stage.scroll_into_view_if_needed()
    screenshot(page, "layout-net-clk")
    # What is under the pointer names its net: the wires of clk are known.
    build = lab.api("builds")["builds"][0]
    net = lab.api(f"builds/{build['id']}/net?name=clk")
    metal = next(layer["boxes"] for layer in net["layers"] if layer["name"] == "met2")
    wires = [metal[i : i + 4] for i in range(0, len(metal), 4)]
    x1, y1, x2, y2 = max(wires, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    cell.get_by_role("button", name="View: go to").click()
    for name, value in (("x in µm", (x1 + x2) / 2), ("y in µm", (y1 + y2) / 2), ("Width of the view in µm", 5)):
        cell.get_by_label(name).fill(str(value))
    cell.get_by_role("button", name="go", exact=True).click()
    expect(cell.locator(".length")).to_have_text("0.5 µm")
    screenshot(page, "layout-net-place")
    stage.focus()
    card = cell.get_by_role("region", name="Picked shape")
    for _ in range(50):  # the smallest shape first, then what is around it
        page.keyboard.press("Enter")
        with contextlib.suppress(AssertionError):
            expect(card.locator(".link")).to_have_text("clk", timeout=400)
            break
    expect(card.locator(".link")).to_have_text("clk")
    screenshot(page, "layout-net-picked")
    until_printed(page, 3, "clk clk")
    expect(run(page, 4).locator(".jp-OutputArea")).to_contain_text("The design has no net 'clock'. It has clk")


def write(path: Path, wide: float) -> None:
    library = gdstk.Library("x")
    cell, top = library.new_cell("BLOCK"), library.new_cell("CHIP")
    cell.add(gdstk.rectangle((0, 0), (wide, 4), layer=1), gdstk.rectangle((0, 6), (8, 7), layer=2))
    top.add(gdstk.Reference(cell, columns=4, rows=3, spacing=(12, 10)))
    library.write_gds(path)


def test_two_layouts_are_compared(page: Page, lab: Lab) -> None:
    write(lab.work / "one.gds", 5)
    write(lab.work / "two.gds", 6)
    cells = [
        "import a6hub_jupyter as a6hub\nview = a6hub.layout('one.gds', compare='two.gds'); view",
        "found = view.differences(); print(len(found), found[0]['only_in'], found[0]['layer'], view.comparing)",
        "view.to_html('compared.html')",
    ]
    open_cells(page, lab, *cells, name="compared.ipynb")
    cell = run(page, 0)
    stage = cell.get_by_role("application")
    expect(stage).to_have_attribute("aria-label", re.compile("Layout of CHIP"))
    stage.focus()
    page.keyboard.press("m")
    expect(cell.locator(".category")).to_have_text(["All12", "1/012"])
    stage.focus()
    page.keyboard.press("g")
    expect(cell.get_by_label("Compare")).to_have_value("difference")
    screenshot(page, "layout-compared")
    stage.focus()
    page.keyboard.press("x")
    expect(cell.get_by_label("Compare")).to_have_value("first")
    # Side by side: the button, Python's value, and both pictures with something on them.
    cell.get_by_role("button", name="Side by side").click()
    twin = cell.locator(".twin")
    expect(twin.locator(".message")).to_be_hidden()
    expect(cell.locator(".pane-name")).to_have_text(["one.gds", "two.gds"])
    stage.focus()
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_timeout(600)
    screenshot(page, "layout-side-by-side")
    until_printed(page, 1, "12 two.gds 1/0 side by side")
    expect(run(page, 2).locator(".jp-OutputArea")).to_contain_text("compared.html: 0.")
