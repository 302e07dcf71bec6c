"""Which step a build is in: read from LibreLane's run directory, never guessed from log text.

LibreLane makes a directory ``NN-step-id`` for each step; ``state_in.json`` in it says that the step has started,
``state_out.json`` that it is done, with the metrics and views as they are then (librelane/steps/step.py).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .journal import read_json
from .model import DONE, FAILED, PENDING, RUNNING, SKIPPED, Step, now

_TICK_NANOSECONDS = 2_000_000_000  # the coarsest of file systems (FAT); a network's caches are as old at most
_STEP_DIRECTORY = re.compile(r"(\d+)-(.+)")


def slug(step_id: str) -> str:
    """Return a step id as LibreLane writes it in directory names: ``Yosys.Synthesis`` -> ``yosys-synthesis``."""
    return re.sub(r"[^a-z0-9]+", "-", step_id.lower()).strip("-")


def _file_time(path: Path) -> str | None:
    try:
        seconds = path.stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    a, b = (datetime.fromisoformat(t.replace("Z", "+00:00")) for t in (start, end))
    return round((b - a).total_seconds(), 3)


class RunDirectory:
    """Watches one run directory; ``scan`` yields the events that what has changed since amounts to.

    ``steps`` is the flow's own list in order; a step that LibreLane runs beside it (a substitution made on the way)
    is put in where it appears.
    """

    def __init__(self, directory: Path, steps: dict[str, Step]) -> None:
        self._directory = directory
        self.steps = steps
        self._by_slug = {slug(step_id): step_id for step_id in steps}
        self._seen: set[str] = set()
        self._running: tuple[str, Path] | None = None
        self.metrics: dict[str, Any] = {}
        self._views: dict[str, str] = {}
        self._looked_at = 0  # the run directory's time of modification (ns) when all in it had been seen

    def pass_over_present(self) -> None:
        """Take the steps that are there already as another build's: this one goes on where that one ended."""
        self._seen = {name for name, _ in self._new_directories()}

    def scan(self, offset: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (type, data) of new events; ``offset`` is where the log of a step found now begins, in bytes."""
        yield from self._finish_running()
        for name, path in self._new_directories():
            if not (path / "state_in.json").exists():
                self._looked_at = 0  # made, not yet started: the next scan sees it
                break
            self._seen.add(name)
            yield from self._finish_running()
            yield from self._fail_running()  # a check that failed "deferred": LibreLane went on without it
            yield from self._start(name, path, offset)
            yield from self._finish_running()

    def end(self, *, failed: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the last events when LibreLane is gone: what ran has failed, what never came was skipped."""
        yield from self._finish_running()
        yield from self._fail_running()
        if not failed:
            for step in self.steps.values():
                if step.state == PENDING:
                    step.state = SKIPPED
                    yield "step", step.to_json()

    def _new_directories(self) -> list[tuple[str, Path]]:
        try:
            modified = self._directory.stat().st_mtime_ns
            if modified == self._looked_at:
                return []
            names = os.listdir(self._directory)  # noqa: PTH208 - hundreds of times a second: names are enough
        except FileNotFoundError:
            return []
        # file times are coarse: a directory made in the same tick as this look would not show in them
        self._looked_at = modified if time.time_ns() - modified > _TICK_NANOSECONDS else 0
        found = [(int(m[1]), n) for n in names if (m := _STEP_DIRECTORY.fullmatch(n)) and n not in self._seen]
        return [(name, self._directory / name) for _, name in sorted(found)]

    def _start(self, name: str, path: Path, offset: int) -> Iterator[tuple[str, dict[str, Any]]]:
        step = self._step_of(path, name)
        for earlier in self.steps.values():
            if earlier is step:
                break
            if earlier.state == PENDING:
                earlier.state = SKIPPED
                yield "step", earlier.to_json()
        step.state, step.offset, step.directory = RUNNING, offset, name
        step.started = _file_time(path / "state_in.json") or now()
        self._running = (step.id, path)
        # what the state has already: nothing new in a run of its own, all of it in one that goes on with another's
        metrics, views = self._take_state(read_json(path / "state_in.json") or {})
        yield "step", {**step.to_json(), "views": views}
        if metrics:
            yield "metric", metrics

    def _step_of(self, path: Path, name: str) -> Step:
        plain = name.partition("-")[2]
        known = self._by_slug.get(plain)
        if known is not None and self.steps[known].state == PENDING:
            return self.steps[known]
        config = read_json(path / "config.json") or {}
        step_id = str(config.get("meta", {}).get("step") or plain)
        title = step_id
        if step_id in self.steps:  # the same step again: its number in the run tells the two apart
            step_id = f"{step_id}#{name.partition('-')[0]}"
        # nobody announced it, so nothing is known of what it passes over: it goes before the first that is to come
        listed = list(self.steps.values())
        at = next((k for k, s in enumerate(listed) if s.state == PENDING), len(listed))
        listed.insert(at, Step(step_id, title))
        self.steps.clear()
        self.steps.update((s.id, s) for s in listed)
        return self.steps[step_id]

    def _fail_running(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self._running is None:
            return
        step = self.steps[self._running[0]]
        step.state, step.finished = FAILED, now()
        step.seconds = _seconds(step.started, step.finished)
        self._running = None
        yield "step", step.to_json()

    def _finish_running(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self._running is None:
            return
        step_id, path = self._running
        if not os.path.exists(f"{path}/state_out.json"):  # noqa: PTH110 - twenty times a second
            return
        state = read_json(path / "state_out.json")
        if state is None:
            return
        step = self.steps[step_id]
        step.state, step.finished = DONE, _file_time(path / "state_out.json") or now()
        step.seconds = _seconds(step.started, step.finished)
        self._running = None
        metrics, views = self._take_state(state)
        yield "step", {**step.to_json(), "views": views}
        if metrics:
            yield "metric", metrics

    def _take_state(self, state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the metrics and single-file views that this state adds; views relative to the run directory."""
        metrics = {k: v for k, v in state.get("metrics", {}).items() if self.metrics.get(k, self) != v}
        self.metrics.update(metrics)
        views = {}
        for name, value in state.items():
            if not isinstance(value, str) or self._views.get(name) == value:
                continue
            self._views[name] = value
            path = Path(value)
            if path.is_relative_to(self._directory):
                views[name] = path.relative_to(self._directory).as_posix()
        return metrics, views
