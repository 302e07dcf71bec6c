"""The description of this API for programs: the OpenAPI document beside this module."""

from __future__ import annotations

from pathlib import Path

from ..auth import BUILDS, READ
from .base import guarded
from .files import FileHandler

DOCUMENT = Path(__file__).with_name("openapi.yaml")


class DocumentHandler(FileHandler):
    """``openapi.yaml``."""

    @guarded(READ, BUILDS)
    async def get(self) -> None:
        """Send the document."""
        await self.send_file(DOCUMENT, content_type="application/yaml")
