"""A LibreLane of another version in the toolchain: real ones, from the package index, in the user's cache."""

from __future__ import annotations

import os
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


@pytest.fixture
def app_traits(older: Path) -> Json:
    return {"librelane_path": str(older)}


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
    assert end["state"] in {"succeeded", "failed"}, end
    if end["state"] == "failed":  # the empty PDK of these tests is refused by LibreLane itself, in its words
        assert "PDK" in log.body.decode()


def test_every_argument_is_known_to_both(older: Path) -> None:
    request = request_with({}, from_step="Verilator.Lint")
    passed = {a for a in librelane_arguments(request, Path("/b"), "/p") if a.startswith("--")}
    assert {"--manual-pdk", "--design-dir", "--skip", "--from", "--to", "--scl"} <= passed
    for command in ([str(older)], [sys.executable, "-m", "librelane"]):
        text = subprocess.run(
            [*command, "--help"], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "250"}
        ).stdout
        assert [name for name in passed if name not in text] == []
