"""What a notebook says of a design, and what it is told when it says it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from a6hub_jupyter import Design
from a6hub_jupyter.client.errors import RequestRefusedError
from a6hub_jupyter.client.linting import Findings
from a6hub_jupyter.client.page import static_page
from a6hub_jupyter.client.validation import Validation


def test_keywords_become_librelanes_variables(tmp_path: Path) -> None:
    design = Design(
        "spm",
        verilog_files=["src/spm.v", Path("src") / "top.v"],
        clock_port="clk",
        clock_period=7.5,
        directory=tmp_path,
        config={"FP_CORE_UTIL": 40},
        pdk="ihp-sg13g2",
    )
    assert design.config == {
        "DESIGN_NAME": "spm",
        "VERILOG_FILES": ["dir::src/spm.v", "dir::src/top.v"],
        "CLOCK_PORT": "clk",
        "CLOCK_PERIOD": 7.5,
        "FP_CORE_UTIL": 40,
    }
    assert design.options == {"pdk": "ihp-sg13g2"}


def test_an_unknown_keyword_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="Did you mean 'toolchain'"):
        Design("x", verilog_files=["x.v"], tolchain="express")
    with pytest.raises(TypeError, match="upper case"):
        Design("x", verilog_files=["x.v"], fp_core_util=3)
    with pytest.raises(TypeError, match="Did you mean 'from_step'"):
        Design("x", verilog_files=["x.v"]).build(from_stp="Yosys.Synthesis")


def test_variables_are_keywords_too_and_options_become_what_the_api_knows(tmp_path: Path) -> None:
    design = Design("x", verilog_files="x.v", directory=tmp_path, FP_CORE_UTIL=30, flow=["Verilator.Lint"])
    request = design.preset("minimal", "mine").request({"A": 1}, {"FP_CORE_UTIL": 40, "clock_period": 3}, "build")
    assert request["config"] == {
        "DESIGN_NAME": "x",
        "VERILOG_FILES": ["dir::x.v"],
        "FP_CORE_UTIL": 40,
        "A": 1,
        "CLOCK_PERIOD": 3,
        "meta": {"flow": ["Verilator.Lint"]},
    }
    assert request["presets"] == ["minimal", "mine"]
    assert "flow" not in request
    assert design.config["FP_CORE_UTIL"] == 30
    request = design.request(None, {"flow": "Express", "substituting_steps": {"Checker.LVS": None}}, "build")
    assert request["flow"] == "Express"
    assert request["config"]["meta"] == {"substituting_steps": {"Checker.LVS": None}}


def test_a_validation_says_plainly_whether_it_is_valid() -> None:
    common = {"flow": "Express", "pdk": "sky130A", "steps": [{"id": "A", "name": "A"}], "presets": ["balanced"]}
    resolved = {"X": {"value": 3, "origin": "preset balanced"}, "Y": {"value": None, "origin": "default"}}
    good = Validation({**common, "valid": True, "errors": [], "warnings": [], "resolved": resolved, "config": {"X": 3}})
    assert good
    assert str(good) == "valid: Express on sky130A, 1 steps, presets balanced"
    assert "preset balanced" in good._repr_html_()
    assert list(good.chosen.index) == ["X"]
    found = {"field": "config.<X>", "message": "Is bad.", "remedy": "Mend it."}
    bad = Validation({**common, "valid": False, "errors": [found], "warnings": [], "resolved": {}, "config": {}})
    assert not bad
    assert str(bad).splitlines() == ["not valid: 1 error", "✗ <X>: Is bad. Mend it."]
    assert "&lt;X&gt;" in bad._repr_html_()


def test_a_refusal_has_a_line_for_each_field_and_no_traceback() -> None:
    entries = [
        {"field": "config.CLOCK_PERIOD", "message": "The clock period is 0 ns.", "remedy": "Give more."},
        {"field": "pdk", "message": "No such PDK.", "remedy": "Install it."},
    ]
    error = RequestRefusedError(422, {"message": "x", "errors": entries})
    assert str(error).splitlines() == [
        "CLOCK_PERIOD: The clock period is 0 ns. Give more.",
        "pdk: No such PDK. Install it.",
    ]
    assert len(error._render_traceback_()) == 1


def test_findings_are_readable_as_text_and_as_a_table() -> None:
    found = Findings(
        [{"severity": "error", "code": "SYNTAX", "file": "<a>.v", "line": 3, "column": 1, "message": "bad <tag>"}]
    )
    assert str(found) == "<a>.v:3:1: error SYNTAX: bad <tag>"
    assert "&lt;tag&gt;" in found._repr_html_()
    assert "<tag>" not in found._repr_html_()
    assert "clean" in Findings([])._repr_html_()
    assert found.errors == found


def test_the_static_page_is_safe_and_tells_the_end() -> None:
    data = {
        "id": "x",
        "design": {"name": "<b>evil</b>"},
        "state": "failed",
        "flow": "Express",
        "pdk": "sky130A",
        "pdk_note": "functional, estimated delays",
        "error": {"message": "a < b"},
        "metrics": {"design__instance__count__stdcell": 28, "design__lvs_error__count": 0, "bad": "inf"},
        "steps": [{"id": "A", "name": "A", "state": "done", "seconds": 1.25}],
        "log_size": 0,
        "finished": "2026-11-23T00:00:00.000Z",
    }
    page = static_page(data, b"\x89PNG")
    assert "&lt;b&gt;evil" in page
    assert "<b>evil" not in page
    assert "a &lt; b" in page
    assert "functional, estimated delays" in page
    assert "data:image/png;base64," in page
