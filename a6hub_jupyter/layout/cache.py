"""Scenes and markers on disk, made once per version of a file by a worker process, the oldest removed first."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from a6hub_jupyter.isolated import clean_environment, module_command
from a6hub_jupyter.layout.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Part of every key: raised when a scene or its layers are written differently.
_FORMAT = "1"

# What was handed out this recently is not removed, since someone may be about to open it; seconds.
_GRACE = 60.0

_AT_ONCE = 2


class SceneFiles(NamedTuple):
    """A scene that is ready: gzipped plain OASIS, the JSON of its layers, and an ETag (quoted) for both."""

    scene: Path
    layers: Path
    etag: str


class SceneCache:
    """Scenes by path, size and time of change of a layout (and of its layer properties file).

    `directory` is created when needed, `max_bytes` bounds what is kept there, `timeout` is in seconds and for
    one conversion, `memory` bounds the address space of a conversion in bytes. For one event loop.
    """

    def __init__(self, directory: Path, max_bytes: int, timeout: float, memory: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._memory = memory
        self._making: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def scene(self, path: Path, lyp: Path | None) -> SceneFiles:
        """Return the scene of the layout at `path`, made now unless there is one of this version.

        Raises LayoutError for what cannot be read, and for what takes too long or too much memory.
        """
        key = await asyncio.to_thread(_key, path, [lyp] if lyp else [])
        files = SceneFiles(self._directory / f"{key}.oas.gz", self._directory / f"{key}.json", f'"{key}"')
        arguments = ["scene", str(path), str(files.scene), str(files.layers)]
        if lyp is not None:
            arguments += ["--lyp", str(lyp)]
        await self._ready(key, (files.scene, files.layers), arguments, path.name)
        return files

    async def markers(self, reports: Sequence[Path]) -> Path:
        """Return the gzipped JSON of the markers in one or more report databases, made now unless it is there.

        Raises LayoutError for what cannot be read, and for what takes too long or too much memory.
        """
        key = await asyncio.to_thread(_key, reports[0], reports[1:])
        output = self._directory / f"{key}.markers.gz"
        arguments = ["markers", str(output), *map(str, reports)]
        await self._ready(key, (output,), arguments, reports[0].name)
        return output

    async def snapshot(self, files: SceneFiles, pixels: tuple[int, int], view: Sequence[float], hidden: str) -> Path:
        """Return a PNG of a scene, drawn now unless it is there; see `snapshot` for what the arguments say.

        `view` is empty for all, `hidden` empty for the layers that are visible at first. Raises LayoutError.
        """
        arguments = ["--pixels", *map(str, pixels)]
        if view:
            arguments += ["--view", *(f"{value:.6f}" for value in view)]  # -1e-06 would be taken for an option
        if hidden:
            arguments += ["--hidden", hidden]
        text = "\0".join([files.etag, *arguments])
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        output = self._directory / f"{key}.png"
        await self._ready(
            key, (output,), ["snapshot", *map(str, (files.scene, files.layers, output)), *arguments], "it"
        )
        return output

    async def nets(self, source: Path, lefs: Sequence[Path]) -> Path:
        """Return the index of a DEF's nets and instances (see `NetIndex`), made now unless it is there.

        Raises LayoutError for what cannot be read, and for what takes too long or too much memory.
        """
        key = await asyncio.to_thread(_key, source, lefs)
        output = self._directory / f"{key}.nets"
        arguments = ["nets", str(source), str(output)]
        for lef in lefs:
            arguments += ["--lef", str(lef)]
        await self._ready(key, (output,), arguments, source.name)
        return output

    async def differences(self, one: Path, other: Path, names: tuple[str, str] | None = None) -> Path:
        """Return the gzipped JSON of markers where two layouts differ, made now unless it is there.

        `names` is what the markers call the two (default: their files' names). Raises LayoutError for what cannot
        be read, and for what takes too long or too much memory.
        """
        key = await asyncio.to_thread(_key, one, [other, one])  # one more: not the key of a report
        if names:
            # The markers say the names, and a file may be known by several.
            key = hashlib.sha256("\0".join([key, *names]).encode()).hexdigest()[:32]
        output = self._directory / f"{key}.markers.gz"
        arguments = ["differences", str(output), str(one), str(other)]
        if names:
            arguments += [f"--name={name}" for name in names]  # also one that looks like an option
        await self._ready(key, (output,), arguments, one.name)
        return output

    async def _ready(self, key: str, files: tuple[Path, ...], arguments: list[str], name: str) -> None:
        """Return when the files are there; the first is the one that is used, and written last."""
        # One conversion for all who ask; a caller that goes away must not take it from the others.
        task = self._making.get(key)
        if task is None:
            if await asyncio.to_thread(_touch, files):
                return
            task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(arguments, name))
            self._making[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        await asyncio.shield(task)

    async def close(self) -> None:
        """Stop the conversions that are under way, with their processes."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # read here, so that an error nobody waits for any more is not logged as lost

    async def _make(self, arguments: list[str], name: str) -> None:
        async with self._turns:
            command = module_command(f"a6hub_jupyter.layout.{arguments[0]}", *arguments[1:])
            command += ["--memory", str(self._memory)]
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=clean_environment(),
            )
            try:
                output, _ = await asyncio.wait_for(process.communicate(), self._timeout)
            except asyncio.TimeoutError:
                raise LayoutError(
                    f"Reading {name} took longer than {self._timeout:g} s.",
                    "Raise the time limit for layouts, or open a smaller one.",
                ) from None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
            if process.returncode != 0:
                raise _problem(name, process.returncode or 0, output)
        await asyncio.to_thread(_evict, self._directory, self._max_bytes, self._timeout)


