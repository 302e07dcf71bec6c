"""One build as the server knows it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import journal
from .index import Filters, Row
from .model import ENDED, LOST, QUEUED, STARTING, BuildRequest, Snapshot, now


class Record:
    """A build: its request, and its present state as far as it has been read; ``refresh`` reads on."""

    def __init__(
        self,
        directory: Path,
        request: BuildRequest,
        idempotency_key: str | None,
        *,
        snapshot: Snapshot | None = None,
        annotations: dict[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.request = request
        self.idempotency_key = idempotency_key
        self.annotations = annotations or {}
        self.snapshot = snapshot or Snapshot.of(request)
        self.changed = asyncio.Event()
        self.last_output = time.time()
        self.starts = 0  # supervisors started anew because none had come
        self._reader = journal.JournalReader(directory)
        self._console, self._result = str(directory / journal.CONSOLE), str(directory / journal.RESULT)
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
    def tags(self) -> list[str]:
        """The tags, as asked for or as changed since."""
        return list(self.annotations.get("tags", self.request.tags))

    @property
    def log_size(self) -> int:
        """Bytes in the console log."""
        try:
            return os.stat(self._console).st_size  # noqa: PTH116 - of each live build, forty times a second
        except OSError:
            return 0

    def row(self) -> Row:
        """Return what the index keeps of the build."""
        return self.request, self.snapshot, self.annotations, self.idempotency_key

    def passes(self, filters: Filters) -> bool:
        """Whether the build passes the filters of a list."""
        words = [
            self.id,
            self.request.name,
            self.request.design_dir,
            self.request.pdk,
            self.annotations.get("notes", ""),
        ]
        age = (self.request.created, self.id)
        return (
            filters.state in {None, self.snapshot.state}
            and filters.design in {None, self.request.name}
            and (filters.tag is None or filters.tag in self.tags)
            and (filters.text is None or filters.text in "\n".join([*words, *self.tags]).lower())
            and (filters.after is None or (age > filters.after if filters.oldest_first else age < filters.after))
        )

    def refresh(self) -> bool:
        """Apply new events; wake up whoever waits for ``changed`` if there was anything, also in the log."""
        if not self.live:
            return False
        events = self._reader.read()
        for event in events:
            self.snapshot.apply(event)
        if self.live and os.path.exists(self._result):  # noqa: PTH110 - forty times a second
            self._read_result()
        changed = bool(events) or not self.live
        if self.snapshot.state == QUEUED and self.claimed:
            self.snapshot.state = STARTING
            changed = True
        size = self.log_size
        if not changed and size == self._log_size:
            return False
        self._log_size, self.last_output = size, time.time()
        self.wake()
        return True

    def _read_result(self) -> None:
        """Take the end from ``result.json`` where the journal lacks it (the disk was full)."""
        result = journal.read_json(self.directory / journal.RESULT)
        if isinstance(result, dict) and result.get("state") in ENDED:
            data = {k: result.get(k) for k in ("state", "error", "exit_code")}
            timestamp = result.get("finished") or now()
            self.snapshot.apply({"seq": self.snapshot.seq, "type": "complete", "data": data, "timestamp": timestamp})

    def lose(self, message: str | None = None) -> None:
        """Mark a build whose supervisor is gone without a result; ``message`` says what else is known."""
        step = self.snapshot.current_step
        where = f" in step {step}" if step else ""
        self.snapshot.state = LOST
        self.snapshot.finished = self.snapshot.finished or self._last_sign()
        self.snapshot.error = {
            "message": message
            or f"The build's supervisor is gone{where} and left no result: "
            "it was killed, or the machine went down. Start the build again.",
            **({"step": step} if step else {}),
        }
        self.wake()

    def _last_sign(self) -> str:
        """Return the time of the supervisor's last heartbeat or output: the same whenever the build is found lost."""
        times = []
        for name in (journal.SUPERVISOR, journal.JOURNAL, journal.CONSOLE):
            with contextlib.suppress(OSError):
                times.append((self.directory / name).stat().st_mtime)
        if not times:
            return now()
        return datetime.fromtimestamp(max(times), timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"

    async def news(self, after: int, seconds: float) -> None:
        """Wait until there is an event after ``after`` or the build has ended, for at most ``seconds``."""
        until = time.monotonic() + seconds
        while self.live and self.snapshot.seq <= after and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.changed.wait(), left)

    def wake(self) -> None:
        """Wake up all streams of this build."""
        event, self.changed = self.changed, asyncio.Event()
        event.set()
