"""Who runs and who waits. Also the one loop that watches live builds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..executors import Executor
from . import journal
from .model import CANCELLED, FAILED, QUEUED
from .store import Record, Store, close_unstarted

# How often the journals and consoles of live builds are looked at, and how often their supervisors.
POLL_SECONDS = 0.05
LIVENESS_SECONDS = 2.0


@dataclass
class Limits:
    """What admission goes by: builds at once, and the bytes that must be free where a build writes."""

    max_running: int
    min_free_bytes: int


class Queue:
    """Admits builds in order, follows the live ones, and finds the lost."""

    def __init__(self, store: Store, executors: Mapping[str, Executor], limits: Limits, log: logging.Logger) -> None:
        self._store = store
        self._executors = executors
        self.limits = limits
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._next_liveness = 0.0
        self.on_activity: Callable[[], None] = lambda: None
        self._poke = asyncio.Event()

    def start(self) -> None:
        """Begin to watch; call from the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Stop watching. Builds go on."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def poke(self) -> None:
        """Have the loop look now: a build came in."""
        self._poke.set()

    @property
    def running(self) -> list[Record]:
        """Builds that have been started and have not ended."""
        return [r for r in self._store.records.values() if r.live and r.snapshot.state != QUEUED]

    def free_bytes(self, record_or_dir: Record | Path) -> int:
        """Return the bytes free where a build writes (the smaller of design directory and store)."""
        design = Path(record_or_dir.request.design_dir) if isinstance(record_or_dir, Record) else record_or_dir
        return min(shutil.disk_usage(p).free for p in (design, self._store.directory))

    def position(self, record: Record) -> tuple[int | None, str | None]:
        """Return the place in the queue (1 is next) and the reason for waiting."""
        if record.snapshot.state != QUEUED:
            return None, None
        place = next((k for k, r in enumerate(self._store.queued(), 1) if r is record), None)
        busy, limit = len(self.running), self.limits.max_running
        if busy >= limit:
            return place, f"{busy} of {limit} builds at once are running."
        return place, "It starts in a moment."

    async def cancel(self, record: Record) -> None:
        """End a build, whoever started it. One that has ended already is left as it is."""
        if record.snapshot.state == QUEUED and journal.claim(record.directory, "cancel"):
            close_unstarted(record, CANCELLED, None)
            return
        executor = self._executors[record.request.executor]
        # a supervisor that is just starting cannot be asked yet
        for _ in range(100):
            record.refresh()
            if not record.live or executor.cancel(record.directory):
                return
            await asyncio.sleep(0.05)

    async def _watch(self) -> None:
        while True:
            try:
                self._tick()
            except Exception:  # noqa: BLE001 - one bad record must not stop the watch over all others
                self._log.exception("a6hub: watching the builds failed; going on")
                await asyncio.sleep(1.0)
            live = any(r.live for r in self._store.records.values())
            self._poke.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._poke.wait(), POLL_SECONDS if live else 1.0)

    def _tick(self) -> None:
        clock = time.monotonic()
        check = clock >= self._next_liveness
        if check:
            self._next_liveness = clock + LIVENESS_SECONDS
        for record in list(self._store.records.values()):
            if not record.live:
                continue
            if record.refresh():
                self.on_activity()
            if check and record.live and record.snapshot.state != QUEUED:
                self._check_supervisor(record)
        self._admit()

    def _check_supervisor(self, record: Record) -> None:
        if self._executors[record.request.executor].alive(record.directory):
            return
        record.refresh()  # it may have ended between the last look and this one
        if record.live:
            self._log.warning("a6hub: build %s is lost: its supervisor is gone without a result", record.id)
            record.lose()

    def _admit(self) -> None:
        busy = len(self.running)
        for record in self._store.queued():
            if busy >= self.limits.max_running:
                break
            if not journal.claim(record.directory, "start"):
                record.refresh()
                continue
            busy += 1
            try:
                self._executors[record.request.executor].submit(record.directory)
            except OSError as error:
                close_unstarted(record, FAILED, f"The supervisor could not be started: {error.strerror}.")
            record.refresh()
