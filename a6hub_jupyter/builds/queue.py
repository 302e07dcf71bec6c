"""Who runs and who waits. Also the one loop that watches live builds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..executors import Executor
from . import journal
from .limits import Limits
from .lock import LockTimeoutError
from .model import CANCELLED, FAILED, QUEUED
from .record import Record
from .retention import Retention
from .store import Store, close_unstarted

# How often the journals and consoles of live builds are looked at, and how often their supervisors.
POLL_SECONDS = 0.025
LIVENESS_SECONDS = 2.0
RETENTION_SECONDS = 600.0
# The watch over running builds does not wait longer than this for other servers to start theirs.
ADMISSION_PATIENCE = 0.2
# A supervisor says who it is within this time; else another is started, so many in all (the first to speak runs).
START_SECONDS, STARTS = 10.0, 3
START_CLAIM, CANCEL_CLAIM = "start", "cancel"
NOBODY = {"pid": 0, "host": socket.gethostname()}


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
        self._cleaning: asyncio.Task[list[str]] | None = None
        self._next_liveness = self._next_retention = 0.0
        self.on_activity: Callable[[], None] = lambda: None
        self.on_end: Callable[[Record], None] = lambda _: None
        self._poke = asyncio.Event()

    def start(self) -> None:
        """Begin to watch; call from the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Stop watching. Builds go on."""
        for task in (self._task, self._cleaning):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

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
        if record.snapshot.state == QUEUED and journal.claim(record.directory, CANCEL_CLAIM):
            close_unstarted(record, CANCELLED, None)
            self._end(record)
            return
        executor = self._executors[record.request.executor]
        if not (record.directory / journal.SUPERVISOR).exists():
            (record.directory / journal.CANCEL).touch()  # outlives us, and is seen by whoever starts it
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
            timer = asyncio.get_running_loop().call_later(POLL_SECONDS if self._store.live else 1.0, self._poke.set)
            await self._poke.wait()
            timer.cancel()

    async def _tick(self) -> None:
        clock = time.monotonic()
        check = clock >= self._next_liveness
        if check:
            self._next_liveness = clock + LIVENESS_SECONDS
            self._store.discover()
        for record in list(self._store.live.values()):
            if check or record.snapshot.state != QUEUED:  # one that waits is changed by other servers alone
                try:
                    self._look_at(record, check)
                except (OSError, ValueError, KeyError, TypeError):
                    self._log.exception("a6hub: the record of build %s cannot be read; going on", record.id)
        await self._admit()
        if clock >= self._next_retention:
            self._next_retention = clock + RETENTION_SECONDS
            self._cleaning = asyncio.get_running_loop().create_task(self.clean_up())

    async def clean_up(self) -> list[str]:
        """Remove the records that retention gives up; return their ids."""
        removed = []
        await asyncio.to_thread(self._store.clear_half_made)
        for build_id in await asyncio.to_thread(self._retention.doomed, self._store.index, self._store.directory):
            record = self._store.get(build_id)
            if record is not None and not record.live:
                removed.append(build_id)
                await asyncio.to_thread(shutil.rmtree, self._store.forget(record), ignore_errors=True)
        return removed

    def _look_at(self, record: Record, check: bool) -> None:
        if check and not record.directory.is_dir():
            self._store.drop(record)
            return
        was_live = record.live
        if record.refresh():
            self.on_activity()
        if check and record.live and record.snapshot.state != QUEUED:
            self._check_supervisor(record)
        if was_live or check:  # one that could not be indexed is not tried at each tick
            self.look(record)

    def _end(self, record: Record) -> None:
        if record.id not in self._store.live:
            return
        try:
            self._store.settle(record)
        except sqlite3.Error as error:  # a full disk: it stays in memory, and is tried again at the next check
            self._log.warning("a6hub: build %s cannot be indexed yet: %s", record.id, error)
            return
        self.on_end(record)

    def _check_supervisor(self, record: Record) -> None:
        executor = self._executors[record.request.executor]
        if executor.alive(record.directory):
            return
        record.refresh()  # it may have ended between the last look and this one
        if record.live and not self._start_again(record):
            self._log.warning("a6hub: build %s is lost: its supervisor is gone without a result", record.id)
            executor.sweep(record.directory)
            record.lose()

    def _start_again(self, record: Record) -> bool:
        """Whether a claimed build without a supervisor is still to be started, or closed, or is being started.

        The server that claimed it may have been killed before it could do what it had claimed it for.
        """
        directory, executor = record.directory, self._executors[record.request.executor]
        there = (directory / journal.SUPERVISOR).exists()
        if there and executor.alive(directory):  # it came while we looked
            return True
        claimed, age = journal.read_claim(directory)
        if record.snapshot.seq == 0 and (claimed == CANCEL_CLAIM or (directory / journal.CANCEL).exists()):
            # whoever claimed it for this may just be at it; a supervisor that comes now finds its place taken
            if there or (age > LIVENESS_SECONDS and journal.write_once(directory / journal.SUPERVISOR, NOBODY)):
                close_unstarted(record, CANCELLED, None)
            return True
        if there:
            return False
        if age < START_SECONDS:
            return True
        record.starts += 1
        if record.starts >= STARTS:  # lost, unless one has come just now; one that comes later finds its place taken
            return not journal.write_once(directory / journal.SUPERVISOR, NOBODY)
        self._log.warning("a6hub: build %s was claimed, but no supervisor has come; starting one", record.id)
        (directory / journal.CLAIM).touch()
        self._submit(record)
        return True

    def _submit(self, record: Record) -> None:
        try:
            self._executors[record.request.executor].submit(record.directory)
        except OSError as error:
            close_unstarted(record, FAILED, f"The supervisor could not be started: {error.strerror}.")

    async def _admit(self) -> None:
        """Start what may start; under the lock, for what another server starts meanwhile takes its share."""
        queued = self._store.queued()
        if not queued or self._why_wait(queued[0]) is not None:
            return
        try:
            async with self._store.exclusively(ADMISSION_PATIENCE):
                self._store.discover()
                for record in list(self._store.live.values()):
                    record.refresh()
                self._start_in_order()
        except LockTimeoutError:  # whoever has it may be starting builds; it is tried again in a moment
            return
        except OSError as error:
            self._log.warning("a6hub: no build can be started now: %s", error)

    def _start_in_order(self) -> None:
        for record in self._store.queued():
            if self._why_wait(record) is not None:
                break  # in order: a small build does not overtake a large one for ever
            try:
                if journal.claim(record.directory, START_CLAIM):
                    self._submit(record)
            except OSError:  # a full disk, or a directory that was taken away: it waits
                self._log.exception("a6hub: build %s cannot be started now; going on", record.id)
                break
            record.refresh()
