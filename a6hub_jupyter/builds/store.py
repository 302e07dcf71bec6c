"""The records of builds: directories on disk, and what the server keeps of them in memory.

The directory is the record. What is in memory is derived from it and can be thrown away; nothing here writes into the
directory of a build that has been started.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from pathlib import Path
from typing import Any

from . import journal
from .model import (
    BUILD_ID,
    CANCELLED,
    ENDED,
    FAILED,
    LOST,
    QUEUED,
    STARTING,
    BuildRequest,
    Snapshot,
    Step,
    now,
)


class Record:
    """One build as the server knows it; ``refresh`` takes in what the supervisor has written since."""

    def __init__(self, directory: Path, request: BuildRequest) -> None:
        self.directory = directory
        self.request = request
        self.snapshot = Snapshot(steps={s["id"]: Step(s["id"], s["name"]) for s in request.steps})
        self.changed = asyncio.Event()
        self.idempotency_key: str | None = None
        self.last_output = time.time()
        self._reader = journal.JournalReader(directory)
        self._log_size = -1

    @property
    def id(self) -> str:
        """The build id."""
        return self.request.id

    @property
    def live(self) -> bool:
        """Whether more can still happen to this build."""
        return self.snapshot.state not in ENDED

    @property
    def claimed(self) -> bool:
        """Whether somebody has taken the right to start it or end it."""
        return (self.directory / journal.CLAIM).exists()

    @property
    def log_size(self) -> int:
        """Bytes in the console log."""
        try:
            return (self.directory / journal.CONSOLE).stat().st_size
        except OSError:
            return 0

    def refresh(self) -> bool:
        """Apply new events; wake up whoever waits for ``changed`` if there was anything, also in the log."""
        events = self._reader.read()
        for event in events:
            self.snapshot.apply(event)
        if self.live:
            self._read_result()
        if self.snapshot.state == QUEUED and self.claimed:
            self.snapshot.state = STARTING
            events.append({})
        size = self.log_size
        if not events and size == self._log_size and self.live:
            return False
        self._log_size, self.last_output = size, time.time()
        self.wake()
        return True

    def _read_result(self) -> None:
        """Take the end from ``result.json`` where the journal lacks it (the disk was full)."""
        result = journal.read_json(self.directory / journal.RESULT)
        if isinstance(result, dict) and result.get("state") in ENDED:
            data = {k: result.get(k) for k in ("state", "error", "exit_code")}
            event = {
                "seq": self.snapshot.seq,
                "type": "complete",
                "data": data,
                "timestamp": result.get("finished") or now(),
            }
            self.snapshot.apply(event)

    def lose(self) -> None:
        """Mark a build whose supervisor is gone without a result."""
        step = self.snapshot.current_step
        where = f" in step {step}" if step else ""
        self.snapshot.state = LOST
        self.snapshot.finished = self.snapshot.finished or now()
        self.snapshot.error = {
            "message": f"The build's supervisor is gone{where} and left no result: "
            "it was killed, or the machine went down. Start the build again.",
            **({"step": step} if step else {}),
        }
        self.wake()

    def wake(self) -> None:
        """Wake up all streams of this build."""
        event, self.changed = self.changed, asyncio.Event()
        event.set()


class Store:
    """All builds below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.records: dict[str, Record] = {}

    def load(self) -> None:
        """Read the records that are on disk; what cannot be read as a build is passed over."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(self.directory.iterdir()):
            if path.name not in self.records and BUILD_ID.fullmatch(path.name):
                self._load_one(path)

    def _load_one(self, path: Path) -> None:
        with contextlib.suppress(ValueError):
            request, key = journal.read_request(path)
            record = Record(path, request)
            record.idempotency_key = key
            record.refresh()
            self.records[record.id] = record

    def create(self, request: BuildRequest, idempotency_key: str | None) -> Record:
        """Write the record of a new build, whole or not at all; OSError when the disk refuses."""
        directory = self.directory / request.id
        temporary = self.directory / f".{request.id}"
        try:
            temporary.mkdir(mode=0o700)
            journal.write_request(temporary, request, idempotency_key)
            temporary.rename(directory)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        record = Record(directory, request)
        record.idempotency_key = idempotency_key
        self.records[record.id] = record
        return record

    def by_idempotency_key(self, key: str) -> Record | None:
        """Return the build that an earlier POST with this key made."""
        return next((r for r in self.records.values() if r.idempotency_key == key), None)

    def newest_first(self) -> list[Record]:
        """Return all records, the newest build first."""
        return sorted(self.records.values(), key=lambda r: (r.request.created, r.id), reverse=True)

    def queued(self) -> list[Record]:
        """Return the builds that wait, in the order in which they came."""
        waiting = [r for r in self.records.values() if r.snapshot.state == QUEUED]
        return sorted(waiting, key=lambda r: (r.request.created, r.id))


def close_unstarted(record: Record, state: str, message: str | None) -> None:
    """Write the end of a build that no supervisor will start; only for who holds its claim."""
    assert state in {CANCELLED, FAILED}  # noqa: S101 - the only ends without a start
    result: dict[str, Any] = {
        "state": state,
        "exit_code": None,
        "error": {"message": message} if message else None,
    }
    writer = journal.JournalWriter(record.directory)
    writer.append("complete", result)
    writer.close()
    journal.write_json(record.directory / journal.RESULT, {**result, "finished": now(), "metrics": {}})
    record.refresh()
