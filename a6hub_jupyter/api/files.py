"""Sending files: whole or by byte range, at the pace of the client, and only so many at once."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
from pathlib import Path
from typing import BinaryIO

from tornado.iostream import StreamClosedError

from ..auth import Refusal
from . import base
from .base import A6HubHandler
from .turns import Kind

CHUNK = 1 << 18


class FileHandler(A6HubHandler):
    """Base of the handlers that send what may be large; none of it is ever in memory but the piece under way."""

    @property
    def downloads(self) -> Kind:
        """All that is sent from files. Nobody waits for it: how long each takes is up to its client."""
        return Kind("downloads", self.services.max_downloads, 0)

    async def send_piece(self, piece: bytes) -> bool:
        """Send some bytes and wait until they are on their way; False where the client is gone or takes nothing."""
        self.write(piece)
        try:
            await asyncio.wait_for(self.flush(), base.STALLED_SECONDS)
        except asyncio.TimeoutError:
            self.give_up()
            return False
        except StreamClosedError:
            self.hang_up()
            return False
        return True

    async def send_file(
        self,
        path: Path,
        *,
        content_type: str,
        download: str | None = None,
        gzip: bool = False,
        ranges: bool = True,
        part: tuple[int, int] | None = None,
    ) -> None:
        """Send a file or the part that ``Range`` asks for, with an ETag of its size and time of modification.

        ``part`` sends those bytes (start, end) alone, as if they were the file; ``gzip`` says that the file is gzipped
        and is to arrive unpacked. Such a file, and one without ``ranges``, is sent whole whatever ``Range`` says.
        """
        ranges = ranges and not gzip
        try:
            file = path.open("rb")
        except OSError as error:
            raise Refusal(404, f"'{path.name}' is not there.", remedy="It may have been deleted.") from error
        with file:
            status = os.fstat(file.fileno())
            self.set_header("ETag", f'"{status.st_size:x}-{status.st_mtime_ns:x}"')
            self.set_header("Accept-Ranges", "bytes" if ranges else "none")
            self.set_header("X-Content-Type-Options", "nosniff")
            if gzip:
                self.set_header("Content-Encoding", "gzip")
            if download is not None:
                quoted = re.sub(r"[^\w.\-+ ]", "_", download)
                self.set_header("Content-Disposition", f'attachment; filename="{quoted}"')
            if self.check_etag_header():
                self.set_status(304)
                await self.finish(set_content_type=content_type)
                return
            start, end = part or (self._range(status.st_size) if ranges else (0, status.st_size))
            self.set_header("Content-Length", str(end - start))
            self.set_header("Content-Type", content_type)
            async with self.turn(self.downloads):
                sent = await self._send_part(file, start, end)
        if sent:
            await self.finish(set_content_type=content_type)

    async def _send_part(self, file: BinaryIO, start: int, end: int) -> bool:
        """Send these bytes of a file; False where the client, or the end of the file, is gone."""
        file.seek(start)
        while start < end:
            chunk = file.read(min(CHUNK, end - start))
            if not chunk:  # somebody made it shorter: the client must not take what it has for all
                self.hang_up()
                return False
            if not await self.send_piece(chunk):
                return False
            start += len(chunk)
        return True

    def _range(self, size: int) -> tuple[int, int]:
        """Return start and end (exclusive) that the Range header asks for; Refusal 416 when there is no such part."""
        header = self.request.headers.get("Range")
        if self.request.headers.get("If-Range", self._headers["ETag"]) != self._headers["ETag"]:
            return 0, size  # the file is no longer the one of which the client has a part
        match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header or "")
        if match is None or not (match[1] or match[2]):
            return 0, size  # no range, several, or another unit: RFC 9110 lets us send all
        if match[1]:
            start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        else:
            start, end = max(0, size - int(match[2])), size
        if start >= end:
            raise Refusal(
                416,
                f"The file has {size} bytes; '{header}' is not among them.",
                remedy="Ask for less.",
                headers={"Content-Range": f"bytes */{size}"},
            )
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        return start, end


def media_type(path: Path) -> str:
    """Return the content type for a download; text is shown, all else is opaque."""
    if path.suffix in {
        ".log",
        ".rpt",
        ".v",
        ".sv",
        ".def",
        ".lef",
        ".json",
        ".yaml",
        ".sdc",
        ".csv",
        ".txt",
        ".lyrdb",
    }:
        return "text/plain; charset=utf-8"
    guessed, _ = mimetypes.guess_type(path.name)
    return guessed if guessed in {"image/png"} else "application/octet-stream"
