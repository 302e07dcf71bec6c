"""An index of ended builds in SQLite: what lists, filters and statistics are answered from.

It holds nothing that the build directories do not: it can be thrown away, and is made anew when it is missing, of
another version, or damaged.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .model import BuildRequest, Snapshot

VERSION = 1
_TABLES = """
CREATE TABLE builds (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, state TEXT NOT NULL, design TEXT NOT NULL, flow TEXT NOT NULL,
    tags TEXT NOT NULL, text TEXT NOT NULL, idempotency_key TEXT, request TEXT NOT NULL, snapshot TEXT NOT NULL,
    annotations TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX builds_created ON builds (created DESC, id DESC);
CREATE INDEX builds_key ON builds (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE step_times (
    id TEXT NOT NULL, design_dir TEXT NOT NULL, design TEXT NOT NULL, flow TEXT NOT NULL, pdk TEXT NOT NULL,
    step TEXT NOT NULL, seconds REAL NOT NULL, created TEXT NOT NULL, PRIMARY KEY (id, step)
) WITHOUT ROWID;
CREATE INDEX step_times_design ON step_times (design_dir, design, flow, pdk, created DESC);
CREATE INDEX step_times_flow ON step_times (flow, created DESC);
"""

Row = tuple[BuildRequest, Snapshot, dict[str, Any], str | None]


class Index:
    """The ended builds. Its methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return self._connect()
        except sqlite3.OperationalError:  # locked, or the disk is full: nothing is wrong with the file
            raise
        except sqlite3.DatabaseError:
            self._remove()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=10)
        version = -1
        try:
            with contextlib.suppress(OSError):  # another user's, or a file system without modes
                self._path.chmod(0o600)  # it holds what the records do; SQLite's other files take after it
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # nothing is lost with it that cannot be made again
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._create(connection)
            connection.execute("SELECT count(*) FROM builds").fetchone()
        except sqlite3.DatabaseError:
            connection.close()
            raise
        if version not in {0, VERSION}:
            connection.close()
            raise sqlite3.DatabaseError("The index was written by another version.")
        return connection

    @staticmethod
    def _create(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")  # another server may be at it
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def ids(self) -> set[str]:
        """Return the ids of all builds that are in it."""
        return {row[0] for row in self._query("SELECT id FROM builds")}

    def put(self, rows: Iterable[Row]) -> None:
        """Add ended builds, or replace them."""
        with self._lock, self._transaction():
            for request, snapshot, annotations, key in rows:
                self._put_one(request, snapshot, annotations, key)

    def _put_one(self, request: BuildRequest, snapshot: Snapshot, annotations: dict[str, Any], key: str | None) -> None:
        tags = annotations.get("tags", request.tags)
        words = [request.id, request.name, request.design_dir, request.pdk, annotations.get("notes", ""), *tags]
        self._connection.execute(
            "INSERT OR REPLACE INTO builds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                request.id,
                request.created,
                snapshot.state,
                request.name,
                request.flow,
                json.dumps(tags),
                "\n".join(words).lower(),
                key,
                json.dumps(request.to_json()),
                json.dumps(snapshot.to_json()),
                json.dumps(annotations),
            ),
        )
        times = [
            (request.id, request.design_dir, request.name, request.flow, request.pdk, s.id, s.seconds, request.created)
            for s in snapshot.steps.values()
            if s.state == "done" and s.seconds is not None
        ]
        self._connection.executemany("INSERT OR REPLACE INTO step_times VALUES (?, ?, ?, ?, ?, ?, ?, ?)", times)

    def remove(self, build_id: str) -> None:
        """Forget a build."""
        with self._lock, self._transaction():
            self._connection.execute("DELETE FROM builds WHERE id = ?", (build_id,))
            self._connection.execute("DELETE FROM step_times WHERE id = ?", (build_id,))

    def get(self, build_id: str) -> Row | None:
        """Return one build, None if it is not in here."""
        rows = self._query(
            "SELECT request, snapshot, annotations, idempotency_key FROM builds WHERE id = ?", (build_id,)
        )
        return _row(*rows[0]) if rows else None

    def by_key(self, key: str) -> str | None:
        """Return the id of the build that a POST with this Idempotency-Key made."""
        rows = self._query("SELECT id FROM builds WHERE idempotency_key = ?", (key,))
        return rows[0][0] if rows else None

    def find(self, filters: Filters, limit: int) -> list[Row]:
        """Return the builds that pass the filters, newest first (oldest first if so asked)."""
        where, values = filters.sql()
        order = "created ASC, id ASC" if filters.oldest_first else "created DESC, id DESC"
        query = f"SELECT request, snapshot, annotations, idempotency_key FROM builds {where} ORDER BY {order} LIMIT ?"  # noqa: S608 - made of constants
        return [_row(*row) for row in self._query(query, (*values, limit))]

    def count(self, filters: Filters, without: Collection[str] = ()) -> int:
        """Return how many builds pass the filters, those with the ids ``without`` left out."""
        where, values = filters.sql()
        if without:
            where = f"{where} AND" if where else "WHERE"
            where += " id NOT IN (SELECT value FROM json_each(?))"
            values.append(json.dumps([*without]))
        return int(self._query(f"SELECT count(*) FROM builds {where}", values)[0][0])  # noqa: S608

    def oldest(self) -> list[tuple[str, str]]:
        """Return (id, created) of all builds, the oldest first."""
        return [(r[0], r[1]) for r in self._query("SELECT id, created FROM builds ORDER BY created, id")]

    def step_seconds(self, design_dir: str, design: str, flow: str, pdk: str) -> tuple[dict[str, float], str | None]:
        """Return the seconds that steps took of late, by step, and what that is based on.

        Of this design (its last five builds), else of this flow (its last fifty), else nothing.
        """
        scopes = (
            (
                "design_dir = ? AND design = ? AND flow = ? AND pdk = ?",
                (design_dir, design, flow, pdk),
                5,
                "this design",
            ),
            ("flow = ?", (flow,), 50, f"the flow {flow}"),
        )
        for where, values, count, name in scopes:
            recent = f"SELECT DISTINCT id, created FROM step_times WHERE {where} ORDER BY created DESC LIMIT {count}"  # noqa: S608
            ids = [row[0] for row in self._query(recent, values)]
            if ids:
                marks = ", ".join("?" * len(ids))
                query = f"SELECT step, avg(seconds) FROM step_times WHERE id IN ({marks}) GROUP BY step"  # noqa: S608
                basis = f"{len(ids)} build{'s' if len(ids) > 1 else ''} of {name}"
                return {row[0]: float(row[1]) for row in self._query(query, ids)}, basis
        return {}, None

    def statistics(self) -> dict[str, Any]:
        """Return counts by state and flow, and the mean seconds of each flow's steps with the number of times seen."""
        counts: dict[str, dict[str, int]] = {}
        for flow, state, count in self._query("SELECT flow, state, count(*) FROM builds GROUP BY flow, state"):
            counts.setdefault(flow, {})[state] = count
        steps: dict[str, dict[str, dict[str, float]]] = {}
        query = "SELECT flow, step, avg(seconds), max(seconds), count(*) FROM step_times GROUP BY flow, step"
        for flow, step, mean, longest, count in self._query(query):
            steps.setdefault(flow, {})[step] = {"mean": round(mean, 3), "max": round(longest, 3), "count": count}
        return {"builds": counts, "steps": steps}

    def _query(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


class Filters:
    """What a list of builds is narrowed down to. ``after`` is the last build of the page before: (created, id)."""

    def __init__(
        self,
        *,
        state: str | None = None,
        design: str | None = None,
        tag: str | None = None,
        text: str | None = None,
        oldest_first: bool = False,
        after: tuple[str, str] | None = None,
    ) -> None:
        self.state, self.design, self.tag, self.text = state, design, tag, text.lower() if text else None
        self.oldest_first, self.after = oldest_first, after

    def sql(self) -> tuple[str, list[Any]]:
        """Return the WHERE clause and its values."""
        parts, values = [], []
        for column, value in (("state", self.state), ("design", self.design)):
            if value is not None:
                parts.append(f"{column} = ?")
                values.append(value)
        if self.tag is not None:
            parts.append("EXISTS (SELECT 1 FROM json_each(builds.tags) WHERE value = ?)")
            values.append(self.tag)
        if self.text is not None:
            parts.append("instr(text, ?) > 0")
            values.append(self.text)
        if self.after is not None:
            parts.append(f"(created, id) {'>' if self.oldest_first else '<'} (?, ?)")
            values.extend(self.after)
        return f"WHERE {' AND '.join(parts)}" if parts else "", values


def _row(request: str, snapshot: str, annotations: str, key: str | None) -> Row:
    return (
        BuildRequest.from_json(json.loads(request)),
        Snapshot.from_json(json.loads(snapshot)),
        json.loads(annotations),
        key,
    )
