"""Toolchains through the server: the engine is a stand-in (``tests/toolchains/engine``), its LibreLane is real."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from a6hub_jupyter import express
from a6hub_jupyter.builds import journal
from a6hub_jupyter.express import sky130
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.sky130.staging import stage

from .conftest import Api, Json, request_for

ENGINE = Path(__file__).parents[1] / "toolchains" / "engine"
# A flow that only the LibreLane of the "image" has, with a gate; its steps are real, and slow where it is told to be.
PLUGIN = """
import os, time
from librelane.config import Variable
from librelane.flows import Flow
from librelane.steps import Checker, Step
from a6hub_jupyter.express.flow import Express

@Step.factory.register()
class Wait(Step):
    id, name, inputs, outputs = "Course.Wait", "Wait", [], []
    def run(self, state_in, **kwargs):
        print("waiting", os.environ.get("COLUMNS"), flush=True)
        time.sleep(float(os.environ.get("COURSE_SECONDS", "0")))
        return {}, {}

@Flow.factory.register()
class Course(Express):
    Steps = [Wait, *Express.Steps]
    config_vars = [*Express.config_vars, Variable("RUN_LINT", bool, "Lint", default=True)]
    gating_config_vars = {"Checker.Lint*": ["RUN_LINT"]}
"""


class Engine:
    """The stand-in engine of one test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        plugins = directory / "plugins"
        plugins.mkdir(parents=True)
        (plugins / "librelane_plugin_course.py").write_text(PLUGIN)
        inside = express.environment(sys.executable, {"PATH": os.environ["PATH"], "PYTHONPATH": str(plugins)})
        self.write_image({**inside, "HOME": os.environ["HOME"]})
        self.process = subprocess.Popen([sys.executable, str(ENGINE), "daemon", str(directory)])
        while not (directory / "socket").exists():
            time.sleep(0.02)

    def write_image(self, environment: dict[str, str]) -> None:
        (self.directory / "image.json").write_text(json.dumps(environment))

    def slow(self) -> None:
        image = json.loads((self.directory / "image.json").read_text())
        self.write_image({**image, "COURSE_SECONDS": "600"})

    def pull(self) -> None:
        (self.directory / "pulled").touch()

    def calls(self, command: str) -> list[Json]:
        lines = (self.directory / "calls.jsonl").read_text().splitlines()
        return [call for call in map(json.loads, lines) if call["argv"][0] == command]

    def containers(self) -> list[str]:
        return [p.name for p in (self.directory / "containers").iterdir()]


@pytest.fixture(scope="session")
def staged() -> Path:
    try:
        stage(sky130.default_root())
    except ProblemError as problem:
        pytest.skip(str(problem))
    return sky130.default_root()