def _key(path: Path, others: Sequence[Path]) -> str:
    parts = [_FORMAT]
    for file in (path, *others):
        try:
            resolved = file.resolve()
            status = resolved.stat()
        except (OSError, RuntimeError) as error:
            if file is path:
                raise LayoutError(f"The file {path.name} is not there.", "Check the path.") from error
            continue  # the worker says what is missing
        parts += [str(resolved), str(status.st_size), str(status.st_mtime_ns)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _touch(files: tuple[Path, ...]) -> bool:
    """Say whether the files are there, and note the use in the first's time of change, which eviction goes by."""
    try:
        os.utime(files[0])
    except OSError:
        return False
    return all(file.exists() for file in files[1:])


def _problem(name: str, code: int, output: bytes) -> LayoutError:
    with suppress(ValueError, KeyError, TypeError, IndexError):
        report = json.loads(output.splitlines()[-1])
        return LayoutError(str(report["message"]), str(report["remedy"]))
    if code < 0:
        # C++ that runs out of memory, or meets a file that it does not expect, ends its process.
        return LayoutError(
            f"Reading {name} ended with signal {-code}: it is damaged or too large.",
            "Check it in KLayout, or raise the memory limit for layouts.",
        )
    return LayoutError(f"{name} could not be read.", "Check that gdstk and klayout are installed.")


def _evict(directory: Path, max_bytes: int, timeout: float) -> None:
    """Remove what was used longest ago until all fits into `max_bytes`, and what killed workers left."""
    now = time.time()
    kept: list[tuple[float, int, tuple[Path, ...]]] = []
    for first in (path for kind in ("*.oas.gz", "*.markers.gz", "*.nets", "*.png") for path in directory.glob(kind)):
        # The first goes first: a scene without layers would count as a hit.
        layers = directory / f"{first.name.removesuffix('.oas.gz')}.json"
        files: tuple[Path, ...] = (first, layers) if first.name.endswith(".oas.gz") else (first,)
        with suppress(OSError):
            size = sum(file.stat().st_size for file in files)
            kept.append((first.stat().st_mtime, size, files))
    total = sum(size for _, size, _ in kept)
    for used, size, files in sorted(kept):
        if total <= max_bytes or now - used < _GRACE:
            break
        with suppress(OSError):
            for file in files:
                file.unlink()
            total -= size
    for part in directory.glob("*.part"):
        with suppress(OSError):
            if now - part.stat().st_mtime > timeout + _GRACE:
                shutil.rmtree(part)
