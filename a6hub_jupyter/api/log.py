"""The console log of a build: raw bytes, whole, by range or by step; and a search on the server."""

from __future__ import annotations

from ..auth import BUILDS, READ, Refusal
from ..builds.journal import CONSOLE
from ..builds.record import Record
from ..builds.search import LEVELS, PatternError, Search
from .base import A6HubHandler, guarded
from .files import FileHandler
from .turns import Kind

TEXT = "text/plain; charset=utf-8"
MAX_PATTERN, MAX_FOUND, SEARCH_SECONDS = 500, 1000, 5.0
# One by regular expression is a process that may take some memory; each takes ten seconds at most.
SEARCHES = Kind("searches of logs", at_once=2, waiting=20)


class LogHandler(FileHandler):
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
        pattern = self.get_query_argument("pattern", "", strip=False)
        if len(pattern) > MAX_PATTERN:
            remedy = f"Use at most {MAX_PATTERN} characters."
            raise Refusal(422, "The pattern is too long.", field="pattern", remedy=remedy)
        level = self.get_query_argument("level", None)
        if level is not None and level not in LEVELS:
            raise Refusal(422, "There is no such level.", field="level", remedy=f"Use one of: {', '.join(LEVELS)}.")
        step = self.get_query_argument("step", None)
        start, end = step_range(record, step) if step is not None else (0, record.log_size)
        search = Search(
            path=str(record.directory / CONSOLE),
            start=max(start, self._number("offset", 0, 1 << 62)),
            end=end,
            pattern=pattern,
            is_regex=self._flag("regex"),
            case=self._flag("case"),
            level=level,
            limit=self._number("limit", MAX_FOUND, MAX_FOUND),
            seconds=SEARCH_SECONDS,
        )
        try:
            async with self.turn(SEARCHES):
                if self.gone:  # who types on asks again for each letter, and lets go of what was asked before
                    return
                answer = await search.answer()
        except PatternError as error:
            raise Refusal(422, str(error), field="pattern", remedy="Mend it, or leave out regex.") from error
        await self.finish(answer)

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


def step_range(record: Record, step_id: str) -> tuple[int, int]:
    """Return the bytes of the log that a step printed; Refusal 404 for a step that has not begun."""
    begun = [s for s in record.snapshot.steps.values() if s.offset is not None]
    for number, step in enumerate(begun):
        if step.id == step_id and step.offset is not None:
            following = begun[number + 1].offset if number + 1 < len(begun) else None
            return step.offset, record.log_size if following is None else following
    raise Refusal(404, "This step has printed nothing.", field="step", remedy="Name a step that has begun, by its id.")
