"""The configuration form in a real JupyterLab: search, edit, validation at the field, code and form in step."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .cells import open_cells, run
from .conftest import COUNTER, Lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(180)]

MAKE = """import a6hub_jupyter as a6hub
design = a6hub.Design("counter", verilog_files=["counter.v"], clock_port="clk", clock_period=10)
form = a6hub.ConfigForm(design)
form"""


def test_a_form_edits_the_design_and_says_what_is_wrong_at_the_field(page: Page, lab: Lab) -> None:
    (lab.work / "counter.v").write_text(COUNTER)
    open_cells(
        page,
        lab,
        MAKE,
        "design.config['FP_CORE_UTIL'] = 33",
        "print(design.config.get('EXPRESS_EFFORT'), design.config.get('FP_CORE_UTIL'))",
        name="form.ipynb",
    )
    form = run(page, 0).locator(".a6hub-form")
    expect(form).to_contain_text("valid", timeout=60_000)
    utilisation = form.get_by_label("FP_CORE_UTIL", exact=True)
    expect(utilisation).to_have_attribute("placeholder", "50")
    screenshot(page, "form-essential")
    run(page, 1)
    expect(utilisation).to_have_value("33")
    # what is wrong is told at the field, soon, and goes when it is mended
    utilisation.fill("full")
    alert = form.locator(".a6-row", has=page.get_by_label("FP_CORE_UTIL", exact=True)).get_by_role("alert")
    expect(alert).to_contain_text("not a number")
    expect(form).to_contain_text("1 error")
    screenshot(page, "form-error")
    utilisation.fill("35")
    expect(alert).to_have_count(0)
    expect(form).to_contain_text("valid")
    # a preset shows what it comes to, and what is given wins
    form.get_by_label("Preset").select_option("high_quality")
    expect(form.get_by_label("EXPRESS_EFFORT", exact=True)).to_have_attribute("placeholder", "7")
    expect(utilisation).to_have_value("35")
    # search reaches all, by keyboard
    form.get_by_label("Search").fill("route seconds")
    seconds = form.get_by_label("EXPRESS_ROUTE_SECONDS", exact=True)
    expect(seconds).to_have_count(0)
    form.get_by_label("Search").fill("router pass")
    expect(seconds).to_be_visible()
    form.get_by_label("Search").fill("")
    effort = form.get_by_label("EXPRESS_EFFORT", exact=True)
    effort.fill("4")
    form.get_by_role("button", name="Changed").click()
    expect(form.locator(".a6-row.a6-set")).to_have_count(6)
    form.get_by_role("button", name="YAML").click()
    expect(form.locator("pre")).to_contain_text("EXPRESS_EFFORT: 4")
    screenshot(page, "form-yaml")
    expect(run(page, 2)).to_contain_text("4 35")
    form.get_by_role("button", name="Form").click()
    form.get_by_role("button", name="All", exact=True).click()
    expect(form.locator(".a6-row")).to_have_count(25, timeout=20_000)
    try:
        choose_theme(page, "JupyterLab Dark")
        screenshot(page, "form-dark")
        background = form.evaluate("node => getComputedStyle(node).backgroundColor")
        assert max(int(n) for n in background.removeprefix("rgb(").removesuffix(")").split(",")) < 100
    finally:
        choose_theme(page, "JupyterLab Light")


def choose_theme(page: Page, name: str) -> None:
    """Choose a theme from the menu, as a user does, and wait until it is there."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Theme$")).hover()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{name}$")).click()
    light = "true" if name.endswith("Light") else "false"
    expect(page.locator(f"body[data-jp-theme-light={light}]")).to_be_attached(timeout=20_000)
