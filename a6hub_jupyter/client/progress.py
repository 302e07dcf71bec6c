"""A build's progress as text, for terminals, scripts and logs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, TextIO

from .page import step_mark

ENDED = frozenset({"succeeded", "failed", "cancelled", "timed_out", "lost"})
BAR = 20  # characters
BLOCKS = " ▏▎▍▌▋▊▉█"
CLEAR = "\r\x1b[K"


class ProgressPrinter:
    """Prints a line for each step that has ended and, on a terminal, keeps one below them on what goes on."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._out = output or sys.stdout
        self._terminal = self._out.isatty()
        self._told: set[str] = set()
        self._state = ""

    def tell(self, data: Mapping[str, Any]) -> None:
        """Print what is new in a build (the API's form)."""
        lines = list(self._news(data))
        if self._terminal:
            ended = data["state"] in ENDED
            self._out.write(CLEAR + "".join(f"{line}\n" for line in lines) + ("" if ended else self._standing(data)))
        else:
            self._out.write("".join(f"{line}\n" for line in lines))
        self._out.flush()

    def clear(self) -> None:
        """Take away the line on what goes on: nobody will change it any more."""
        if self._terminal:
            self._out.write(CLEAR)
            self._out.flush()

    def _news(self, data: Mapping[str, Any]) -> list[str]:
        lines = []
        name, state = data["design"]["name"], data["state"]
        if state == "queued" and self._state != state and not self._terminal:
            lines.append(f"{name} {waiting(data)}")
        self._state = state
        steps = [s for s in data["steps"] if s["state"] != "skipped"]
        for number, step in enumerate(steps, 1):
            if step["id"] in self._told or step["state"] not in {"done", "failed"}:
                continue
            self._told.add(step["id"])
            lines.append(
                f"{step_mark(step, data)} {number:2}/{len(steps)} {step['name']}  {step['seconds'] or 0:.1f} s"
            )
        if state in ENDED:
            reason = f": {data['error']['message']}" if data["error"] else ""
            lines.append(f"{name} {state.replace('_', ' ')} after {clock(elapsed(data))}{reason}")
        return lines

    def _standing(self, data: Mapping[str, Any]) -> str:
        width = shutil.get_terminal_size().columns - 1
        if data["state"] == "queued":
            return f"{data['design']['name']} {waiting(data)}"[:width]
        steps = [s for s in data["steps"] if s["state"] != "skipped"]
        running = next(((n, s["name"]) for n, s in enumerate(steps, 1) if s["state"] == "running"), None)
        where = f"{running[0]}/{len(steps)} {running[1]}" if running else data["state"]
        parts = [f"{bar(data['progress'])} {data['progress']:3} %", where, clock(elapsed(data))]
        if (left := data.get("eta_seconds")) is not None:
            parts.append(f"about {clock(left)} left" if left > 0 else "longer than before")
        return "  ".join(parts)[:width]


def bar(percent: float) -> str:
    """Return a bar of fixed width, filled up to an eighth of a character."""
    eighths = round(min(100.0, max(0.0, percent)) / 100 * BAR * 8)
    full, rest = divmod(eighths, 8)
    return f"▕{('█' * full + (BLOCKS[rest] if rest else '')).ljust(BAR)}▏"


def waiting(data: Mapping[str, Any]) -> str:
    """Return a queued build's place, and why it waits."""
    place = f"number {data['queue_position']} in the queue" if data.get("queue_position") else "queued"
    return f"{place}. {data['queue_reason'] or ''}".strip()


def elapsed(data: Mapping[str, Any]) -> float:
    """Return the seconds since LibreLane's start, up to the end if there was one; 0 before the start."""
    if not data.get("started"):
        return 0.0
    started, finished = (_time(data[k]) if data.get(k) else None for k in ("started", "finished"))
    assert started is not None  # noqa: S101 - looked at above
    return max(0.0, ((finished or datetime.now(timezone.utc)) - started).total_seconds())


def clock(seconds: float) -> str:
    """Return ``3:07`` or ``1:02:03``."""
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    rest = f"{minutes % 60:02}:{int(seconds) % 60:02}" if hours else f"{minutes}:{int(seconds) % 60:02}"
    return f"{hours}:{rest}" if hours else rest


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
