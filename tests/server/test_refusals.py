"""Bad input: one clear sentence that names the field and the remedy, and nothing left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from .conftest import Api, request_for, write_script

CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    # name: (changes to a good request, field, words of the answer)
    "no Verilog file": ({"config": {"VERILOG_FILES": []}}, "config.VERILOG_FILES", "no Verilog file"),
    "missing file": ({"config": {"VERILOG_FILES": ["dir::countre.v"]}}, "config.VERILOG_FILES", "countre.v"),
    "a pattern without a file": ({"config": {"VERILOG_FILES": ["dir::n*.v"]}}, "config.VERILOG_FILES", "n*.v"),
    "unknown top module": ({"config": {"DESIGN_NAME": "countr"}}, "config.DESIGN_NAME", "Did you mean counter?"),
    "no clock port": ({"config": {"CLOCK_PORT": "clock"}}, "config.CLOCK_PORT", "no input port 'clock'"),
    "clock period 0": ({"config": {"CLOCK_PERIOD": 0}}, "config.CLOCK_PERIOD", "nanoseconds"),
    "clock period text": ({"config": {"CLOCK_PERIOD": "fast"}}, "config.CLOCK_PERIOD", "nanoseconds"),
    "unknown variable": ({"config": {"FP_CORE_UTL": 40}}, "config.FP_CORE_UTL", "FP_CORE_UTIL"),
    "another PDK in the configuration": ({"config": {"PDK": "gf180mcuD"}}, "config.PDK", "fields pdk"),
    "unknown meta": ({"config": {"meta": {"step": "x"}}}, "config.meta", "substituting_steps"),
    "unknown meta.version": ({"config": {"meta": {"version": 3}}}, "config.meta.version", "1 or 2"),
    "version that is a list": ({"config": {"meta": {"version": []}}}, "config.meta.version", "1 or 2"),
    "meta that is a number": ({"config": {"meta": 5}}, "config.meta", "substituting_steps"),
    "empty list of steps": ({"config": {"meta": {"flow": []}}}, "config.meta.flow", "step ids"),
    "no substitution": (
        {"config": {"meta": {"substituting_steps": {"A": 3}}}},
        "config.meta.substituting_steps",
        "null",
    ),
    "any file outside the root": ({"config": {"EXTRA_LEFS": ["/etc/hostname"]}}, "config.EXTRA_LEFS", "outside"),
    "a pattern that goes up": ({"config": {"EXTRA_GDS": "refg::../../../*.gds"}}, "config.EXTRA_GDS", "outside"),
    "a list for the top": ({"config": {"DESIGN_NAME": ["x"]}}, "config.DESIGN_NAME", "name"),
    "a number for the clock": ({"config": {"CLOCK_PORT": 5}}, "config.CLOCK_PORT", "name"),
    "an expression that fails": ({"config": {"FP_CORE_UTIL": "expr::1/0"}}, "config.FP_CORE_UTIL", "refuses"),
    "a long file name": ({"config": {"VERILOG_FILES": ["dir::" + "x" * 300]}}, "config.VERILOG_FILES", "path"),
    "wrong type": ({"config": {"FP_CORE_UTIL": "full"}}, "config.FP_CORE_UTIL", "FP_CORE_UTIL"),
    "unknown PDK": ({"pdk": "sky999"}, "pdk", "sky130A"),
    "PDK without the library": ({"scl": "sky130_fd_sc_hs"}, "scl", "sky130_fd_sc_hd"),
    "unknown flow": ({"flow": "Expres", "toolchain": "path"}, "toolchain", "PATH"),
    "unknown toolchain": ({"toolchain": "magic"}, "toolchain", "express"),
    "unknown step": ({"to_step": "Yosys.Synth"}, "to_step", "Yosys.Synthesis"),
    "steps in the wrong order": ({"from_step": "KLayout.Render", "to_step": "Verilator.Lint"}, "from_step", "after"),
    "outside the root": ({"design_dir": "/etc"}, "design_dir", "outside"),
    "up and out": ({"design_dir": "../.."}, "design_dir", "outside"),
    "file outside the root": ({"config": {"VERILOG_FILES": ["/etc/passwd"]}}, "config.VERILOG_FILES", "outside"),
    "no such directory": ({"design_dir": "course/nothing"}, "design_dir", "does not exist"),
    "NUL in a path": ({"design_dir": "a\0b"}, "design_dir", "path"),
    "long path": ({"design_dir": "a" * 100_000}, "design_dir", "path"),
    "unknown field": ({"desing": "x"}, "desing", "no field"),
    "wrong field type": ({"skip": "Yosys.Synthesis"}, "skip", "not a list"),
    "timeout 0": ({"timeout": 0}, "timeout", "out of range"),
    "no configuration": ({"config": None}, "config", "missing"),
}


def records(tmp_path: Path) -> list[str]:
    """Names of the build directories; beside them lie the index and the lock."""
    return [p.name for p in (tmp_path / "builds").iterdir() if not p.name.startswith((".index.sqlite", ".lock"))]


@pytest.mark.parametrize("case", CASES)
async def test_a_bad_request_is_refused_by_its_field(
    api: Api, design_dir: Path, tmp_path: Path, jp_root_dir: Path, case: str
) -> None:
    changes, field, words = CASES[case]
    body = request_for(design_dir)
    body["config"].update(changes.get("config") or {})
    body.update({k: v for k, v in changes.items() if k != "config" or v is None})
    before = sorted(jp_root_dir.rglob("*"))
    status, answer = await api.post("builds", body=body)
    assert status == 422, answer
    entries = answer.get("errors") or [answer]
    named = [e for e in entries if e["field"] == field]
    assert named, answer
    text = f"{named[0]['message']} {named[0]['remedy']}"
    assert words in text
    assert "Traceback" not in text
    assert sorted(jp_root_dir.rglob("*")) == before
    assert records(tmp_path) == []


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"FALLBACK_SDC": "dir::leads_out.sdc"}, "config.FALLBACK_SDC"),
        ({"FALLBACK_SDC": "ref::$DESIGN_DIR/leads_out.sdc"}, "config.FALLBACK_SDC"),
        ({"FALLBACK_SDC": "refg::$HERE/*name", "HERE_OPT": 1}, "config.FALLBACK_SDC"),
        ({"pdk::*": {"FALLBACK_SDC": "dir::leads_out.sdc"}}, "config.FALLBACK_SDC"),
    ],
)
async def test_what_librelane_makes_of_a_path_is_confined_too(
    api: Api, design_dir: Path, tmp_path: Path, config: dict[str, Any], field: str
) -> None:
    (design_dir / "leads_out.sdc").symlink_to("/etc/hostname")
    status, answer = await api.post("builds", body=request_for(design_dir, config=config))
    assert status == 422, answer
    assert field in [e["field"] for e in answer["errors"]], answer
    assert records(tmp_path) == []


async def test_librelanes_own_files_and_those_of_the_design_are_no_way_out(api: Api, design_dir: Path) -> None:
    (design_dir / "mine.sdc").write_text("")
    write_script(design_dir, seconds=0.01)
    build = await api.build(design_dir, config={"FALLBACK_SDC": "ref::$DESIGN_DIR/mine.sdc"})
    assert (await api.until(build["id"]))["state"] == "succeeded"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"FP_CORE_UTIL": "full"}, "config.FP_CORE_UTIL"),
        ({"FP_CORE_UTL": 40}, "config.FP_CORE_UTL"),
        ({"DIE_AREA": [0, 0, 10]}, "config.DIE_AREA"),
        ({"FALLBACK_SDC": "dir::nothing.sdc"}, "config.FALLBACK_SDC"),
    ],
)
async def test_a_wrong_variable_is_refused_also_before_the_pdk_is_staged(
    api: Api, design_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], field: str
) -> None:
    monkeypatch.setattr("a6hub_jupyter.librelane.pdks.installed", lambda extra=(): {})
    status, answer = await api.post("builds", body=request_for(design_dir, config=config))
    assert status == 422, answer
    assert field in [e["field"] for e in answer["errors"]], answer
    assert records(tmp_path) == []


async def test_what_only_the_pdk_can_tell_is_left_for_when_it_is_staged(
    api: Api, design_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("a6hub_jupyter.librelane.pdks.installed", lambda extra=(): {})
    config = {"CELL_LEFS": ["pdk_dir::x.lef"], "FP_CORE_UTIL": "expr::20 * 2", "FALLBACK_SDC": "scl_dir::x.sdc"}
    build = await api.build(design_dir, config=config)
    assert build["steps"][0]["id"] == "Express.StagePDK"
    assert (await api.post("builds", build["id"], "cancel"))[0] == 202


async def test_each_bad_field_has_an_entry(api: Api, design_dir: Path) -> None:
    config = {"DESIGN_NAME": "x", "CLOCK_PERIOD": -1, "NOT_A_VARIABLE": 1}
    _, answer = await api.post("builds", body=request_for(design_dir, config=config))
    fields = {e["field"] for e in answer["errors"]}
    assert fields == {"config.DESIGN_NAME", "config.CLOCK_PERIOD", "config.NOT_A_VARIABLE"}


@pytest.mark.parametrize("body", ["{", "[]", "3", '"x"', "[" * 100_000, "null"])
async def test_what_is_no_json_object_is_malformed(api: Api, body: str) -> None:
    status, answer = await api.post("builds", body=body)
    assert status == 400
    assert "JSON" in answer["message"]


async def test_too_large_a_request_is_refused(api: Api) -> None:
    status, answer = await api.post("builds", body={"name": "a" * (2 << 20)})
    assert status == 413
    assert "larger" in answer["message"]


async def test_a_read_only_design_directory_is_refused(api: Api, design_dir: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    design_dir.chmod(0o500)
    status, answer = await api.post("builds", body=request_for(design_dir))
    assert (status, answer["field"]) == (422, "design_dir")
    assert "writable" in answer["message"]


@pytest.mark.parametrize("build_id", ["20261123-121314-counter-abcdef", "nothing", "..%2f..%2fetc", "a" * 3000, "%00"])
@pytest.mark.parametrize("what", ["", "cancel", "log", "artifacts", "picture", "scene", "layers", "artifacts/x"])
async def test_an_unknown_build_is_a_404_with_a_sentence(api: Api, build_id: str, what: str) -> None:
    path = ("builds", build_id, *what.split("/")) if what else ("builds", build_id)
    status, answer = await (api.post(*path) if what == "cancel" else api.get(*path))
    assert status == 404
    assert answer["message"]
    assert len(answer["message"]) < 200


class TestDisk:
    """A disk that is too full for a build."""

    @pytest.fixture
    def app_traits(self) -> dict[str, Any]:
        return {"min_free_disk": 1 << 60}

    async def test_is_told_before_anything_starts(self, api: Api, design_dir: Path, tmp_path: Path) -> None:
        status, answer = await api.post("builds", body=request_for(design_dir))
        assert status == 507
        assert "MB are free" in answer["message"]
        assert records(tmp_path) == []


class TestQueueLimit:
    """A queue that is full."""

    @pytest.fixture
    def app_traits(self) -> dict[str, Any]:
        return {"max_queued": 1, "max_running": 1}

    async def test_is_told_with_the_time_to_come_again(self, api: Api, design_dir: Path) -> None:
        write_script(design_dir, steps=["Verilator.Lint"], seconds=30)
        await api.until((await api.build(design_dir))["id"], "running")
        await api.build(design_dir)
        response = await api.raw("builds", method="POST", body=json.dumps(request_for(design_dir)))
        assert response.code == 429
        assert int(response.headers["Retry-After"]) > 0


async def test_lint_refuses_what_it_cannot_check(api: Api, design_dir: Path, jp_serverapp: ServerApp) -> None:
    good = {"design_dir": str(design_dir), "verilog_files": ["counter.v"], "top": "counter"}
    cases: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
        ({"verilog_files": []}, lambda a: a["field"] == "verilog_files"),
        ({"verilog_files": ["nothing.v"]}, lambda a: "nothing.v" in a["message"]),
        ({"verilog_files": ["/etc/passwd"]}, lambda a: "outside" in a["message"]),
        ({"verilog_files": [3]}, lambda a: a["field"] == "verilog_files"),
        ({"top": "--version"}, lambda a: a["field"] == "top"),
        ({"design_dir": "/"}, lambda a: a["field"] == "design_dir"),
    ]
    for change, holds in cases:
        status, answer = await api.post("lint", body={**good, **change})
        assert status == 422
        assert holds(answer), answer


async def test_a_pattern_names_what_it_finds_here_and_nothing_elsewhere(
    api: Api, design_dir: Path, tmp_path: Path
) -> None:
    for files in (["dir::*.v"], "dir::*.v"):
        await api.build(design_dir, config={"VERILOG_FILES": files}, to_step="Verilator.Lint")
    (tmp_path / "elsewhere.v").write_text("module elsewhere; endmodule\n")
    (design_dir / "linked.v").symlink_to(tmp_path / "elsewhere.v")
    status, answer = await api.post("builds", body=request_for(design_dir, config={"VERILOG_FILES": ["dir::*.v"]}))
    assert status == 422
    assert answer["field"] == "config.VERILOG_FILES"
    assert "outside" in answer["message"]
