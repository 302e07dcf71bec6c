"""Work that is heavy for the server: only so much of a kind at once, and a line of bounded length before it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

from ..auth import Refusal


class Kind(NamedTuple):
    """A kind of work: ``name`` in the plural, how many are done ``at_once``, and how many more may wait."""

    name: str
    at_once: int
    waiting: int


class Turns:
    """The requests of one kind that are at work or wait; for one event loop."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._free = asyncio.Semaphore(kind.at_once)
        self._present = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until it is one's turn; Refusal 429 where too many wait already."""
        if self._present >= self._kind.at_once + self._kind.waiting:
            raise Refusal(
                429,
                f"{self._present} {self._kind.name} are under way or waiting already.",
                remedy="Try again in a moment.",
                retry_after=5,
            )
        self._present += 1
        try:
            async with self._free:
                yield
        finally:
            self._present -= 1
