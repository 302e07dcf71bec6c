"""The first notebook as a student runs it: by clicking, in JupyterLab and Notebook 7."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .cells import run
from .conftest import Lab, Watch, screenshot, until_drawn

pytestmark = [pytest.mark.needs("chromium", "express"), pytest.mark.timeout(600)]

NOTEBOOK = "01-first-chip.ipynb"


def open_notebook(page: Page, lab: Lab, app: str = "lab/tree") -> None:
    page.goto(lab.page_url(NOTEBOOK, app))
    expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first).to_be_attached()


def code_cell(page: Page, text: str) -> Locator:
    return page.locator(".jp-CodeCell", has=page.locator(".jp-InputArea", has_text=text)).first


def run_cell(page: Page, text: str) -> Locator:
    """Run the cell that has this text, and wait until it has run."""
    cell = run(page, code_cell(page, text))
    expect(cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"))
    return cell


def restart_kernel(page: Page, lab: Lab) -> None:
    """Restart the kernel as the server does it for any front end."""
    kernels: list[dict[str, Any]] = lab.jupyter("kernels")
    lab.jupyter(f"kernels/{kernels[0]['id']}/restart", "POST")


def newest(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = lab.api("builds")["builds"][0]
    return found


def test_the_notebook_makes_a_chip_and_survives_a_kernel_restart(page: Page, lab: Lab) -> None:
    open_notebook(page, lab)
    run_cell(page, "%%writefile")
    lint = run_cell(page, "design.lint()")
    expect(lint.locator(".jp-OutputArea")).to_contain_text("clean")
    cell = run_cell(page, "build = design.build()")
    widget = cell.locator(".jp-OutputArea")
    expect(widget).to_contain_text("Running")
    expect(widget).to_contain_text("Live")
    expect(widget).to_contain_text("Synthesis")
    expect(widget.locator("[data-state=running] .time").first).to_be_visible()
    screenshot(page, "lab-running")

    build = newest(lab)
    assert build["state"] == "running"
    restart_kernel(page, lab)
    lab.until(build["id"], "succeeded")
    expect(widget).to_contain_text("Succeeded")
    picture = widget.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    picture.scroll_into_view_if_needed()
    screenshot(page, "lab-succeeded")

    # the new kernel knows nothing of the build, and finds it again by its id
    run_cell(page, "design.lint()")
    cell = code_cell(page, "build.layout")
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(f"a6hub.build('{build['id']}').layout")
    page.keyboard.press("Control+Enter")
    canvas = page.locator(".jp-OutputArea canvas").last
    expect(canvas).to_be_visible()
    expect(page.locator(".jp-OutputArea").last).to_contain_text("met1")
    canvas.scroll_into_view_if_needed()
    until_drawn(canvas)
    screenshot(page, "lab-layout")


def test_a_syntax_error_is_shown_with_its_line(page: Page, lab: Lab) -> None:
    open_notebook(page, lab)
    (lab.work / "broken.v").write_text("module broken(input clk, output q);\n  assign q = clk\nendmodule\n")
    cell = run_cell(page, "import a6hub_jupyter")
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("import a6hub_jupyter as a6hub; a6hub.Design('broken', verilog_files=['broken.v']).build()")
    page.keyboard.press("Control+Enter")
    widget = cell.locator(".jp-OutputArea")
    expect(widget).to_contain_text("Failed")
    expect(widget).to_contain_text("broken.v, line 3")
    widget.locator("article").evaluate("node => node.scrollIntoView({ block: 'start' })")
    screenshot(page, "lab-failed")


def test_bad_input_is_one_sentence_without_a_traceback(page: Page, lab: Lab) -> None:
    open_notebook(page, lab)
    cell = run_cell(page, "import a6hub_jupyter")
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("import a6hub_jupyter as a6hub; a6hub.Design('nothing', verilog_files=['nothing.v']).build()")
    page.keyboard.press("Control+Enter")
    output = cell.locator(".jp-OutputArea")
    expect(output).to_contain_text("'nothing.v' does not exist")
    expect(output).not_to_contain_text("Traceback")


def test_notebook_7_shows_the_same(page: Page, lab: Lab, watch: Watch) -> None:
    pytest.importorskip("notebook")
    open_notebook(page, lab, "notebooks")
    run_cell(page, "%%writefile")
    run_cell(page, "design.lint()")
    cell = run_cell(page, "build = design.build()")
    widget = cell.locator(".jp-OutputArea")
    expect(widget).to_contain_text("Succeeded")
    screenshot(page, "notebook-succeeded")
    watch.errors[:] = [e for e in watch.errors if "a6hub" in e]  # Notebook 7 has two of its own at each start


def test_the_server_is_killed_and_started_again_while_a_chip_is_made(page: Page, lab: Lab, watch: Watch) -> None:
    open_notebook(page, lab)
    run_cell(page, "%%writefile")
    run_cell(page, "design.lint()")
    cell = run_cell(page, "build = design.build()")
    widget = cell.locator(".jp-OutputArea")
    expect(widget).to_contain_text("Running")
    build = newest(lab)
    lab.stop(kill=True)
    expect(widget).to_contain_text("Reconnecting")
    screenshot(page, "lab-reconnecting")
    lab.start()
    lab.until(build["id"], "succeeded")
    expect(widget).to_contain_text("Succeeded")
    watch.errors.clear()  # the browser and JupyterLab report each request that found no server