@pytest.fixture(scope="session")
def whole_pdk(staged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staged PDK with the settings that Classic wants of one, and empty files for them: none is read here."""
    root = tmp_path_factory.mktemp("pdk")
    ours = root / sky130.PDK
    shutil.copytree(staged / sky130.PDK / "libs.tech", ours / "libs.tech")
    (ours / "libs.ref").symlink_to(staged / sky130.PDK / "libs.ref")
    lines = []
    for name, prefix in {
        "RCX_RULESETS": "* ",
        "MAGICRC": "",
        "MAGIC_TECH": "",
        "MAGIC_PDK_SETUP": "",
        "NETGEN_SETUP": "",
    }.items():
        (ours / name.lower()).touch()
        lines.append(f'set ::env({name}) "{prefix}{ours / name.lower()}"\n')
    with (ours / "libs.tech" / "librelane" / "config.tcl").open("a") as file:
        file.writelines(lines)
    return root


@pytest.fixture
def app_traits(whole_pdk: Path) -> Json:
    return {"container_engine": str(ENGINE), "pdk_roots": [str(whole_pdk)]}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = Engine(tmp_path / "engine")
    monkeypatch.setenv("A6HUB_TEST_ENGINE", str(engine.directory))
    yield engine
    inside = [p for p in psutil.process_iter() if _ancestor(p, engine.process.pid)]
    engine.process.kill()
    engine.process.wait()
    for process in inside:
        with_suppressed_kill(process)


def _ancestor(process: psutil.Process, pid: int) -> bool:
    try:
        return any(p.pid == pid for p in process.parents())
    except psutil.Error:
        return False


def with_suppressed_kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


async def until(condition: Any, seconds: float = 60.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to that")


pytestmark = pytest.mark.needs("express")


async def test_a_build_in_a_container_ends_in_a_layout(api: Api, engine: Engine, design_dir: Path) -> None:
    """The image is pulled as a step; auto says why it took the engine; LibreLane runs as the real one would."""
    status, build = await api.post("builds", body=request_for(design_dir, flow="Course"))
    assert status == 422, build  # before the image is here, nobody can know this flow
    assert build["field"] == "flow"
    engine.pull()
    build = await api.build(design_dir, flow="Course", config={"RUN_LINT": False})
    assert build["toolchain"] == "container"
    assert build["toolchain_reason"] == "The first that can run Course here (not express, path)."
    steps = [s["id"] for s in build["steps"]]
    assert steps[:3] == ["Course.Wait", "Verilator.Lint", "Yosys.JsonHeader"]  # theirs, less what is switched off
    end = await api.until(build["id"], seconds=180)
    assert end["state"] == "succeeded", end["error"]
    assert end["has_layout"]
    assert [s["id"] for s in end["steps"]] == steps
    [run] = [c["argv"] for c in engine.calls("run") if "--name" in c["argv"]]
    assert run[run.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
    log = await api.raw("builds", build["id"], "log")
    assert b"waiting 200" in log.body  # the terminal of the supervisor, through the engine's client
    assert len([c for c in engine.calls("run") if "--name" not in c["argv"]]) == 1  # asked once, for this image
    assert engine.calls("stop") == engine.calls("rm") == []


async def test_an_image_that_is_not_here_is_pulled_as_a_step(api: Api, engine: Engine, design_dir: Path) -> None:
    build = await api.build(design_dir, flow="Classic", toolchain="container", to_step="Verilator.Lint")
    assert [s["id"] for s in build["steps"]][:2] == ["Container.Pull", "Verilator.Lint"]
    assert "until it is here" in build["toolchain_reason"]
    end = await api.until(build["id"], seconds=120)
    assert end["state"] == "succeeded", end["error"]
    assert [s["state"] for s in end["steps"]] == ["done", "done"]
    log = await api.raw("builds", build["id"], "log")
    assert b"2 of 2 layers are here" in log.body


async def test_cancel_stops_the_container_and_not_its_client_alone(api: Api, engine: Engine, design_dir: Path) -> None:
    engine.pull()
    engine.slow()
    build = await api.build(design_dir, flow="Course", toolchain="container")
    name = f"a6hub-{build['id']}"
    await until((design_dir / "runs" / build["id"] / "01-course-wait" / "state_in.json").exists)
    assert engine.containers() == [name]
    await api.post("builds", build["id"], "cancel")
    end = await api.until(build["id"], seconds=60)
    assert end["state"] == "cancelled"
    assert engine.containers() == []
    assert engine.calls("stop")[0]["argv"] == ["stop", "-t", "1", name]
    assert engine.calls("rm")[0]["argv"] == ["rm", "--force", name]


async def test_the_container_of_a_lost_build_is_ended(
    api: Api, engine: Engine, design_dir: Path, tmp_path: Path
) -> None:
    engine.pull()
    engine.slow()
    build = await api.build(design_dir, flow="Course", toolchain="container")
    await until(engine.containers)
    supervisor = journal.read_json(tmp_path / "builds" / build["id"] / journal.SUPERVISOR)
    assert isinstance(supervisor, dict)
    os.kill(supervisor["pid"], signal.SIGKILL)
    end = await api.until(build["id"], seconds=60)
    assert end["state"] == "lost"
    await until(lambda: engine.containers() == [])


class TestPull:
    """Of an image that no registry has."""

    @pytest.fixture
    def app_traits(self, whole_pdk: Path) -> Json:
        return {"container_engine": str(ENGINE), "container_image": "lab/missing:1", "pdk_roots": [str(whole_pdk)]}

    async def test_the_engine_s_own_words_are_the_error(self, api: Api, engine: Engine, design_dir: Path) -> None:
        build = await api.build(design_dir, flow="Classic", toolchain="container")
        end = await api.until(build["id"], seconds=60)
        assert end["state"] == "failed"
        assert end["error"]["step"] == "Container.Pull"
        assert "manifest unknown" in end["error"]["message"]
        assert "lab/missing:1" in end["error"]["message"]


class TestNothing:
    """Where there is no toolchain at all but Express."""

    @pytest.fixture
    def app_traits(self) -> Json:
        return {"container_engine": "/nothing/docker"}

    async def test_a_flow_that_nothing_can_run_is_refused_with_what_to_install(
        self, api: Api, design_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PATH", "/bin")
        status, answer = await api.post("builds", body=request_for(design_dir, flow="Classic"))
        assert status == 422
        assert answer["message"].startswith("No toolchain here can run the flow Classic.")
        ways = [e["message"].partition(":")[0] for e in answer["errors"] if e["field"] == "toolchain"]
        assert ways[1:] == ["express", "path", "container", "apptainer", "nix"]
        assert all(e["remedy"] for e in answer["errors"])
        assert not [p for p in (tmp_path / "builds").iterdir() if p.is_dir()]

    async def test_all_toolchains_are_described(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/bin")
        _, answer = await api.get("toolchains")
        known = {t["name"]: t for t in answer["toolchains"]}
        assert known["express"]["available"]
        assert {t["name"] for t in known["express"]["tools"]} >= {"pyosys", "verilator"}
        assert not known["container"]["available"]
        assert known["container"]["provides"]["image"].startswith("ghcr.io/librelane/librelane:")
