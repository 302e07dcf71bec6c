"""Recorded runs played again at several speeds: the same steps, times and bytes arrive."""

from __future__ import annotations

import importlib.util
import json
import lzma
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from a6hub_jupyter.builds.model import json_safe

from ..conftest import DOUBLE, SHARED
from ..recorded.classic import surroundings
from .conftest import Api, request_for
from .test_stream import Connect, connect, messages, text_of

assert connect  # a fixture

RECORDED = Path(__file__).parents[1] / "recorded"
SPEEDS = [20.0, 200.0, *([1.0] if "A6HUB_REPLAY_REAL_TIME" in os.environ else [])]


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


@pytest.fixture
def play(
    api: Api, design_dir: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Awaitable[None]]:
    """Build with a recording in LibreLane's place, and compare what arrives with it."""

    async def run(path: Path, speed: float, **changes: Any) -> None:
        recording = json.loads(lzma.decompress(path.read_bytes()))
        monkeypatch.setenv("LIBRELANE_PATH", str(DOUBLE.parent / "replay"))
        monkeypatch.setenv("A6HUB_REPLAY", str(path))
        monkeypatch.setenv("A6HUB_SPEED", str(speed))
        status, build = await api.post("builds", body=request_for(design_dir, **changes))
        assert status == 201, [e["message"] for e in build.get("errors", [build])]
        stream = [m async for m in messages(await connect(build["id"], after=0))]
        end = stream[-1]["data"]
        assert end["state"] == "succeeded", end["error"]
        steps = recording["steps"]
        for state in ("running", "done"):
            told = [m["data"] for m in stream if m["type"] == "step" and m["data"]["state"] == state]
            assert [s["directory"] for s in told] == [s["directory"] for s in steps]
            assert [re.sub(r"[#-]\d+$", "", s["id"]) for s in told] == [s["step"] for s in steps]
        for mine, theirs in zip(told, steps, strict=True):
            assert mine["seconds"] == pytest.approx((theirs["end"] - theirs["start"]) / speed, abs=0.25)
        total = sum(s["seconds"] for s in told)
        assert total == pytest.approx(sum(s["end"] - s["start"] for s in steps) / speed, rel=0.25, abs=1.0)
        text = "".join(text for _, text in recording["console"]).replace("\r\n", "\n").replace("\n", "\r\n")
        assert text_of(stream).replace("\r\r\n", "\r\n") == text
        log = (tmp_path / "builds" / build["id"] / "console.log").read_bytes()
        assert log.decode() == text_of(stream)
        last = steps[-1]["state_out"]["metrics"]
        assert end["metrics"] == {**end["metrics"], **json_safe(last)}
        print(f"\n{len(steps)} steps at {speed:g}x: {total:.2f} s in steps, {len(log)} bytes")

    return run


@pytest.mark.parametrize("speed", SPEEDS)
async def test_an_express_run(play: Callable[..., Awaitable[None]], speed: float) -> None:
    await play(RECORDED / "express-counter.json.xz", speed)


@pytest.mark.needs("shared")
@pytest.mark.parametrize("speed", SPEEDS)
async def test_a_classic_run(
    play: Callable[..., Awaitable[None]], classic: Path, speed: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in surroundings(tmp_path).items():
        monkeypatch.setenv(name, value)
    await play(classic, speed, flow="Classic", pdk="ihp-sg13g2")
