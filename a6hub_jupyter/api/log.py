"""The console log of a build: raw bytes, whole or by range."""

from __future__ import annotations

from ..auth import BUILDS, READ
from ..builds.journal import CONSOLE
from .base import A6HubHandler, guarded


class LogHandler(A6HubHandler):
    """``builds/{id}/log``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Send the bytes that the tools wrote, as they wrote them (``Range`` is honoured)."""
        record = self.record(build_id)
        path = record.directory / CONSOLE
        if not path.exists():  # queued: nothing has been written yet
            await self.finish(b"", set_content_type="text/plain; charset=utf-8")
            return
        name = f"{record.id}.log" if self.get_query_argument("download", None) else None
        await self.send_file(path, content_type="text/plain; charset=utf-8", download=name)
