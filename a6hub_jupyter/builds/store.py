"""The records of builds: directories on disk, the live ones in memory, the ended ones in an index.

The directory is the record. What is in memory and in the index is derived from it and can be thrown away; nothing here
writes into the directory of a build that has been started, but for what users note down on it (``annotations.json``).
"""

from __future__ import annotations

import contextlib
import heapq
import shutil
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from . import journal, lock
from .index import Filters, Index, Row
from .model import BUILD_ID, CANCELLED, FAILED, QUEUED, BuildRequest, now
from .record import Record

# Ended builds that are kept in memory, for clients that look at one for a while.
_KEPT = 64
# Putting a build on record takes milliseconds; what is older than this, nobody is at any more.
HALF_MADE_SECONDS = 60.0
# Builds that go into the index in one transaction, for which those who read it wait.
_CHUNK = 50
# The coarsest clock of a file system: what was made in the same tick as the last look does not show in its time.
_TICK_NANOSECONDS = 2_000_000_000


class Store:
    """All builds below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.live: dict[str, Record] = {}
        self._ended: OrderedDict[str, Record] = OrderedDict()
        self._closing = threading.Event()
        self._indexing: threading.Thread | None = None
        self._index: Index | None = None
        self._looked_at = 0
        self.problem: str | None = None

    @property
    def index(self) -> Index:
        """The index of ended builds; opened on first use."""
        if self._index is None:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._index = Index(self.directory / ".index.sqlite")
        return self._index

    def open(self) -> bool:
        """Do what ``load`` does, if the directory can be used; else return False, and ``problem`` is one sentence."""
        try:
            self.load()
        except (OSError, sqlite3.Error) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            self.problem = f"The builds' directory {self.directory} cannot be used by this server's user: {why}."
        return self.problem is None

    def load(self) -> None:
        """Find the live builds now, and have those that ended unseen put into the index in the background.

        To be called where requests are answered: one that came early may have read a live build already.
        """
        self._closing = threading.Event()
        known = self.index.ids()
        self.clear_half_made()
        self._looked_at = self._modified()
        names = {p.name for p in self.directory.iterdir() if BUILD_ID.fullmatch(p.name)}
        ended = []
        for path in (self.directory / name for name in sorted(names - known - set(self.live))):
            if (path / journal.RESULT).exists():
                ended.append(path)
            elif record := _read(path):
                if record.live:
                    self.live[record.id] = record
                else:  # its supervisor was killed between the last event and the result
                    ended.append(path)
        for build_id in known - names:
            self.index.remove(build_id)
        self._indexing = threading.Thread(target=self._index_all, args=(ended,), daemon=True)
        self._indexing.start()

    def exclusively(self, patience: float = lock.PATIENCE_SECONDS) -> AbstractAsyncContextManager[None]:
        """Return the lock that all servers on this store share; see ``lock.held``."""
        return lock.held(self.directory / ".lock", patience)

    def discover(self) -> list[Record]:
        """Take in builds that another server has put on record since the last look; return them."""
        modified = self._modified()
        if modified == self._looked_at:
            return []
        self._looked_at = modified if time.time_ns() - modified > _TICK_NANOSECONDS else 0
        names = {p.name for p in self.directory.iterdir() if BUILD_ID.fullmatch(p.name)}
        unknown = names - set(self.live) - set(self._ended)
        found = [r for n in sorted(unknown - self.index.ids()) if (r := _read(self.directory / n)) is not None]
        for record in found:
            self.live[record.id] = record  # one that has ended goes on into the index
        return found

    def _modified(self) -> int:
        return self.directory.stat().st_mtime_ns

    def clear_half_made(self) -> None:
        """Remove what a server left that was killed while it put a build on record, or removed one."""
        for path in self.directory.glob(".*"):
            if BUILD_ID.fullmatch(path.name[1:]) and time.time() - path.stat().st_mtime > HALF_MADE_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

    def _index_all(self, paths: list[Path]) -> None:
        for start in range(0, len(paths), _CHUNK):
            rows = []
            for path in paths[start : start + _CHUNK]:
                if self._closing.is_set():
                    return
                if record := _read(path):
                    rows.append(record.row())
            self.index.put(rows)

    @property
    def indexed(self) -> bool:
        """Whether the work that ``load`` left to the background is done: the index lacks no build."""
        return self._indexing is None or not self._indexing.is_alive()

    def wait_until_indexed(self) -> None:
        """Wait for the work that ``load`` left to the background."""
        if self._indexing is not None:
            self._indexing.join()

    def close(self) -> None:
        """Let go of the index."""
        self._closing.set()
        self.wait_until_indexed()
        if self._index is not None:
            self._index.close()
            self._index = None

    def _keep(self, record: Record) -> None:
        if record.live:
            self.live[record.id] = record
        else:
            self._remember(record)

    def _remember(self, record: Record) -> None:
        self._ended[record.id] = record
        while len(self._ended) > _KEPT:
            self._ended.popitem(last=False)

    def settle(self, record: Record) -> None:
        """Move a build that has ended from memory into the index; sqlite3.Error, and no move, when the disk is full."""
        if record.id in self.live:
            self.index.put([record.row()])
            del self.live[record.id]
            self._remember(record)

    def create(self, request: BuildRequest, idempotency_key: str | None) -> Record:
        """Write the record of a new build, whole or not at all; OSError when the disk refuses."""
        directory = self.directory / request.id
        temporary = self.directory / f".{request.id}"
        try:
            temporary.mkdir(mode=0o700)
            journal.write_request(temporary, request, idempotency_key)
            journal.reserve(temporary)
            temporary.rename(directory)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        record = Record(directory, request, idempotency_key)
        self.live[record.id] = record
        return record

    def get(self, build_id: str) -> Record | None:
        """Return a build, None if there is none with this id (any more: another server may have deleted it)."""
        record = self.live.get(build_id) or self._ended.get(build_id)
        if record is None and BUILD_ID.fullmatch(build_id):
            row = self.index.get(build_id)
            record = self._revive(row) if row else _read(self.directory / build_id)
            if record is not None:
                self._keep(record)
        if record is not None and not record.directory.is_dir():
            self.drop(record)
            return None
        return record

    def _revive(self, row: Row) -> Record:
        request, snapshot, annotations, key = row
        return Record(self.directory / request.id, request, key, snapshot=snapshot, annotations=annotations)

    def by_idempotency_key(self, key: str) -> Record | None:
        """Return the build that an earlier POST with this key made."""
        for record in self.live.values():
            if record.idempotency_key == key:
                return record
        build_id = self.index.by_key(key)
        return self.get(build_id) if build_id else None

    def find_live(self, filters: Filters) -> list[Record]:
        """Return the builds in memory that pass the filters, in order of creation."""
        passing = (r for r in self.live.values() if r.passes(filters))
        return sorted(passing, key=_age, reverse=not filters.oldest_first)

    def find(self, filters: Filters, limit: int, live: Sequence[Record]) -> list[Record]:
        """Return at most ``limit`` builds that pass the filters, ``live`` among them; may be called from any thread."""
        ended = [self._revive(row) for row in self.index.find(filters, limit)]
        merged = heapq.merge(live, ended, key=_age, reverse=not filters.oldest_first)
        return list(_first(merged, limit))

    def count(self, filters: Filters, live: Sequence[Record]) -> int:
        """Return how many builds pass the filters, those in ``live`` included; may be called from any thread."""
        return self.index.count(filters, {r.id for r in live}) + len(live)  # one may have ended since it was found

    def queued(self) -> list[Record]:
        """Return the builds that wait, in the order in which they came."""
        return sorted((r for r in self.live.values() if r.snapshot.state == QUEUED), key=_age)

    def annotate(self, record: Record, annotations: dict[str, Any]) -> None:
        """Write down what a user says of a build (tags, notes)."""
        journal.write_json(record.directory / journal.ANNOTATIONS, annotations)
        record.annotations = annotations
        if not record.live:
            self.index.put([record.row()])

    def drop(self, record: Record) -> None:
        """Let go of a build whose directory is gone: another server, or its owner, has deleted it."""
        self.live.pop(record.id, None)
        self._ended.pop(record.id, None)
        if record.live:
            record.lose("The record of this build has been deleted.")
        record.wake()

    def forget(self, record: Record) -> Path:
        """Take an ended build off the record; return the directory that is left to be removed, which may take long."""
        doomed = self.directory / f".{record.id}"  # what a killed server leaves so named is removed at the next start
        with contextlib.suppress(OSError):
            record.directory.rename(doomed)
        self.index.remove(record.id)
        self.drop(record)
        return doomed


def close_unstarted(record: Record, state: str, message: str | None) -> None:
    """Write the end of a build that no supervisor will start; only for who holds its claim."""
    assert state in {CANCELLED, FAILED}  # noqa: S101 - the only ends without a start
    result: dict[str, Any] = {"state": state, "exit_code": None, "error": {"message": message} if message else None}
    with contextlib.suppress(OSError):  # a full disk: the result has its place, and is the record that counts
        writer = journal.JournalWriter(record.directory)
        writer.append("complete", result)
        writer.close()
    journal.write_result(record.directory, {**result, "finished": now(), "metrics": {}})
    record.refresh()


def _age(record: Record) -> tuple[str, str]:
    return record.request.created, record.id


def _first(records: Iterator[Record], limit: int) -> Iterator[Record]:
    seen: set[str] = set()  # a build that ends just now is in memory and in the index
    for record in records:
        if len(seen) == limit:
            return
        if record.id not in seen:
            seen.add(record.id)
            yield record


def _read(path: Path) -> Record | None:
    """Read a build directory; None for what is no build."""
    with contextlib.suppress(ValueError, OSError):
        request, key = journal.read_request(path)
        annotations = journal.read_json(path / journal.ANNOTATIONS)
        record = Record(path, request, key, annotations=annotations if isinstance(annotations, dict) else None)
        record.refresh()
        record.last_output = time.time()
        return record
    return None
