"""The build directory's files: names, atomic writing, the append-only journal."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import Any

from .model import BuildRequest, json_safe, now

REQUEST, JOURNAL, CONSOLE = "request.json", "journal.jsonl", "console.log"
RESULT, SUPERVISOR, CLAIM, CONFIG = "result.json", "supervisor.json", "claim", "config.json"
ANNOTATIONS, CANCEL = "annotations.json", "cancel"
# How to end what runs outside of the supervisor's process tree (a container); see toolchains.base.Stop.
STOP = "stop.json"
# Holds the disk blocks of the result from the beginning: the end of a build can be told on a full disk too.
RESERVE, RESERVE_BYTES = "reserve", 1 << 16
# The environment variable by which every process of a build is known; its value is the build directory.
MARK = "A6HUB_BUILD_DIR"

# A journal line is written by us and is small; whatever is larger than this is not a journal.
MAX_LINE = 4 << 20


def write_json(path: Path, data: Any) -> None:
    """Write ``data`` to ``path`` atomically: a reader sees the old file or the new one, never a half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(json_safe(data), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> Any | None:
    """Return the content of a JSON file; None where there is none or it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_request(directory: Path, request: BuildRequest, idempotency_key: str | None) -> None:
    """Write the request of a new build."""
    write_json(directory / REQUEST, {"version": 1, "request": request.to_json(), "idempotency_key": idempotency_key})


def read_request(directory: Path) -> tuple[BuildRequest, str | None]:
    """Read a build's request and its idempotency key; ValueError when the directory holds no build."""
    data: Any = read_json(directory / REQUEST)
    try:
        return BuildRequest.from_json(data["request"]), data.get("idempotency_key")
    except (TypeError, KeyError, AttributeError) as problem:
        raise ValueError(f"{directory} is no build directory: it has no readable {REQUEST}.") from problem


def claim(directory: Path, by: str) -> bool:
    """Take the right to start or end a queued build; False if somebody has it already.

    Only one process can create the file, so a build is never started twice, nor cancelled while it starts, even
    when two servers share one store.
    """
    return write_once(directory / CLAIM, {"by": by, "timestamp": now()})


def read_claim(directory: Path) -> tuple[str | None, float]:
    """Return by what a build has been claimed, and how many seconds ago."""
    data = read_json(directory / CLAIM)
    age = time.time() - (directory / CLAIM).stat().st_mtime
    return (data.get("by") if isinstance(data, dict) else None), age


def write_once(path: Path, data: Any) -> bool:
    """Write a JSON file that is not there yet, whole or not at all; False if somebody has been first."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_json(temporary, data)
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def reserve(directory: Path) -> None:
    """Take the disk blocks that ``write_result`` will need; OSError when the disk has none."""
    with (directory / RESERVE).open("wb") as file:
        file.write(bytes(RESERVE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def write_result(directory: Path, result: dict[str, Any]) -> None:
    """Write ``result.json`` into the blocks that were reserved for it, so that a full disk does not stop it."""
    reserved = directory / RESERVE
    descriptor = os.open(reserved, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        try:
            _overwrite(descriptor, result)
        except OSError:  # larger than what was reserved, and the disk is full: without what the journal has anyway
            message = str((result["error"] or {}).get("message"))[:1000]
            _overwrite(
                descriptor, {**result, "metrics": {}, "error": {"message": message} if result["error"] else None}
            )
    finally:
        os.close(descriptor)
    reserved.replace(directory / RESULT)


def _overwrite(descriptor: int, data: dict[str, Any]) -> None:
    text = json.dumps(json_safe(data), indent=1).encode()
    written = 0
    while written < len(text):
        written += os.pwrite(descriptor, text[written:], written)
    os.ftruncate(descriptor, len(text))
    os.fsync(descriptor)


class JournalWriter:
    """Appends events to ``journal.jsonl``: ``seq`` from 1 without gaps, one line each, each line in one write."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / JOURNAL
        self.seq = 0
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def append(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Append one event and return it; OSError when the disk refuses."""
        event = {"seq": self.seq + 1, "timestamp": now(), "type": kind, "data": json_safe(data)}
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        start = os.fstat(self._descriptor).st_size
        if os.write(self._descriptor, line) != len(line):
            os.ftruncate(self._descriptor, start)  # a torn line would end the journal for every reader
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self.seq += 1
        return event

    def close(self) -> None:
        """Make the journal durable."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)


class JournalReader:
    """Reads a journal as it grows; each call returns the events that have come since the last one."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / JOURNAL
        self._name = str(self._path)
        self._position = 0

    def read(self) -> list[dict[str, Any]]:
        """Return the new whole lines as events; a line still being written is left for the next call."""
        try:
            # looked at forty times a second: nothing is opened where nothing has come
            if os.stat(self._name).st_size <= self._position:  # noqa: PTH116
                return []
            with self._path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return []
        events = []
        for line in data.splitlines(keepends=True):
            if not line.endswith(b"\n") or len(line) > MAX_LINE:
                break
            try:
                events.append(json.loads(line))
            except ValueError:  # damaged from outside: what came before it still holds
                break
            self._position += len(line)
        return events
