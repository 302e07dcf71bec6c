"""Who runs and who waits. Also the one loop that watches live builds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..executors import Executor
from . import journal
from .limits import Limits
from .model import CANCELLED, FAILED, QUEUED
from .record import Record
from .retention import Retention
from .store import Store, close_unstarted

# How often the journals and consoles of live builds are looked at, and how often their supervisors.
POLL_SECONDS = 0.025
LIVENESS_SECONDS = 2.0
RETENTION_SECONDS = 600.0


class Queue:
    """Admits builds in order, follows the live ones, and finds the lost."""

    def __init__(
        self,
        store: Store,
        executors: Mapping[str, Executor],
        limits: Limits,
        retention: Retention,
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._executors = executors
        self.limits = limits
        self._retention = retention
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._next_liveness = self._next_retention = 0.0
        self.on_activity: Callable[[], None] = lambda: None
        self.on_end: Callable[[Record], None] = lambda _: None
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

    def look(self, record: Record) -> None:
        """Bring a record up to date now, for whoever is about to answer from it."""
        record.refresh()
        if not record.live:
            self._end(record)

    @property
    def running(self) -> list[Record]:
        """Builds that have been started and have not ended."""
        return [r for r in self._store.live.values() if r.live and r.snapshot.state != QUEUED]

    def free_bytes(self, design_dir: Path) -> int:
        """Return the bytes free where a build writes (the smaller of design directory and store)."""
        free = []
        for path in (design_dir, self._store.directory):
            with contextlib.suppress(OSError):
                free.append(shutil.disk_usage(path).free)
        return min(free, default=0)

    def position(self, record: Record) -> tuple[int | None, str | None]:
        """Return the place in the queue (1 is next) and the reason for waiting."""
        if record.snapshot.state != QUEUED:
            return None, None
        queued = self._store.queued()
        place = next((k for k, r in enumerate(queued, 1) if r is record), 1)
        reason = self._why_wait(queued[0]) if queued else None
        if reason and place > 1:
            reason = f"{place - 1} {'build is' if place == 2 else 'builds are'} before it. {reason}"
        return place, reason or "It starts in a moment."

    def _why_wait(self, record: Record) -> str | None:
        running = [r.request for r in self.running]
        return self.limits.why_wait(record.request, running, self.free_bytes(Path(record.request.design_dir)))

    async def cancel(self, record: Record) -> None:
        """End a build, whoever started it. One that has ended already is left as it is."""
        if record.snapshot.state == QUEUED and journal.claim(record.directory, "cancel"):
            close_unstarted(record, CANCELLED, None)
            self._end(record)
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
                await self._tick()
            except Exception:  # noqa: BLE001 - one bad record must not stop the watch over all others
                self._log.exception("a6hub: watching the builds failed; going on")
                await asyncio.sleep(1.0)
            self._poke.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._poke.wait(), POLL_SECONDS if self._store.live else 1.0)

    async def _tick(self) -> None:
        clock = time.monotonic()
        check = clock >= self._next_liveness
        if check:
            self._next_liveness = clock + LIVENESS_SECONDS
        for record in list(self._store.live.values()):
            if record.refresh():
                self.on_activity()
            if check and record.live and record.snapshot.state != QUEUED:
                self._check_supervisor(record)
            self.look(record)
        self._admit()
        if clock >= self._next_retention:
            self._next_retention = clock + RETENTION_SECONDS
            await asyncio.to_thread(self._retention.apply, self._store)

    def _end(self, record: Record) -> None:
        if record.id in self._store.live:
            self._store.settle(record)
            self.on_end(record)

    def _check_supervisor(self, record: Record) -> None:
        executor = self._executors[record.request.executor]
        if executor.alive(record.directory):
            return
        record.refresh()  # it may have ended between the last look and this one
        if record.live:
            self._log.warning("a6hub: build %s is lost: its supervisor is gone without a result", record.id)
            executor.sweep(record.directory)
            record.lose()

    def _admit(self) -> None:
        for record in self._store.queued():
            if self._why_wait(record) is not None:
                break  # in order: a small build does not overtake a large one for ever
            if not journal.claim(record.directory, "start"):
                record.refresh()
                continue
            try:
                self._executors[record.request.executor].submit(record.directory)
            except OSError as error:
                close_unstarted(record, FAILED, f"The supervisor could not be started: {error.strerror}.")
            record.refresh()
