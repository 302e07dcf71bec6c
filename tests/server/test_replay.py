"""Recorded runs played again at several speeds: the same steps, times and bytes arrive."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import lzma
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from a6hub_jupyter.builds.model import json_safe

from ..conftest import DOUBLE, SHARED
from ..recorded.classic import PDK, surroundings
from .conftest import COUNTER, Api, Json, request_for
from .processes import Follower, Server
from .test_stream import Connect, connect, messages, text_of

assert connect  # a fixture

RECORDED = Path(__file__).parents[1] / "recorded"
EXPRESS = RECORDED / "express-counter.json.xz"
REPLAY = DOUBLE.parent / "replay"
SPEEDS = [20.0, 200.0]


def recorder() -> ModuleType:
    specification = importlib.util.spec_from_file_location("record", RECORDED / "record.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded Classic run of 74 steps, as a recording."""
    path = tmp_path_factory.mktemp("recorded") / "classic.json.xz"
    made = recorder()
    made.pack(made.from_archive(SHARED / "recorded" / "classic-spm-ihp-sg13g2.tar.xz"), path)
    return path


def orders(directory: Path, recording: Path, speed: float) -> None:
    """Say what the stand-in is to play for builds of this design."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "counter.v").write_text(COUNTER)
    (directory / "replay.json").write_text(json.dumps({"recording": str(recording), "speed": speed}))


def compare(path: Path, speed: float, design_dir: Path, events: list[Json], end: Json, text: str, log: bytes) -> None:
    """What has arrived is what was recorded: the steps in order, their times, every byte, the metrics.

    A step's times are those of its state files, whatever the speed: they are held to what the stand-in wrote, to the
    10 ms that rounding and a file system's clock may differ by. How far it was itself behind the recording depends on
    the machine; it is never ahead.
    """
    recording = json.loads(lzma.decompress(path.read_bytes()))
    steps = recording["steps"]
    assert end["state"] == "succeeded", end["error"]
    told: list[Json] = []
    for state in ("running", "done"):
        told = [m["data"] for m in events if m["type"] == "step" and m["data"]["state"] == state]
        assert [s["directory"] for s in told] == [s["directory"] for s in steps]
        assert [re.sub(r"[#-]\d+$", "", s["id"]) for s in told] == [s["step"] for s in steps]
    written = json.loads((design_dir / "replayed.json").read_text())
    for step in told:
        begun, ended = written[step["directory"]]
        assert step["seconds"] == pytest.approx(ended - begun, abs=0.01)
    first, last = written[steps[0]["directory"]][0], written[steps[-1]["directory"]][1]
    assert last - first >= (steps[-1]["end"] - steps[0]["start"]) / speed - 0.05
    printed = "".join(text for _, text in recording["console"]).replace("\r\n", "\n").replace("\n", "\r\n")
    assert text.replace("\r\r\n", "\r\n") == printed
    assert log.decode() == text
    assert end["metrics"] == {**end["metrics"], **json_safe(steps[-1]["state_out"]["metrics"])}
    print(f"\n{len(steps)} steps at {speed:g}x: {last - first:.2f} s, {len(log)} bytes")


@pytest.fixture
def play(
    api: Api, design_dir: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Awaitable[None]]:
    """Build with a recording in LibreLane's place, and compare what arrives with it."""

    async def run(path: Path, speed: float, **changes: Any) -> None:
        monkeypatch.setenv("LIBRELANE_PATH", str(REPLAY))
        monkeypatch.setenv("A6HUB_PYTHON", sys.executable)
        orders(design_dir, path, speed)
        status, build = await api.post("builds", body=request_for(design_dir, **changes))
        assert status == 201, [e["message"] for e in build.get("errors", [build])]
        stream = [m async for m in messages(await connect(build["id"], after=0))]
        log = (tmp_path / "builds" / build["id"] / "console.log").read_bytes()
        compare(path, speed, design_dir, stream, stream[-1]["data"], text_of(stream), log)

    return run


@pytest.mark.parametrize("speed", SPEEDS)
async def test_an_express_run(play: Callable[..., Awaitable[None]], speed: float) -> None:
    await play(EXPRESS, speed)


CLASSIC = {"flow": "Classic", "pdk": PDK}


@pytest.mark.needs("shared")
@pytest.mark.parametrize("speed", SPEEDS)
async def test_a_classic_run(
    play: Callable[..., Awaitable[None]], classic: Path, speed: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in surroundings(tmp_path).items():
        monkeypatch.setenv(name, value)
    await play(classic, speed, **CLASSIC)


async def follow_in_real_time(tmp_path: Path, recording: Path) -> tuple[Follower, bytes]:
    """Play it as it was, on a server of its own, and follow it live."""
    directory = tmp_path / "work" / "counter"
    orders(directory, recording, 1.0)
    traits = {"builds_dir": str(tmp_path / "builds"), "cache_dir": str(tmp_path / "cache"), "min_free_disk": 0}
    environment = {"LIBRELANE_PATH": str(REPLAY), "A6HUB_PYTHON": sys.executable, **surroundings(tmp_path)}
    server = Server(tmp_path / "work", tmp_path / "server", environment, **traits)
    try:
        await server.start()
        build = await server.insist("POST", "builds", json=request_for(directory, **CLASSIC))
        follower = Follower(server, build["id"])
        await follower.follow()
        return follower, (server.builds / build["id"] / "console.log").read_bytes()
    finally:
        server.stop()


@pytest.fixture(scope="session", autouse=True)
def in_real_time(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], tuple[Path, Path, Follower, bytes]] | None]:
    """Begin the run that takes a minute at once, in a thread, where it is wanted: other tests run meanwhile."""
    if not SHARED.is_dir() or not any(REAL_TIME in item.name for item in request.session.items):
        yield None
        return
    work = tmp_path_factory.mktemp("real-time")
    path: Path = request.getfixturevalue("classic")
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(lambda: asyncio.run(follow_in_real_time(work, path)))
        yield lambda: (path, work / "work" / "counter", *running.result(240))


REAL_TIME = "test_a_classic_run_in_real_time"


@pytest.mark.needs("shared")
def test_a_classic_run_in_real_time(in_real_time: Callable[[], tuple[Path, Path, Follower, bytes]]) -> None:
    path, directory, follower, log = in_real_time()
    assert follower.end is not None
    compare(path, 1.0, directory, follower.events, follower.end["data"], "".join(follower.text), log)
    follower.check()
