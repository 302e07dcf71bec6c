"""Runs the tools of Express for LibreLane's steps: in processes of their own, with what each of them used."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from librelane.common import format_elapsed_time, format_size
from librelane.logging import verbose
from librelane.steps.step import DefaultOutputProcessor

from a6hub_jupyter.isolated import module_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from librelane.steps import Step

STILL_IMPORTING = 5.0
"""A server that does not end within this time, in s, has not begun to serve."""


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code (negative: a signal), CPU seconds, the most memory in bytes."""

    code: int
    user: float = 0.0
    system: float = 0.0
    memory: int = 0

    @classmethod
    def of(cls, status: int, user: float, system: float, rss: int) -> Ended:
        """From a wait status, seconds, and KiB (bytes on macOS)."""
        unit = 1 if sys.platform == "darwin" else 1024
        return cls(os.waitstatus_to_exitcode(status), user, system, rss * unit)


class ToolServer:
    """The process that has the tools imported; see `express/toolserver.py`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        command = module_command("a6hub_jupyter.express.toolserver", str(theirs.fileno()))
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours
        self._answers = ours.makefile("r")
        self.lock = threading.Lock()
        self.pid = self._process.pid
        atexit.register(self.close)

    def close(self) -> None:
        """End the server, and a tool that it runs."""
        self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(timeout=STILL_IMPORTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def start(self, module: str, argument: str, environment: dict[str, str]) -> TextIO:
        """Start a tool; its output. Raises OSError when the server is not there."""
        request = {"module": module, "argument": argument, "environment": environment}
        reading, writing = os.pipe()
        output = os.fdopen(reading, encoding="utf8", errors="replace")
        try:
            data = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(self._socket, [data], [writing])
            self._socket.sendall(data[sent:])
            if "pid" not in self._answer():
                raise ConnectionError("the tool server has ended")
        except OSError:
            output.close()
            raise
        finally:
            os.close(writing)
        return output

    def end(self) -> Ended:
        """Wait for the tool that was started."""
        answer = self._answer()
        return Ended.of(**answer) if answer else Ended(-9)

    def _answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._answers.readline() or "{}")
        return found


@functools.cache
def tool_server() -> ToolServer | None:
    """The server of this process, started at the first call; None where forking after imports is not safe."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError):
        return ToolServer()
    return None


def prepare() -> None:
    """Begin to import the tools in the background: for the first step of a flow that will use many."""
    tool_server()


def run_tool(step: Step, module: str, argument: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Run a tool on its job, as LibreLane's `run_subprocess` does: log, metrics, COMMANDS, statistics.

    Returns {returncode, log_path, generated_metrics}.
    """
    command = module_command(module, str(argument))
    log_path = Path(step.get_log_path())
    with Path(step.step_dir, "COMMANDS").open("a") as commands:
        commands.write(" ".join(command) + "\n")
    verbose(f"Logging subprocess to [repr.filename]'{os.path.relpath(log_path)}'[/repr.filename]…")
    reader = DefaultOutputProcessor(step, step.step_dir, False)
    began = time.monotonic()
    ended = _served(reader, log_path, module, str(argument), environment)
    if ended is None:
        ended = _started(reader, log_path, command, environment)
    _statistics(ended, time.monotonic() - began, log_path)
    return {"returncode": ended.code, "log_path": str(log_path), reader.key: reader.result()}


def _served(
    reader: DefaultOutputProcessor, log_path: Path, module: str, argument: str, environment: dict[str, str]
) -> Ended | None:
    """Run in a fork of the tool server, if there is one and it has nothing else to do."""
    if not tool_server.cache_info().currsize:
        return None
    server = tool_server()
    if server is None or not server.lock.acquire(blocking=False):
        return None
    try:
        with server.start(module, argument, environment) as output:
            _read(output, log_path, reader)
        return server.end()
    except OSError:
        return None
    finally:
        server.lock.release()


def _started(reader: DefaultOutputProcessor, log_path: Path, command: list[str], environment: dict[str, str]) -> Ended:
    """Run in a process of its own."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf8",
        errors="replace",
    )
    _read(process.stdout or (), log_path, reader)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended.of(status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss)


def _read(output: Iterable[str], log_path: Path, reader: DefaultOutputProcessor) -> None:
    with log_path.open("w") as log:
        for line in output:
            log.write(line)
            reader.process_line(line)


def _statistics(ended: Ended, seconds: float, log_path: Path) -> None:
    """Write what LibreLane writes beside the log of a process; ours are the kernel's figures, not samples."""
    times = {"cpu_time_user": ended.user, "cpu_time_system": ended.system, "runtime": seconds}
    statistics = {
        "time": {name: format_elapsed_time(value) for name, value in times.items()},
        "peak_resources": {"memory_rss": format_size(ended.memory)},
    }
    log_path.with_suffix(".process_stats.json").write_text(json.dumps(statistics, indent=4))
