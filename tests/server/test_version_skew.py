"""A LibreLane of another version in the toolchain: real ones, from the package index, in the user's cache."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from a6hub_jupyter import express
from a6hub_jupyter.toolchains.base import librelane_arguments

from ..unit.toolchains.test_commands import request_with, tool
from .conftest import Api, Json, request_for
from .test_toolchains import staged, whole_pdk

__all__ = ["staged", "whole_pdk"]  # fixtures

OLDER = "2.4.13"
INSTALL_SECONDS = 240


@pytest.fixture(scope="session")
def older() -> Path:
    """The executable of an older LibreLane; installed once, and skipped where there is no package index."""
    place = express.cache_directory() / "tests" / f"librelane-{OLDER}-py{sys.version_info[0]}{sys.version_info[1]}"
    executable = place / "bin" / "librelane"
    if not (place / "whole").exists():
        for command in (
            [sys.executable, "-m", "venv", str(place)],
            [str(place / "bin" / "pip"), "install", "--quiet", f"librelane=={OLDER}"],
        ):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
            except subprocess.TimeoutExpired:
                pytest.skip(f"LibreLane {OLDER} could not be installed within {INSTALL_SECONDS} s")
            if done.returncode != 0:
                words = (done.stderr.strip() or "no reason given").splitlines()[-1]
                pytest.skip(f"LibreLane {OLDER} could not be installed: {words}")
        (place / "whole").touch()
    return executable


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The programs that ``path`` looks for: Verilator is real, the others are there in name."""
    real = express.environment(sys.executable, os.environ)
    for name in ("openroad", "magic", "netgen", "klayout"):
        tool(tmp_path / "tools", name, f"echo {name} 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}{os.pathsep}{real['PATH']}")
    monkeypatch.setenv("A6HUB_PYTHON", sys.executable)
    monkeypatch.delenv("PYTHONPATH", raising=False)  # pytest-jupyter's: it would put our LibreLane before the other
    return tmp_path / "tools"


