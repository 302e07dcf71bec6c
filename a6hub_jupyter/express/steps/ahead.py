"""Checks that run beside other steps: begun as soon as what they read is there, taken over by their step at its turn.

A check changes nothing that another step reads, and one core is idle while most steps run. What was begun counts only
when its step, at its turn, would give the tool the very same job; else the step starts its tool itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.cores import cores
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.steps.serving import Ended, ServedTool, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from librelane.common import Toolbox
    from librelane.config import Config
    from librelane.state import State

    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.steps.base import ExpressStep

LONGEST_END = 5.0
"""A tool that was told to end has done so within this time, s."""


class Begun:
    """A tool begun ahead of its step, in a directory of its own until the step takes it over."""

    def __init__(self, step: ExpressStep, job: Job) -> None:
        self.id = step.id
        self.job = job
        self.module = step.module
        self.environment: dict[str, str] = step.extract_env({})[1]
        self.ended: Ended | None = None
        """How it ended; None as long as it runs, and where it could not be started."""
        self.seconds = 0.0
        self._tool: ServedTool | None = None
        self._lines: SimpleQueue[str | None] = SimpleQueue()

    @property
    def directory(self) -> Path:
        """Where it writes."""
        return Path(self.job.step_directory)

    def start(self) -> None:
        """Start it. Raises OSError when there is no server for it."""
        server = prepared()
        if server is None:
            raise ConnectionError("there is no tool server")
        self._tool = server.start(self.module, str(self.job.save()), self.environment)

    def follow(self) -> None:
        """Take in what it prints until it ends: for a thread of its own."""
        began = time.monotonic()
        if self._tool is not None:
            for line in self._tool.output:
                self._lines.put(line)
            self.ended = self._tool.end()
        self.seconds = time.monotonic() - began
        self._lines.put(None)

    def lines(self) -> Iterator[str]:
        """What it prints, until it has ended."""
        while (line := self._lines.get()) is not None:
            yield line

    def discard(self) -> None:
        """Have it ended: nobody wants it."""
        if self._tool is not None:
            self._tool.kill()

    def hand_over(self, directory: Path) -> None:
        """Move what it has written, but for its job."""
        for path in sorted(self.directory.iterdir()):
            if path.name != "job.json":
                shutil.move(path, directory / path.name)


class Ahead:
    """The checks of one run of a flow that may be begun ahead."""

    def __init__(
        self, steps: Sequence[type[ExpressStep]], config: Config, toolbox: Toolbox, directory: Path, most: int
    ) -> None:
        """`steps`: those that will run; `most`: how many tools may run beside the step at its turn."""
        self._steps = steps
        self._config = config
        self._toolbox = toolbox
        self._directory = directory
        self._most = most
        self._waiting: list[Begun] = []
        self._running: list[Begun] = []
        self._done: list[Begun] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def after(self, step: str, state: State) -> None:
        """A step has ended: begin what was waiting for it."""
        for cls in self._steps:
            if cls.begins_after == step and self._most:
                begun = cls(config=self._config, state_in=state)
                begun.toolbox = self._toolbox
                begun.step_dir = str(self._directory / cls.id)
                with contextlib.suppress(ProblemError):  # its step will say so
                    job = begun.job(state)
                    Path(begun.step_dir).mkdir(parents=True, exist_ok=True)
                    self._waiting.append(Begun(begun, job))
        self._fill()

    def _fill(self) -> None:
        with self._lock:
            while self._waiting and len(self._running) < self._most:
                begun = self._waiting.pop(0)
                try:
                    begun.start()
                except OSError:
                    continue
                self._running.append(begun)
                thread = threading.Thread(target=self._follow, args=(begun,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _follow(self, begun: Begun) -> None:
        begun.follow()
        with self._lock:
            self._running.remove(begun)
            self._done.append(begun)
        self._fill()

    def taken(self, step: ExpressStep, job: Job) -> Begun | None:
        """The tool that was begun for a step, if this is its job. It belongs to the step then."""
        with self._lock:
            self._waiting = [begun for begun in self._waiting if begun.id != step.id]
            found = next((begun for begun in [*self._running, *self._done] if begun.id == step.id), None)
        if found is not None and dataclasses.replace(found.job, step_directory=job.step_directory) != job:
            found.discard()
            return None
        return found

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While the step at its turn only waits for a tool, one more may run."""
        self._most += 1
        self._fill()
        try:
            yield
        finally:
            self._most -= 1

    def close(self) -> None:
        """Nothing more is begun, and what still runs is ended."""
        with self._lock:
            self._waiting, self._most = [], 0
            running = list(self._running)
        for begun in running:
            begun.discard()
        for thread in self._threads:
            thread.join(LONGEST_END)
        shutil.rmtree(self._directory, ignore_errors=True)


_current: ContextVar[Ahead | None] = ContextVar("ahead", default=None)


@contextlib.contextmanager
def beside(steps: Sequence[Any], config: Config, toolbox: Toolbox, directory: Path) -> Iterator[None]:
    """While a flow runs: `steps`, in their order, may be begun ahead, as many at once as there are idle cores."""
    ahead = Ahead(steps, config, toolbox, directory, cores() - 1)
    token = _current.set(ahead)
    try:
        yield
    finally:
        _current.reset(token)
        ahead.close()


def current() -> Ahead | None:
    """What is begun ahead in the run of this flow."""
    return _current.get()


class Announced:
    """A step at whose end others may begin."""

    def start(self, *args: Any, **kwargs: Any) -> Any:
        """As the step does; then begin what was waiting for it."""
        me: Any = super()
        state = me.start(*args, **kwargs)
        ahead = current()
        if ahead is not None:
            ahead.after(self.id, state)  # type: ignore[attr-defined]
        return state
