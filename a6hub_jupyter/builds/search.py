"""Searching a console log: bounded in time and in what it finds.

A regular expression of a few characters can take all memory while it is compiled (nested counts), or never end. So
those of clients are run by a process of their own, ``python -m a6hub_jupyter.builds.search``, one JSON object each way.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import regex

from ..isolated import clean_environment, module_command

MAX_LINE = 1 << 20  # what a line is cut to for the search; a tool may print without ever ending a line
MAX_SHOWN = 1000
WORKER_BYTES = 512 << 20
# What the process has beyond the time of the search, to start and to compile.
WORKER_SECONDS = 5.0

# What a line looks like that a person filters by level: LibreLane's own words, and those of the tools.
LEVELS = {"error": r"(?i)\b(?:error|fatal)\b|^%Error", "warning": r"(?i)\bwarn(?:ing)?\b|^%Warning"}
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


class PatternError(Exception):
    """The pattern is no regular expression, or none that can be run; the text is for people."""


@dataclass(frozen=True)
class Search:
    """What to look for: ``path`` from byte ``start`` to byte ``end``, at most ``limit`` lines in ``seconds``."""

    path: str
    start: int
    end: int
    pattern: str
    is_regex: bool
    case: bool
    level: str | None
    limit: int
    seconds: float

    async def answer(self) -> dict[str, Any]:
        """Return ``{lines, complete, next}``; PatternError for a pattern that cannot be used."""
        if not self.is_regex:
            return await asyncio.to_thread(self.run)
        process = await asyncio.create_subprocess_exec(
            *module_command(__name__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=clean_environment(),
        )
        try:
            question = json.dumps(asdict(self)).encode()
            output, _ = await asyncio.wait_for(process.communicate(question), self.seconds + WORKER_SECONDS)
            answer: dict[str, Any] = json.loads(output)
        except (asyncio.TimeoutError, ValueError) as problem:
            raise PatternError("The pattern takes too much time or memory.") from problem
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if "error" in answer:
            raise PatternError(answer["error"])
        return answer

    def run(self) -> dict[str, Any]:
        """Return the answer; the file is read line by line, never whole."""
        deadline = time.monotonic() + self.seconds
        pattern = self._compiled()
        level = regex.compile(LEVELS[self.level]) if self.level else None  # once in a while: not at import
        lines: list[dict[str, Any]] = []
        start, number = self.start, 0
        if start >= self.end:  # also beyond what a file can have
            return {"lines": lines, "complete": True, "next": None}
        with Path(self.path).open("rb") as file:
            file.seek(start)
            while start < self.end:
                raw = file.readline(min(MAX_LINE, self.end - start))
                if not raw:
                    break
                number += 1
                seconds = deadline - time.monotonic()
                text = plain(raw)
                try:
                    found = seconds > 0 and (level is None or level.search(text)) and _holds(pattern, text, seconds)
                except TimeoutError:
                    seconds = 0
                if seconds <= 0 or len(lines) >= self.limit:
                    return {"lines": lines, "complete": False, "next": start}
                if found:
                    lines.append({"line": number, "offset": start, "text": text[:MAX_SHOWN]})
                start += len(raw)
        return {"lines": lines, "complete": True, "next": None}

    def _compiled(self) -> regex.Pattern[str]:
        expression = self.pattern if self.is_regex else regex.escape(self.pattern)
        try:
            return regex.compile(expression, 0 if self.case else regex.IGNORECASE)
        except regex.error as error:
            raise PatternError(f"The pattern is no regular expression: {error}.") from error


def _holds(pattern: regex.Pattern[str], text: str, seconds: float) -> bool:
    return pattern.search(text, timeout=seconds, concurrent=True) is not None


def plain(raw: bytes) -> str:
    """Return a line without colours and other escapes, as valid text."""
    return str(_ESCAPES.sub(b"", raw).decode(errors="replace")).rstrip("\r\n")


def main() -> None:
    """Answer the one question on standard input."""
    import resource  # noqa: PLC0415 - not for the server, whose memory is not ours to bound

    resource.setrlimit(resource.RLIMIT_AS, (WORKER_BYTES, WORKER_BYTES))
    try:
        answer = Search(**json.load(sys.stdin)).run()
    except PatternError as error:
        answer = {"error": str(error)}
    except (MemoryError, RecursionError):
        answer = {"error": "The pattern takes too much time or memory."}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
