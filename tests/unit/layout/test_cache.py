from __future__ import annotations

import asyncio
import gzip
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from a6hub_jupyter.layout import LayoutError, SceneCache, SceneFiles

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

GENEROUS = 1 << 30


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The layouts for which a worker was started, in order."""
    names: list[str] = []
    original: Callable[..., Coroutine[Any, Any, asyncio.subprocess.Process]] = asyncio.create_subprocess_exec

    async def counted(*command: str, **options: Any) -> asyncio.subprocess.Process:
        names.append(command[command.index("a6hub_jupyter.layout.scene") + 1].rsplit("/", 1)[-1])
        return await original(*command, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
    return names


def cache(directory: Path, max_bytes: int = GENEROUS, timeout: float = 60) -> SceneCache:
    return SceneCache(directory / "cache", max_bytes, timeout, GENEROUS)


def test_one_conversion_for_all_who_ask(layout: Path, tmp_path: Path, started: list[str]) -> None:
    async def ask() -> list[SceneFiles]:
        scenes = cache(tmp_path)
        found = await asyncio.gather(*(scenes.scene(layout, None) for _ in range(5)))
        return [*found, await scenes.scene(layout, None)]

    files = asyncio.run(ask())
    assert started == ["small.gds"]
    assert len(set(files)) == 1
    assert gzip.decompress(files[0].scene.read_bytes()).startswith(b"%SEMI-OASIS")
    assert files[0].layers.read_text().startswith('{"layers"')
    assert files[0].etag.startswith('"')


def test_a_caller_that_leaves_does_not_take_the_scene_along(layout: Path, tmp_path: Path, started: list[str]) -> None:
    async def ask() -> SceneFiles:
        scenes = cache(tmp_path)
        first = asyncio.create_task(scenes.scene(layout, None))
        second = asyncio.create_task(scenes.scene(layout, None))
        await asyncio.sleep(0.1)
        first.cancel()
        return await second

    assert asyncio.run(ask()).scene.exists()
    assert started == ["small.gds"]


def test_a_new_version_or_other_colours_are_another_scene(layout: Path, tmp_path: Path, lyp: Path) -> None:
    async def ask() -> list[str]:
        scenes = cache(tmp_path)
        tags = [(await scenes.scene(layout, None)).etag, (await scenes.scene(layout, lyp)).etag]
        os.utime(layout, ns=(1, 1))
        return [*tags, (await scenes.scene(layout, None)).etag]

    assert len(set(asyncio.run(ask()))) == 3


def test_a_new_cache_finds_what_is_on_disk(layout: Path, tmp_path: Path, started: list[str]) -> None:
    first = asyncio.run(cache(tmp_path).scene(layout, None))
    assert asyncio.run(cache(tmp_path).scene(layout, None)) == first
    assert started == ["small.gds"]


def test_the_one_used_longest_ago_goes_first(layout: Path, tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(layout.read_bytes())
        return path

    async def ask() -> list[bool]:
        scenes = cache(tmp_path)
        old, recent = [await scenes.scene(copy(name), None) for name in ("old.gds", "recent.gds")]
        size = sum(path.stat().st_size for path in (old.scene, old.layers))
        for age, files in ((7200, recent), (3600, old)):
            os.utime(files.scene, (time.time() - age,) * 2)
        await scenes.scene(tmp_path / "recent.gds", None)  # used again, so now `old` is the oldest
        new = await cache(tmp_path, max_bytes=round(2.5 * size)).scene(copy("new.gds"), None)
        return [path.exists() for each in (old, recent, new) for path in (each.scene, each.layers)]

    assert asyncio.run(ask()) == [False, False, True, True, True, True]


def test_too_slow_is_stopped(layout: Path, tmp_path: Path) -> None:
    async def ask() -> float:
        scenes = cache(tmp_path, timeout=0.01)
        begin = time.monotonic()
        with pytest.raises(LayoutError, match=r"took longer than 0\.01 s"):
            await scenes.scene(layout, None)
        return time.monotonic() - begin

    assert asyncio.run(ask()) < 5


def test_a_worker_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody ever writes into it: to open it takes for ever.
    source = tmp_path / "endless.gds"
    os.mkfifo(source)
    processes = []
    original: Callable[..., Coroutine[Any, Any, asyncio.subprocess.Process]] = asyncio.create_subprocess_exec

    async def kept(*command: str, **options: Any) -> asyncio.subprocess.Process:
        processes.append(await original(*command, **options))
        return processes[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", kept)

    async def ask() -> None:
        with pytest.raises(LayoutError, match="took longer than 2 s"):
            await cache(tmp_path, timeout=2).scene(source, None)

    asyncio.run(ask())
    assert [process.returncode for process in processes] == [-signal.SIGKILL]
    with pytest.raises(ProcessLookupError):
        os.kill(processes[0].pid, 0)


def test_close_stops_what_is_under_way(layout: Path, tmp_path: Path) -> None:
    async def ask() -> None:
        scenes = cache(tmp_path)
        waiting = asyncio.create_task(scenes.scene(layout, None))
        await asyncio.sleep(0.05)
        await scenes.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(ask())
    assert not list(tmp_path.glob("cache/*.oas.gz"))


def test_at_most_two_at_once(layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = most = 0
    original: Callable[..., Awaitable[asyncio.subprocess.Process]] = asyncio.create_subprocess_exec

    async def counted(*command: str, **options: Any) -> asyncio.subprocess.Process:
        nonlocal running, most
        running += 1
        most = max(most, running)
        process = await original(*command, **options)

        async def gone() -> None:
            nonlocal running
            await process.wait()
            running -= 1

        waiters.append(asyncio.ensure_future(gone()))
        return process

    waiters: list[asyncio.Future[None]] = []
    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)

    paths = [tmp_path / f"copy{number}.gds" for number in range(4)]
    for path in paths:
        path.write_bytes(layout.read_bytes())

    async def ask() -> None:
        scenes = cache(tmp_path)
        await asyncio.gather(*(scenes.scene(path, None) for path in paths))
        await asyncio.gather(*waiters)

    asyncio.run(ask())
    assert most == 2


def test_a_bad_layout_is_said_to_all_and_may_be_mended(layout: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.gds"
    whole = layout.read_bytes()
    path.write_bytes(whole[:200])

    async def ask() -> SceneFiles:
        scenes = cache(tmp_path)
        found = await asyncio.gather(*(scenes.scene(path, None) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == [LayoutError] * 3
        assert "bad.gds is damaged" in str(found[0])
        await asyncio.to_thread(path.write_bytes, whole)
        return await scenes.scene(path, None)

    assert asyncio.run(ask()).scene.exists()


def test_a_missing_layout_starts_no_worker(tmp_path: Path, started: list[str]) -> None:
    with pytest.raises(LayoutError, match="not there"):
        asyncio.run(cache(tmp_path).scene(tmp_path / "gone.gds", None))
    assert started == []
