"""Owns one LibreLane process from its start to its end: ``python -m a6hub_jupyter.builds.supervisor BUILD_DIR``.

It is detached from the server that started it, and the only writer of the build directory. SIGTERM cancels the build:
SIGINT to LibreLane's process group, then SIGTERM, then SIGKILL, each after a grace.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..librelane.failures import explain
from ..toolchains import Command, Stop, toolchain
from ..toolchains.base import librelane_config
from . import journal
from .identity import identify
from .model import (
    CANCELLED,
    DONE,
    FAILED,
    PENDING,
    RUNNING,
    STARTING,
    SUCCEEDED,
    TIMED_OUT,
    Snapshot,
    Step,
    now,
)
from .progress import RunDirectory
from .reproduction import command_event
from .terminal import TerminalProcess, adopt_orphans, has_descendants

POLL_SECONDS = 0.05
HEARTBEAT_SECONDS = 5.0
# What a disk has left on which a tool has failed for want of space: less than any tool writes at a time.
FULL_DISK_BYTES = 1 << 20
SWEEPS = 5
# What an engine has to end a container, beyond the grace that it gives it (s).
ENGINE_SECONDS = 20.0


class Supervisor:
    """One build under way."""

    def __init__(self, build_dir: Path, asked_to_end: threading.Event) -> None:
        self._dir = build_dir
        self._asked_to_end = asked_to_end
        self._request, _ = journal.read_request(build_dir)
        self._steps = {s["id"]: Step(s["id"], s["name"]) for s in self._request.steps}
        self._run_dir = Path(self._request.run_dir)
        self._run = RunDirectory(self._run_dir, self._steps)
        self._run.pass_over_present()
        self._console = os.open(build_dir / journal.CONSOLE, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._offset = 0
        self._journal = journal.JournalWriter(build_dir)
        self._snapshot = Snapshot.of(self._request)
        self._ending: str | None = None  # the state that somebody asked for: cancelled or timed_out
        self._deadline = time.monotonic() + self._request.timeout
        self._next_heartbeat = 0.0

    def run(self) -> str:
        """Run the build to its end and return its final state."""
        self._wake, wake_writer = os.pipe()
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        adopt_orphans()
        error: dict[str, Any] | None = None
        code: int | None = None
        try:
            self._append("status", {"state": STARTING})
            for step in self._steps.values():
                self._append("step", step.to_json())
            code, error = self._run_plan()
        except OSError as problem:
            self._sweep()
            error = {"message": _os_error_sentence(problem)}
        except Exception as problem:  # noqa: BLE001 - a defect of ours must not look like a lost build
            import traceback  # noqa: PLC0415 - rarely needed, and each build waits for our imports

            traceback.print_exc()  # into supervisor.log
            self._sweep()
            error = {"message": f"The supervisor failed ({type(problem).__name__}); its log in {self._dir} says where."}
        return self._finish(code, error)

    def _run_plan(self) -> tuple[int | None, dict[str, Any] | None]:
        self._note_wish_to_end()
        plan = toolchain(self._request.toolchain).plan(self._request, self._dir, os.environ)
        (self._dir / journal.CONFIG).write_text(librelane_config(self._request), encoding="utf-8")
        if plan.stop:  # before anything can run that only this can end
            journal.write_json(self._dir / journal.STOP, plan.stop.to_json())
        for command in plan.prepare if not self._ending else ():
            self._append("status", {"state": RUNNING})
            code = self._prepare(command, plan.environment)
            if code != 0:
                return code, None if self._ending else {"message": self._last_line(), "step": command.step}
        if self._ending:
            return None, None
        command = command_event(plan.librelane.argv, self._request.design_dir, plan.environment, os.environ)
        self._append("command", command)
        code = self._execute(plan.librelane, plan.environment, plan.stop)
        for kind, data in self._run.end(failed=code != 0 or self._ending is not None):
            self._append(kind, data)
        if code == 0 or self._ending:
            return code, None
        failed = [(s.id, s.directory) for s in self._steps.values() if s.state == FAILED and s.directory]
        error = explain(self._run_dir, failed, code)
        for directory in (self._request.design_dir, self._dir):
            if shutil.disk_usage(directory).free < FULL_DISK_BYTES:
                error["message"] = f"The disk of {directory} is full: free some space. {error['message']}"
                break
        return code, error

    def _prepare(self, command: Command, environment: dict[str, str]) -> int:
        known = self._steps.get(command.step or "")  # what was there when the build was asked for may be gone by now
        step = known or Step(command.step or "prepare", command.name or "Prepare")
        begun = time.monotonic()
        step.state, step.started, step.offset = RUNNING, now(), self._offset
        self._append("step", step.to_json())
        code = self._execute(command, environment)
        step.state, step.finished = (DONE if code == 0 else FAILED), now()
        step.seconds = round(time.monotonic() - begun, 3)
        self._append("step", step.to_json())
        return code

    def _execute(self, command: Command, environment: dict[str, str], stop: Stop | None = None) -> int:
        """Run one command on the terminal, recording as it goes, until its whole tree is gone.

        What runs outside of the tree is ended by ``stop``; the client, which the tree has of it, then ends by itself.
        """
        marked = {**environment, journal.MARK: str(self._dir)}
        child = TerminalProcess(command.argv, marked, Path(self._request.design_dir))
        if command.step is None:
            self._append("status", {"state": RUNNING})
        stop_signals = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
        next_signal_at = 0.0
        looked_at = self._offset
        drained_by = None
        try:
            while True:
                self._record(child.read(POLL_SECONDS, self._wake))
                # a step found now began after the last look: what it has printed lies behind where the log ended then
                for kind, data in self._run.scan(looked_at):
                    self._append(kind, data)
                looked_at = self._offset
                self._beat()
                clock = time.monotonic()
                if child.poll() is None:  # one that has ended by itself is neither late nor cancelled
                    if self._asked_to_end.is_set():
                        self._ending = self._ending or CANCELLED
                    if clock > self._deadline:
                        self._ending = self._ending or TIMED_OUT
                    if self._ending and stop and next_signal_at == 0.0:
                        subprocess.Popen(stop.ask, stdin=subprocess.DEVNULL)  # what it says goes into supervisor.log
                        next_signal_at = clock + self._request.grace + ENGINE_SECONDS
                    elif self._ending and clock >= next_signal_at:
                        child.signal(stop_signals.pop(0) if len(stop_signals) > 1 else signal.SIGKILL)
                        next_signal_at = clock + self._request.grace
                else:
                    # a grandchild may hold the terminal open: it gets a moment, then the sweep
                    drained_by = drained_by or clock + 1.0
                    if child.drained or clock > drained_by:
                        break
        finally:
            self._sweep()
            if stop and (self._ending or child.poll() != 0):
                _end_outside(stop)
            try:
                self._drain(child)
            finally:
                child.close()
        code = child.poll()
        return code if code is not None else -signal.SIGKILL

    def _drain(self, child: TerminalProcess) -> None:
        while not child.drained and (data := child.read(0, self._wake)):
            self._record(data)

    def _record(self, data: bytes) -> None:
        while data:
            written = os.write(self._console, data)
            self._offset += written
            data = data[written:]

    def _append(self, kind: str, data: dict[str, Any]) -> None:
        """Append an event to the journal, and after each change of a step the progress that follows from it."""
        self._snapshot.apply(self._journal.append(kind, data))
        if kind == "step" and data["state"] != PENDING:
            self._journal.append("progress", self._snapshot.expectation(datetime.now(timezone.utc)))

    def _beat(self) -> None:
        """Touch ``supervisor.json``: its time of modification is the heartbeat."""
        if time.monotonic() >= self._next_heartbeat:
            os.utime(self._dir / journal.SUPERVISOR)
            self._note_wish_to_end()
            self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS

    def _note_wish_to_end(self) -> None:
        """Take in that the build is to end, also where it was asked for by a file: from another machine, or early."""
        if self._asked_to_end.is_set() or (self._dir / journal.CANCEL).exists():
            self._asked_to_end.set()
            self._ending = self._ending or CANCELLED

    def _sweep(self) -> None:
        """End whatever is left of the tree, also what made a session of its own (we adopt orphans)."""
        if not has_descendants():
            return
        import psutil  # noqa: PLC0415 - most builds leave nothing behind, and each waits for our imports

        for number in range(SWEEPS):  # one that is ended late may have started another meanwhile
            left = psutil.Process().children(recursive=True)
            if not left:
                return
            for process in left:
                with contextlib.suppress(psutil.Error):  # it may be gone by now
                    if number == 0:
                        process.terminate()
                    else:
                        process.kill()
            psutil.wait_procs(left, timeout=2.0)

    def _last_line(self) -> str:
        """Return the last line of the console: a preparation says there, in one sentence, why it failed."""
        with (self._dir / journal.CONSOLE).open("rb") as file:
            file.seek(max(0, self._offset - 4096))
            lines = file.read().decode(errors="replace").split("\n")
        text = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return text or "The preparation of the build failed without a word."

    def _finish(self, code: int | None, error: dict[str, Any] | None) -> str:
        state = self._ending or (FAILED if error else SUCCEEDED)
        if state == TIMED_OUT:
            error = {"message": f"The build ran longer than its limit of {self._request.timeout:g} s; raise 'timeout'."}
        result = {"state": state, "exit_code": code, "error": error}
        try:
            with contextlib.suppress(OSError):  # a full disk: the result, far smaller, is the record that counts
                self._append("complete", result)
                self._journal.close()
            journal.write_result(self._dir, {**result, "finished": now(), "metrics": self._run.metrics})
        finally:
            os.close(self._console)
        return state


def _end_outside(stop: Stop) -> None:
    """End what the client may have left running; one that is gone already is no error."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(stop.end, stdin=subprocess.DEVNULL, timeout=ENGINE_SECONDS, check=False)


def _os_error_sentence(error: OSError) -> str:
    what = error.filename or "the record of the build"
    return f"The build stopped because {what} could not be written or run: {error.strerror or error}."


def main(build_dir: Path) -> int:
    """Run the build recorded in ``build_dir``; the exit code tells only whether the record was closed.

    Only the first supervisor of a build runs it: a server may start another where it has not heard of one.
    """
    asked_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # before anybody can know whom to ask
        signal.signal(number, lambda *_: asked_to_end.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        if not journal.write_once(build_dir / journal.SUPERVISOR, {**identify(os.getpid()), "timestamp": now()}):
            return 0
        Supervisor(build_dir, asked_to_end).run()
    except OSError as problem:  # before there was a console or a journal: the disk is full
        error = {"message": _os_error_sentence(problem)}
        result = {"state": FAILED, "exit_code": None, "error": error, "finished": now(), "metrics": {}}
        journal.write_result(build_dir, result)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
