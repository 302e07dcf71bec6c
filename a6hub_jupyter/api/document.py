"""The description of this API for programs: the OpenAPI document beside this module."""

from __future__ import annotations

from pathlib import Path

from ..auth import BUILDS, READ
from .base import A6HubHandler, guarded

DOCUMENT = Path(__file__).with_name("openapi.yaml")


class DocumentHandler(A6HubHandler):
    """``openapi.yaml``."""

    @guarded(READ, BUILDS)
    async def get(self) -> None:
        """Send the document."""
        await self.send_file(DOCUMENT, content_type="application/yaml")
