"""The console log of a build: raw bytes, whole, by range or by step; and a search on the server."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import regex

from ..auth import BUILDS, READ, Refusal
from ..builds.journal import CONSOLE
from ..builds.record import Record
from .base import A6HubHandler, guarded

TEXT = "text/plain; charset=utf-8"
MAX_PATTERN, MAX_FOUND, SEARCH_SECONDS = 500, 1000, 5.0
MAX_LINE = 1 << 20  # what a line is cut to for the search; a tool may print without ever ending a line
MAX_SHOWN = 1000

# What a line looks like that a person filters by level: LibreLane's own words, and those of the tools.
_ESCAPES = regex.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
LEVELS = {
    "error": regex.compile(r"(?i)\b(?:error|fatal)\b|^%Error"),
    "warning": regex.compile(r"(?i)\bwarn(?:ing)?\b|^%Warning"),
}


class LogHandler(A6HubHandler):
    """``builds/{id}/log``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Send the bytes that the tools wrote, as they wrote them.

        ``Range`` is honoured; ``step`` asks for the part that one step printed.
        """
        record = self.record(build_id)
        path = record.directory / CONSOLE
        name = f"{record.id}.log" if self.get_query_argument("download", None) else None
        step = self.get_query_argument("step", None)
        part = step_range(record, step) if step is not None else None
        if not path.exists():  # queued: nothing has been written yet
            await self.finish(b"", set_content_type=TEXT)
            return
        await self.send_file(path, content_type=TEXT, download=name, part=part)


class LogSearchHandler(A6HubHandler):
    """``builds/{id}/log/search``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Answer with the lines that hold ``pattern`` (with ``regex=true`` a regular expression) and are of ``level``.

        Each has its line number (from 1 in the part searched), its byte offset and its text without colours;
        ``complete`` is false where time or the number of lines ran out; ``next`` is then the offset to go on at.
        """
        record = self.record(build_id)
        pattern = self._pattern()
        level = self.get_query_argument("level", None)
        if level is not None and level not in LEVELS:
            raise Refusal(422, "There is no such level.", field="level", remedy=f"Use one of: {', '.join(LEVELS)}.")
        step = self.get_query_argument("step", None)
        start, end = step_range(record, step) if step is not None else (0, record.log_size)
        start = max(start, self._number("offset", 0, 1 << 62))
        limit = self._number("limit", MAX_FOUND, MAX_FOUND)
        search = Search(pattern, LEVELS.get(level or ""), limit)
        path = record.directory / CONSOLE
        await self.finish(await asyncio.to_thread(search.run, path, start, end) if path.exists() else search.nothing())

    def _pattern(self) -> regex.Pattern[str]:
        text = self.get_query_argument("pattern", "", strip=False)
        if len(text) > MAX_PATTERN:
            remedy = f"Use at most {MAX_PATTERN} characters."
            raise Refusal(422, "The pattern is too long.", field="pattern", remedy=remedy)
        expression = text if self._flag("regex") else regex.escape(text)
        try:
            return regex.compile(expression, 0 if self._flag("case") else regex.IGNORECASE)
        except regex.error as error:
            raise Refusal(
                422,
                f"The pattern is no regular expression: {error}.",
                field="pattern",
                remedy="Mend it, or leave out regex.",
            ) from error

    def _flag(self, name: str) -> bool:
        value = self.get_query_argument(name, "false")
        if value not in {"true", "false"}:
            raise Refusal(422, "This is neither true nor false.", field=name, remedy="Give one of them.")
        return value == "true"

    def _number(self, name: str, default: int, most: int) -> int:
        text = self.get_query_argument(name, str(default))
        if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > most:
            raise Refusal(422, f"'{name}' is no number in range.", field=name, remedy=f"Give 0 to {most}.")
        return int(text)


class Search:
    """One search through a part of a log, bounded in time and in what it finds."""

    def __init__(self, pattern: regex.Pattern[str], level: regex.Pattern[str] | None, limit: int) -> None:
        self._pattern, self._level, self._limit = pattern, level, limit
        self._lines: list[dict[str, Any]] = []

    def nothing(self) -> dict[str, Any]:
        """Return the answer for a log that is not there yet."""
        return {"lines": [], "complete": True, "next": None}

    def run(self, path: Path, start: int, end: int) -> dict[str, Any]:
        """Return the answer; the file is read line by line, never whole."""
        deadline = time.monotonic() + SEARCH_SECONDS
        with path.open("rb") as file:
            file.seek(start)
            number = 0
            while start < end:
                raw = file.readline(min(MAX_LINE, end - start))
                if not raw:
                    break
                number += 1
                seconds = deadline - time.monotonic()
                try:
                    found = seconds > 0 and self._holds(raw, seconds)
                except TimeoutError:
                    seconds = 0
                if seconds <= 0 or len(self._lines) >= self._limit:
                    return {"lines": self._lines, "complete": False, "next": start}
                if found:
                    self._lines.append({"line": number, "offset": start, "text": plain(raw)[:MAX_SHOWN]})
                start += len(raw)
        return {"lines": self._lines, "complete": True, "next": None}

    def _holds(self, raw: bytes, seconds: float) -> bool:
        text = plain(raw)
        if self._level is not None and not self._level.search(text):
            return False
        return self._pattern.search(text, timeout=seconds, concurrent=True) is not None


def plain(raw: bytes) -> str:
    """Return a line without colours and other escapes, as valid text."""
    return str(_ESCAPES.sub(b"", raw).decode(errors="replace")).rstrip("\r\n")


def step_range(record: Record, step_id: str) -> tuple[int, int]:
    """Return the bytes of the log that a step printed; Refusal 404 for a step that has not begun."""
    begun = [s for s in record.snapshot.steps.values() if s.offset is not None]
    for number, step in enumerate(begun):
        if step.id == step_id and step.offset is not None:
            following = begun[number + 1].offset if number + 1 < len(begun) else None
            return step.offset, record.log_size if following is None else following
    raise Refusal(404, "This step has printed nothing.", field="step", remedy="Name a step that has begun, by its id.")
