"""The configuration form in a real JupyterLab: search, edit, validation at the field, code and form in step."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .cells import open_cells, run
from .conftest import COUNTER, Lab, screenshot

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]

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
        "print(design.config.get('EXPRESS_EFFORT'), design.config.get('FP_CORE_UTIL'), design.options['presets'])",
        "design.config['CLOCK_PERIOD'] = 12; design.preset('minimal')",
        name="form.ipynb",
    )
    form = run(page, 0).locator(".a6hub-form")
    expect(form).to_contain_text("valid")
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
    # presets are laid over one another, in an order that is shown, and what is given wins over them all
    presets = form.get_by_label("Preset")
    presets.select_option("high_quality")
    effort = form.get_by_label("EXPRESS_EFFORT", exact=True)
    expect(effort).to_have_attribute("placeholder", "7")
    presets.select_option("balanced")
    expect(effort).to_have_attribute("placeholder", "3")
    chips = form.locator(".a6-chip")
    expect(chips).to_have_text([re.compile("1. high_quality"), re.compile("2. balanced")])
    expect(form.locator(".a6-presets")).to_contain_text("from balanced; the later wins, your own values win.")
    screenshot(page, "form-presets")
    form.get_by_role("button", name="Put balanced before high_quality").click()
    expect(effort).to_have_attribute("placeholder", "7")
    row = form.locator(".a6-row", has=page.get_by_label("EXPRESS_EFFORT", exact=True))
    expect(row).to_contain_text("from preset high_quality")
    expect(utilisation).to_have_value("35")
    form.get_by_role("button", name="Changed").click()
    expect(form.get_by_label("DESIGN_NAME", exact=True)).to_be_visible()
    expect(form.get_by_label("EXPRESS_DENSITY", exact=True)).to_have_attribute("placeholder", "0.8")
    strategy = form.get_by_label("SYNTH_STRATEGY", exact=True).locator("option").first
    expect(strategy).to_have_text("DELAY 4 (from preset high_quality)")
    screenshot(page, "form-changed")
    form.get_by_role("button", name="Remove balanced").click()
    expect(chips).to_have_count(1)
    form.get_by_role("button", name="Essential").click()
    # search reaches all, by keyboard
    form.get_by_label("Search").fill("router pass")
    expect(form.get_by_label("EXPRESS_ROUTE_SECONDS", exact=True)).to_be_visible()
    expect(utilisation).to_have_count(0)
    form.get_by_label("Search").fill("router unheard-of")
    expect(form).to_contain_text("No variable has these words.")
    form.get_by_label("Search").fill("")
    effort.fill("4")
    form.get_by_role("button", name="Changed").click()
    expect(form.locator(".a6-row.a6-set")).to_have_count(6)
    edit_text(page, form)
    expect(run(page, 2)).to_contain_text("5 44 ['high_quality']")
    run(page, 3)
    expect(chips).to_have_text([re.compile("minimal")])
    form.get_by_role("button", name="Form").click()
    expect(form.get_by_label("CLOCK_PERIOD", exact=True)).to_have_value("12")
    expect(utilisation).to_have_value("44")
    form.get_by_role("button", name="All", exact=True).click()
    expect(form.locator(".a6-row")).to_have_count(25)
    try:
        choose_theme(page, "JupyterLab Dark")
        screenshot(page, "form-dark")
        background = form.evaluate("node => getComputedStyle(node).backgroundColor")
        assert max(int(n) for n in background.removeprefix("rgb(").removesuffix(")").split(",")) < 100
        page.set_viewport_size({"width": 720, "height": 900})
        form.get_by_role("button", name="Essential").click()
        field = form.get_by_label("CLOCK_PERIOD", exact=True)
        name = form.locator("label", has_text="CLOCK_PERIOD")
        field.scroll_into_view_if_needed()
        below, above = field.bounding_box(), name.bounding_box()
        assert below is not None
        assert above is not None
        assert below["y"] > above["y"] + 10
        screenshot(page, "form-narrow")
    finally:
        choose_theme(page, "JupyterLab Light")


def edit_text(page: Page, form: Locator) -> None:
    """Edit the configuration as YAML and as JSON: what does not parse is told with its line, what does is taken."""
    form.get_by_role("button", name="YAML").click()
    text = form.get_by_label("Configuration as YAML")
    expect(text).to_have_value(re.compile("EXPRESS_EFFORT: 4"))
    screenshot(page, "form-yaml")
    text.fill("DESIGN_NAME: counter\nFP_CORE_UTIL: [")
    alert = form.locator(".a6-text").get_by_role("alert")
    expect(alert).to_contain_text("this is no YAML")
    screenshot(page, "form-text-error")
    form.get_by_role("button", name="Take back").click()
    expect(text).to_have_value(re.compile("EXPRESS_EFFORT: 4"))
    form.get_by_role("button", name="JSON").click()
    text = form.get_by_label("Configuration as JSON")
    given = {"DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::counter.v"], "CLOCK_PORT": "clk", "CLOCK_PERIOD": 9}
    text.fill(json.dumps({**given, "FP_CORE_UTL": 44}, indent=2))
    expect(alert).to_contain_text("Line 8: LibreLane has no variable 'FP_CORE_UTL'. Did you mean FP_CORE_UTIL")
    screenshot(page, "form-json")
    # among the fields it has one too, though the flow has no such variable
    form.get_by_role("button", name="Form").click()
    row = form.locator(".a6-row", has=page.get_by_label("FP_CORE_UTL", exact=True))
    expect(row.get_by_role("alert")).to_contain_text("Did you mean FP_CORE_UTIL")
    screenshot(page, "form-unknown")
    form.get_by_role("button", name="JSON").click()
    text.fill(json.dumps({**given, "FP_CORE_UTIL": 44, "EXPRESS_EFFORT": 5}, indent=2))
    expect(alert).to_have_count(0)
    expect(form).to_contain_text("valid")


def choose_theme(page: Page, name: str) -> None:
    """Choose a theme from the menu, as a user does, and wait until it is there."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Theme$")).hover()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{name}$")).click()
    light = "true" if name.endswith("Light") else "false"
    expect(page.locator(f"body[data-jp-theme-light={light}]")).to_be_attached()
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
