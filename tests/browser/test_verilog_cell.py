"""``%%verilog`` in a real JupyterLab: findings stand under their lines, in colours that can be read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .cells import open_cells, run
from .conftest import Lab, screenshot
from .test_config_form import choose_theme

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]

WARNED = """%%verilog adder.v
module adder(input clk, input [3:0] a, b, output reg [7:0] sum);
  wire unused;
  always @(posedge clk)
    sum <= a + b;
endmodule"""
BROKEN = """%%verilog counter.v
module counter(input clk, output reg [3:0] q);
  always @(posedge clk) begin
    q <= q + 4'd1
  end
endmodule"""


def test_findings_stand_under_their_lines(page: Page, lab: Lab) -> None:
    open_cells(page, lab, "%load_ext a6hub_jupyter", WARNED, BROKEN, name="verilog.ipynb")
    run(page, 0)
    warned = run(page, 1).get_by_label("Findings in adder.v")
    expect(warned).to_contain_text("WIDTHEXPAND")
    # on the line below, where what is meant begins
    rows = warned.locator("div").all_inner_texts()
    at = next(n for n, row in enumerate(rows) if "WIDTHEXPAND" in row)
    assert "sum <= a + b;" in rows[at - 1]
    margin = warned.locator("div").nth(at).evaluate("node => node.style.marginLeft")
    assert margin == f"{rows[at - 1].index('+')}ch"
    broken = run(page, 2).get_by_label("Findings in counter.v")
    expect(broken).to_contain_text("error")
    screenshot(page, "verilog-findings")
    assert (lab.work / "counter.v").read_text() == BROKEN.partition("\n")[2] + "\n"
    try:
        choose_theme(page, "JupyterLab Dark")
        screenshot(page, "verilog-findings-dark")
    finally:
        choose_theme(page, "JupyterLab Light")