@pytest.fixture(scope="session")
def older_pdk(whole_pdk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PDK by the names of LibreLane 2 as well."""
    root = tmp_path_factory.mktemp("older") / "pdk"
    shutil.copytree(whole_pdk, root, symlinks=True)
    for settings in (root / "sky130A" / "libs.tech" / "librelane").rglob("config.tcl"):
        text = settings.read_text()
        older = re.sub(r"\b(PDN_)", r"FP_\1", re.sub(r"\b(FILL|DECAP)_CELLS", r"\1_CELL", text))
        settings.write_text(f"{text}\n{older}")
    return root


@pytest.fixture
def app_traits(older: Path, older_pdk: Path) -> Json:
    return {"librelane_path": str(older), "pdk_roots": [str(older_pdk)]}


def ids(build: Json) -> list[str]:
    return [s["id"] for s in build["steps"]]


@pytest.mark.needs("express")
async def test_the_steps_are_those_of_the_librelane_that_runs(api: Api, design_dir: Path, tools: Path) -> None:
    assert Version(OLDER) < Version(version("librelane"))
    request = request_for(design_dir, flow="Classic", to_step="Checker.LintWarnings")
    build = await api.build(design_dir, flow="Classic", to_step="Checker.LintWarnings", config={"RUN_LINTER": True})
    assert build["toolchain"] == "path"
    lint = ["Verilator.Lint", "Checker.LintTimingConstructs", "Checker.LintErrors", "Checker.LintWarnings"]
    assert ids(build) == lint
    status, answer = await api.post("builds", body={**request, "to_step": "Checker.LintWarning"})
    assert (status, answer["field"]) == (422, "to_step")
    assert "Checker.LintWarnings" in answer["remedy"]
    status, answer = await api.post("builds", body={**request, "flow": "Chip"})
    assert (status, answer["field"]) == (422, "flow")  # LibreLane 3 has it, this one not
    end = await api.until(build["id"], seconds=120)
    log: Any = await api.raw("builds", build["id"], "log")
    assert "Traceback" not in log.body.decode()
    assert "No such option" not in log.body.decode()
    assert end["state"] == "succeeded", log.body.decode()[-2000:]


@pytest.mark.needs("express")
async def test_the_variables_are_those_of_the_librelane_that_runs(api: Api, design_dir: Path, tools: Path) -> None:
    status, answer = await api.get("flows/Classic/variables")
    assert status == 200, answer
    theirs = {v["name"]: v for v in answer["variables"]}
    status, answer = await api.get("flows/Classic/variables", params={"toolchain": "express"})
    ours = {v["name"]: v for v in answer["variables"]}
    only_theirs, only_ours = sorted(set(theirs) - set(ours)), sorted(set(ours) - set(theirs))
    assert only_theirs
    assert only_ours
    assert theirs["STD_CELL_LIBRARY"]["default"] == "sky130_fd_sc_hd"  # the PDK's
    status, listed = await api.get("flows")
    assert "Chip" not in {f["name"] for f in listed["flows"]}

    newer, wrong = only_ours[0], {"FP_CORE_UTIL": "much", "CLOCK_PORT": "clok", only_ours[0]: 1}
    request = request_for(design_dir, flow="Classic", to_step="Checker.LintWarnings")
    status, answer = await api.post("builds", body={**request, "config": {**request["config"], **wrong}})
    assert status == 422
    named = {e["field"]: e for e in answer["errors"]}
    assert set(named) >= {"config.FP_CORE_UTIL", "config.CLOCK_PORT"}, named
    status, checked = await api.post("designs/validate", body={**request, "config": {**request["config"], newer: 1}})
    told = {e["field"] for kind in ("errors", "warnings") for e in checked[kind]}
    assert told == {f"config.{newer}"}, checked
    status, checked = await api.post("designs/validate", body=request)
    assert checked["valid"], checked
    assert set(checked["resolved"]) == set(theirs)
    assert checked["resolved"]["FP_CORE_UTIL"]["value"] == 50


@pytest.mark.needs("express")
async def test_lists_and_substitutions_are_those_of_the_librelane_that_runs(
    api: Api, design_dir: Path, tools: Path
) -> None:
    request = request_for(design_dir, flow="Classic", to_step="Checker.LintErrors", toolchain="path")
    config = {**request["config"], "meta": {"version": 2, "substituting_steps": {"Checker.LintTimingConstructs": None}}}
    status, checked = await api.post("designs/validate", body={**request, "config": config})
    assert (status, checked["errors"]) == (200, [])
    assert [s["id"] for s in checked["steps"]] == ["Verilator.Lint", "Checker.LintErrors"]
    build = await api.build(design_dir, flow="Classic", to_step="Checker.LintErrors", toolchain="path", config=config)
    assert ids(build) == ["Verilator.Lint", "Checker.LintErrors"]
    end = await api.until(build["id"], seconds=120)
    log: Any = await api.raw("builds", build["id"], "log")
    assert end["state"] == "succeeded", log.body.decode()[-2000:]
    listed = ["Verilator.Lint", "Checker.LintErrors"]
    config["meta"] = {"version": 2, "flow": listed}
    body = {**request, "flow": None, "to_step": None, "config": config}
    status, checked = await api.post("designs/validate", body=body)
    assert (status, checked["errors"]) == (200, [])
    assert [s["id"] for s in checked["steps"]] == listed
    meta = json.dumps({"flow": listed})
    status, answer = await api.get("flows/Custom/variables", params={"meta": meta, "toolchain": "path"})
    assert status == 200, answer
    assert [s["id"] for s in answer["steps"]] == listed
    assert {"LINTER_INCLUDE_PDK_MODELS", "VERILOG_FILES"} <= {v["name"] for v in answer["variables"]}
    assert "DRT_OPT_ITERS" not in {v["name"] for v in answer["variables"]}
    status, answer = await api.get("flows/Custom/variables", params={"meta": json.dumps({"flow": ["Verilator.Lnt"]})})
    assert (status, answer["field"]) == (404, "config.meta.flow")
    assert "Verilator.Lint" in answer["remedy"]


def test_every_argument_is_known_to_both(older: Path) -> None:
    request = request_with({}, from_step="Verilator.Lint")
    passed = {a for a in librelane_arguments(request, Path("/b"), "/p") if a.startswith("--")}
    assert {"--manual-pdk", "--design-dir", "--skip", "--from", "--to", "--scl"} <= passed
    for command in ([str(older)], [sys.executable, "-m", "librelane"]):
        text = subprocess.run(
            [*command, "--help"], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "250"}
        ).stdout
        assert [name for name in passed if name not in text] == []
