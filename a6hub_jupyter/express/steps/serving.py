"""The process that has the tools of Express imported, as LibreLane's steps see it; see `express/toolserver.py`."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from a6hub_jupyter.isolated import module_command

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class ServedTool:
    """A tool that runs in a fork of the server. `output` is what it prints."""

    def __init__(self, output: TextIO, answers: socket.socket) -> None:
        self.output = output
        self._socket = answers
        self._answers = answers.makefile("r")
        if "pid" not in self._answer():
            self.close()
            raise ConnectionError("the tool server has ended")

    def end(self) -> Ended:
        """Wait for the tool, and let go of it."""
        answer = self._answer()
        self.close()
        return Ended.of(**answer) if answer else Ended(-9)

    def kill(self) -> None:
        """Have the tool ended; may be called while another thread reads its output or waits for its end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the tool: if it still runs, it is ended."""
        self.output.close()
        self._answers.close()
        self._socket.close()

    def _answer(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._answers.readline() or "{}")
        except OSError:
            return {}
        return found


class ToolServer:
    """The process that has the tools imported. Tools may be started from several threads."""

    def __init__(self, libraries: Iterable[str] = ()) -> None:
        """`libraries`: Liberty files that the tools will read."""
        ours, theirs = socket.socketpair()
        command = module_command("a6hub_jupyter.express.toolserver", str(theirs.fileno()), *libraries)
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours
        self._sending = threading.Lock()
        self.pid = self._process.pid
        atexit.register(self.close)

    def close(self) -> None:
        """End the server, and the tools that it runs."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(timeout=STILL_IMPORTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def start(self, module: str, argument: str, environment: dict[str, str]) -> ServedTool:
        """Start a tool. Raises OSError when the server is not there."""
        request = {"module": module, "argument": argument, "environment": environment}
        data = json.dumps(request).encode() + b"\n"
        reading, writing = os.pipe()
        output = os.fdopen(reading, encoding="utf8", errors="replace")
        ours, theirs = socket.socketpair()
        try:
            with self._sending:
                sent = socket.send_fds(self._socket, [data], [writing, theirs.fileno()])
                self._socket.sendall(data[sent:])
        except OSError:
            output.close()
            ours.close()
            raise
        finally:
            os.close(writing)
            theirs.close()
        return ServedTool(output, ours)


_SERVERS: list[ToolServer] = []
"""The server of this process, once there is one."""


def prepare(libraries: Iterable[str] = ()) -> None:
    """Begin to import the tools and to read Liberty files in the background: for a flow that will use many tools.

    Only on Linux: elsewhere forking after these imports is not safe.
    """
    if sys.platform == "linux" and not _SERVERS:
        with contextlib.suppress(OSError):
            _SERVERS.append(ToolServer(libraries))


def prepared() -> ToolServer | None:
    """The server, if one has been started."""
    return _SERVERS[0] if _SERVERS else None
