"""Toolchains: which there are, what each one lacks, and what it holds."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..auth import BUILDS, READ
from .base import A6HubHandler, guarded

# What was found holds for so long (s): a tool may be installed, or a daemon started, while the server runs.
PATIENCE = 30.0


class ToolchainsHandler(A6HubHandler):
    """``toolchains``."""

    @guarded(READ, BUILDS)
    async def get(self) -> None:
        """Answer with all toolchains, in the order in which ``auto`` tries them; engines and tools are asked for it."""
        known = self.settings.get("a6hub_toolchains")
        if known is None or (known[0] < time.monotonic() - PATIENCE and known[1].done()):
            # one task for all who ask meanwhile
            task = asyncio.ensure_future(self._describe())
            known = self.settings["a6hub_toolchains"] = (time.monotonic(), task)
        await self.finish({"toolchains": await asyncio.shield(known[1])})

    async def _describe(self) -> list[dict[str, Any]]:
        toolchains = self.services.provision.toolchains.values()
        return list(await asyncio.gather(*(asyncio.to_thread(t.describe) for t in toolchains)))
