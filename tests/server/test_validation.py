"""What LibreLane thinks of a configuration, told before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, request_for

DELETE = "delete"


async def validate(api: Api, design_dir: Path, **changes: Any) -> dict[str, Any]:
    status, answer = await api.post("designs", "validate", body=request_for(design_dir, **changes))
    assert status == 200, answer
    return answer


def fields(findings: list[dict[str, str]]) -> set[str]:
    return {f["field"] for f in findings}


async def test_a_good_configuration_comes_back_resolved(api: Api, design_dir: Path) -> None:
    answer = await validate(api, design_dir, config={"FP_CORE_UTIL": 35})
    assert answer["valid"]
    assert answer["errors"] == answer["warnings"] == []
    assert answer["resolved"]["FP_CORE_UTIL"] == {"value": 35, "origin": "explicit"}
    assert answer["resolved"]["EXPRESS_EFFORT"] == {"value": 3, "origin": "default"}
    assert answer["resolved"]["PLACE_SITE"]["origin"] == "pdk"
    assert answer["resolved"]["VERILOG_FILES"]["value"] == [str(design_dir / "counter.v")]
    assert [s["id"] for s in answer["steps"]][-1] == "Misc.ReportManufacturability"
    _, listed = await api.get("builds")
    assert listed["builds"] == []


async def test_all_that_is_wrong_is_told_at_once(api: Api, design_dir: Path) -> None:
    bad = {
        "FP_CORE_UTIL": "full",
        "CLOCK_PERIOD": 0,
        "FP_CORE_UTL": 1,
        "EXPRESS_EFFORT": 2.5,
        "SYNTH_STRATEGY": "AREA 9",
        "EXTRA_LEFS": ["dir::nothing.lef"],
        "DIE_AREA": [0, 10, 10, 0],
        "FP_ASPECT_RATIO": -1,
        "RUN_LINTER": True,
        "USE_SYNLIG": 3,
        "PNR_SDC_FILE": "/etc/passwd",
        "PDK": "other",
    }
    answer = await validate(api, design_dir, config=bad, from_step="Yosys.Synth", presets=["balancd"], scl="x")
    assert not answer["valid"]
    assert fields(answer["errors"]) >= {
        *(f"config.{name}" for name in bad if name != "RUN_LINTER"),
        *("from_step", "presets", "scl"),
    }
    by_field = {e["field"]: f"{e['message']} {e['remedy']}" for e in answer["errors"]}
    assert "Did you mean FP_CORE_UTIL" in by_field["config.FP_CORE_UTL"]
    assert "whole number" in by_field["config.EXPRESS_EFFORT"]
    assert "DELAY 4" in by_field["config.SYNTH_STRATEGY"]
    assert "nothing.lef" in by_field["config.EXTRA_LEFS"]
    assert "encloses nothing" in by_field["config.DIE_AREA"]
    assert "balanced" in by_field["presets"]
    assert len(by_field) == len(answer["errors"])  # one entry for each field


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"CLOCK_PERIOD": 10_000}, "CLOCK_PERIOD", "picoseconds"),
        ({"FP_CORE_UTIL": 0.4}, "FP_CORE_UTIL", "write 40."),
        ({"DIE_AREA": [0, 0, 90, 90], "SYNTH_NO_FLAT": True}, "SYNTH_NO_FLAT", "Write SYNTH_HIERARCHY_MODE"),
        ({"PL_TARGET_DENSITY_PCT": 50}, "PL_TARGET_DENSITY_PCT", "The flow Express has no use for it"),
        ({"TAKE_LAYOUT_SCROT": True}, "TAKE_LAYOUT_SCROT", "any more"),
    ],
)
async def test_what_is_only_unlikely_is_a_warning(
    api: Api, design_dir: Path, config: dict[str, Any], field: str, words: str
) -> None:
    answer = await validate(api, design_dir, config=config)
    assert answer["valid"], answer["errors"]
    [warning] = [w for w in answer["warnings"] if w["field"] == f"config.{field}"]
    assert words in f"{warning['message']} {warning['remedy']}".replace(f"for {field}", "for it")


@pytest.mark.parametrize(
    "config",
    [
        {"VERILOG_FILES": "dir::*.v"},
        {"VERILOG_FILES": ["dir::count*.v"], "FP_CORE_UTIL": "expr::10 * 4"},
        {"pdk::sky130*": {"FP_CORE_UTIL": 41}, "scl::other": {"FP_CORE_UTIL": 7}},
        {"//": "a comment", "#note": 1, "CLOCK_PORT": None},
        {"meta": {"version": 1}, "CLOCK_PERIOD": "12.5", "EXPRESS_EFFORT": "4", "VERILOG_FILES": "dir::counter.v"},
    ],
)
async def test_what_librelane_allows_is_allowed(api: Api, design_dir: Path, config: dict[str, Any]) -> None:
    answer = await validate(api, design_dir, config=config)
    assert answer["errors"] == []


async def test_substituted_and_listed_steps_are_what_will_run(api: Api, design_dir: Path) -> None:
    plain = [s["id"] for s in (await validate(api, design_dir))["steps"]]
    substitutions = {"Checker.LintWarnings": None, "+Express.Placement": "Express.DRC", "Checker.TrDRC": "Checker.LVS"}
    answer = await validate(api, design_dir, config={"meta": {"substituting_steps": substitutions}})
    steps = [s["id"] for s in answer["steps"]]
    assert answer["errors"] == []
    assert "Checker.LintWarnings" not in steps
    assert steps[steps.index("Express.Placement") + 1] == "Express.DRC"
    assert "Checker.TrDRC" not in steps
    assert len(steps) == len(plain)
    listed = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis", "Express.Floorplan"]
    answer = await validate(api, design_dir, config={"meta": {"flow": listed}}, skip=["Yosys.JsonHeader"])
    assert answer["errors"] == []
    assert [s["id"] for s in answer["steps"]] == ["Verilator.Lint", "Yosys.Synthesis", "Express.Floorplan"]
    assert (answer["flow"], answer["toolchain"]) == ("Custom", "express")


@pytest.mark.parametrize(
    ("meta", "field", "words"),
    [
        ({"flow": ["Yosys.Synthesiss"]}, "config.meta.flow", "Yosys.Synthesis"),
        ({"flow": "Expres"}, "flow", "Express"),
        ({"substituting_steps": {"Checker.LintErors": None}}, "config.meta.substituting_steps", "Checker.LintErrors"),
        ({"substituting_steps": {"+Checker.LVS": None}}, "config.meta.substituting_steps", "Give a step"),
        ({"substituting_steps": {"Checker.LVS": "Checker.LVVS"}}, "config.meta.substituting_steps", "Checker.LVS"),
        ({"flow": "Optimizing", "substituting_steps": {"A": None}}, "config.meta.substituting_steps", "another flow"),
    ],
)
async def test_steps_that_do_not_exist_are_refused_with_the_nearest(
    api: Api, design_dir: Path, meta: dict[str, Any], field: str, words: str
) -> None:
    answer = await validate(api, design_dir, config={"meta": meta})
    [entry] = [e for e in answer["errors"] if e["field"] == field]
    assert words in entry["remedy"]


async def test_a_toolchain_that_is_missing_says_nothing_against_the_configuration(api: Api, design_dir: Path) -> None:
    answer = await validate(api, design_dir, flow="SynthesisExploration", config={"CLOCK_PERIOD": 9})
    assert answer["toolchain"] == "path"
    assert "toolchain" not in fields(answer["errors"])
    assert any(w["field"] == "toolchain" and "PATH" in w["message"] for w in answer["warnings"])


class TestUnstaged:
    """A machine on which sky130A is not there yet."""

    @pytest.fixture
    def app_traits(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        for name in ("PDK_ROOT", "CIEL_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        return {"pdk_roots": []}

    async def test_names_and_types_are_checked_all_the_same(self, api: Api, design_dir: Path) -> None:
        answer = await validate(api, design_dir, config={"FP_CORE_UTIL": "full", "FP_CORE_UTL": 3})
        assert fields(answer["errors"]) == {"config.FP_CORE_UTIL", "config.FP_CORE_UTL"}
        assert (await validate(api, design_dir))["valid"]


async def test_presets_lie_under_what_is_given_and_the_later_wins(api: Api, design_dir: Path) -> None:
    answer = await validate(api, design_dir, presets=["minimal", "high_quality"], config={"EXPRESS_DENSITY": 0.55})
    assert answer["valid"], answer["errors"]
    assert answer["presets"] == ["minimal", "high_quality"]
    resolved = answer["resolved"]
    assert resolved["EXPRESS_EFFORT"] == {"value": 7, "origin": "preset high_quality"}
    assert resolved["EXPRESS_DENSITY"] == {"value": 0.55, "origin": "explicit"}
    assert resolved["CLOCK_PERIOD"] == {"value": 10, "origin": "explicit"}
    assert "DRT_OPT_ITERS" in answer["unused"]["minimal"]
    assert "DRT_OPT_ITERS" not in answer["config"]


async def test_a_build_remembers_where_its_values_are_from(api: Api, design_dir: Path) -> None:
    build = await api.build(design_dir, presets=["balanced"])
    assert build["presets"] == ["balanced"]
    assert build["origins"]["EXPRESS_EFFORT"] == "preset balanced"
    assert build["config"]["EXPRESS_EFFORT"] == 3
    await api.until(build["id"])
    status, again = await api.post("builds", build["id"], "retry")
    assert status == 201
    assert (again["config"], again["origins"], again["presets"]) == (build["config"], build["origins"], ["balanced"])
