"""A zip of a build's files, made while it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import zipfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from ..auth import BUILDS, READ, Refusal
from .artifacts import list_files
from .base import guarded
from .files import CHUNK, FileHandler
from .turns import Kind

MAX_PATHS, MAX_FILES = 200, 100_000
# Nobody waits for one: how long it takes is up to the client that has its turn.
ARCHIVES = Kind("archives", at_once=4, waiting=0)


class ArchiveHandler(FileHandler):
    """``builds/{id}/archive``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Send a zip of the files whose paths are, or lie below, one of ``path``; of all files without it."""
        record = self.record(build_id)
        wanted = self.get_query_arguments("path")
        if len(wanted) > MAX_PATHS:
            raise Refusal(422, "These are too many paths.", field="path", remedy=f"Name at most {MAX_PATHS}.")
        async with self.turn(ARCHIVES), self.turn(self.downloads):
            await self._send(record.id, Path(record.request.run_dir), wanted)

    async def _send(self, name: str, run_dir: Path, wanted: Sequence[str]) -> None:
        files, cut = await asyncio.to_thread(list_files, run_dir, MAX_FILES, wanted)
        if cut:  # a zip that lacks something does not say so
            remedy = "Name some of its directories with 'path'."
            raise Refusal(422, f"These are more than {MAX_FILES} files.", field="path", remedy=remedy)
        paths = [str(f["path"]) for f in files]
        if not paths:
            raise Refusal(404, "The build has no such files.", field="path", remedy="…/artifacts lists what there is.")
        self.set_header("Content-Disposition", f'attachment; filename="{name}.zip"')
        self.set_header("Content-Type", "application/zip")
        with contextlib.closing(pieces(run_dir, paths, name)) as made:
            while (piece := await asyncio.to_thread(next, made, None)) is not None:
                if not await self.send_piece(piece):
                    return
        await self.finish(set_content_type="application/zip")


def pieces(run_dir: Path, paths: Sequence[str], top: str) -> Generator[bytes, None, None]:
    """Yield the bytes of a zip, some ``CHUNK`` at a time; its files lie in the directory ``top``."""
    sink: Any = _Sink()  # as much of a file as zipfile wants
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in paths:
            yield from _add(archive, sink, run_dir / path, f"{top}/{path}")
    yield sink.take()


def _add(archive: zipfile.ZipFile, sink: _Sink, path: Path, name: str) -> Generator[bytes, None, None]:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # a link may lead anywhere
            return
        info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
        info.compress_type = zipfile.ZIP_DEFLATED
        with path.open("rb") as file, archive.open(info, "w") as entry:
            while chunk := file.read(CHUNK):
                entry.write(chunk)
                if sink.size >= CHUNK:
                    yield sink.take()
    except OSError:
        return  # removed since it was listed, or not ours to read


class _Sink:
    """What ``zipfile`` writes to: keeps only what has not been taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: ``take`` is the flush."""

    def take(self) -> bytes:
        parts, self._parts, self.size = self._parts, [], 0
        return b"".join(parts)
