"""A zip of a build's files, made while it is sent."""

from __future__ import annotations

import asyncio
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

from ..auth import BUILDS, READ, Refusal
from .artifacts import list_files
from .base import CHUNK, A6HubHandler, guarded

MAX_PATHS, MAX_FILES = 200, 100_000


class ArchiveHandler(A6HubHandler):
    """``builds/{id}/archive``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Send a zip of the files whose paths are, or lie below, one of ``path``; of all files without it."""
        record = self.record(build_id)
        wanted = self.get_query_arguments("path")
        if len(wanted) > MAX_PATHS:
            raise Refusal(422, "These are too many paths.", field="path", remedy=f"Name at most {MAX_PATHS}.")
        run_dir = Path(record.request.run_dir)
        files, cut = await asyncio.to_thread(list_files, run_dir, MAX_FILES, wanted)
        if cut:  # a zip that lacks something does not say so
            remedy = "Name some of its directories with 'path'."
            raise Refusal(422, f"These are more than {MAX_FILES} files.", field="path", remedy=remedy)
        names = [str(f["path"]) for f in files]
        if not names:
            raise Refusal(404, "The build has no such files.", field="path", remedy="…/artifacts lists what there is.")
        self.set_header("Content-Disposition", f'attachment; filename="{record.id}.zip"')
        self.set_header("Content-Type", "application/zip")
        sink: Any = _Sink()  # as much of a file as zipfile wants
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in names:
                await self._add(archive, sink, run_dir / name, f"{record.id}/{name}")
        self.write(sink.take())
        await self.finish(set_content_type="application/zip")

    async def _add(self, archive: zipfile.ZipFile, sink: _Sink, path: Path, name: str) -> None:
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):  # a link may lead anywhere
                return
            info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
            info.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as file, archive.open(info, "w") as entry:
                while chunk := file.read(CHUNK):
                    entry.write(chunk)
                    self.write(sink.take())
                    await self.flush()  # waits for the client
        except OSError:
            return  # removed since it was listed, or not ours to read


class _Sink:
    """What ``zipfile`` writes to: keeps only what has not been sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: ``take`` is the flush."""

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
