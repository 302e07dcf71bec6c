"""A process with the tools of Express already imported, which forks for each tool that LibreLane's steps run.

    python -m a6hub_jupyter.express.toolserver DESCRIPTOR [LIBERTY...]

Importing numpy, klayout and numba takes longer than most steps of a small design, and so does reading the Liberty files
of a full PDK. This process does it once, while Yosys is at work. `DESCRIPTOR` is a Unix stream socket. A request is a
line of JSON {module, argument, environment} together with two file descriptors: one for the output of the tool, and a
socket for the answers, which are lines of JSON: {pid} at once, {status, user, system, rss} at the end (a wait status,
s, s, KiB). When the other end of that socket closes, the tool is ended; when that of `DESCRIPTOR` closes, so are all.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = (
    "floorplan",
    "placement",
    "designrepair",
    "clocktree",
    "holdrepair",
    "powergrid",
    "routing",
    "equivalence",
    "rtlequivalence",
    "powerednetlist",
    "lefwriter",
    "timingestimate",
    "layoutcheck",
    "antennacheck",
    "designrulecheck",
)
LONGEST_REQUEST = 1 << 20
NICE = 10
"""Synthesis goes before the compiler, where there is one core for both."""


@dataclass(frozen=True)
class _Tool:
    """A tool that runs: its process, a pipe that ends with it, and the socket that wants to know how it ends."""

    pid: int
    alive: int
    answers: socket.socket


class ToolServer:
    """Forks for requests, and tells how what it has started ends."""

    def __init__(self, connection: socket.socket, chores: Iterator[None]) -> None:
        """`chores`: a little work at each step, for while nobody asks for a tool."""
        self._connection = connection
        self._chores: Iterator[None] | None = chores
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._compiler: tuple[int, int] | None = None
        """The process that compiles the router, and a pipe that ends with it."""

    def serve(self) -> None:
        """Until the other end closes."""
        while True:
            ready = self._selector.select(None if self._chores is None else 0)
            if not ready:
                self._do_a_chore()
            for key, _ in ready:
                tool: _Tool | None = key.data
                if self._compiler and key.fd == self._compiler[1]:
                    self._end_compiler(signal.SIGTERM)
                    _load_router()
                elif tool is None:
                    if not self._accept():
                        return
                elif key.fileobj == tool.alive:
                    self._end(tool)
                elif tool.answers.fileno() >= 0:  # nobody waits for it any more
                    self._selector.unregister(tool.answers)
                    os.kill(tool.pid, signal.SIGKILL)

    def _do_a_chore(self) -> None:
        if self._chores is not None and next(self._chores, self) is self:
            self._chores = None
            gc.freeze()

    def load_router(self) -> None:
        """Have the compiled router in this process; where it is not compiled yet, have that done meanwhile."""
        if _load_router():
            return
        alive, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._forget(alive)
            os.nice(NICE)
            _compile_router()
        os.close(held)
        self._compiler = pid, alive
        self._selector.register(alive, selectors.EVENT_READ)

    def _end_compiler(self, how: int) -> None:
        if self._compiler is not None:
            pid, alive = self._compiler
            self._compiler = None
            self._selector.unregister(alive)
            os.close(alive)
            os.kill(pid, how)
            os.waitpid(pid, 0)

    def _accept(self) -> bool:
        """Start what a request asks for; False when there are no more, and what still runs is ended."""
        data, descriptors, _, _ = socket.recv_fds(self._connection, LONGEST_REQUEST, 2)
        while data and not data.endswith(b"\n"):
            data += self._connection.recv(LONGEST_REQUEST)
        if not data:
            self._end_compiler(signal.SIGKILL)
            for tool in {key.data.pid: key.data for key in self._selector.get_map().values() if key.data}.values():
                os.kill(tool.pid, signal.SIGKILL)
                os.waitpid(tool.pid, 0)
            return False
        output, answers = descriptors[0], socket.socket(fileno=descriptors[1])
        alive, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._forget(alive, answers)
            _run(json.loads(data), output)
        os.close(output)
        os.close(held)
        _answer(answers, {"pid": pid})
        tool = _Tool(pid, alive, answers)
        for end in (alive, answers):
            self._selector.register(end, selectors.EVENT_READ, tool)
        return True

    def _forget(self, *ends: int | socket.socket) -> None:
        """In the forked child: close what belongs to the server."""
        inherited = [key.fileobj for key in self._selector.get_map().values()]
        self._selector.close()
        for end in (*inherited, *ends):
            if isinstance(end, socket.socket):
                end.close()
            elif isinstance(end, int):
                os.close(end)

    def _end(self, tool: _Tool) -> None:
        _, status, usage = os.wait4(tool.pid, 0)
        times = {"user": usage.ru_utime, "system": usage.ru_stime, "rss": usage.ru_maxrss}
        _answer(tool.answers, {"status": status, **times})
        self._selector.unregister(tool.alive)
        os.close(tool.alive)
        with contextlib.suppress(KeyError):
            self._selector.unregister(tool.answers)
        tool.answers.close()


def _load_router() -> bool:
    """Have the router's compiled code in this process, and so in all forks; False where it is to be compiled yet."""
    with contextlib.suppress(Exception):  # routing will say so
        from a6hub_jupyter.express import precompile  # noqa: PLC0415  its tools may be missing

        if precompile.is_compiled():
            precompile.exercise()
        elif precompile.is_kept():
            return False
    return True


def _compile_router() -> NoReturn:
    """The forked child that compiles: what goes wrong there shows where the router is used."""
    with contextlib.suppress(BaseException):
        from a6hub_jupyter.express import precompile  # noqa: PLC0415  its tools may be missing

        precompile.ready()
    os._exit(0)


def _answer(connection: socket.socket, answer: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(answer).encode() + b"\n")


def _run(request: dict[str, Any], output: int) -> NoReturn:
    """The forked child: as `python -m MODULE ARGUMENT` with its output going to a descriptor."""
    code: Any = 0
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        os.environ.clear()
        os.environ.update(request["environment"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = [request["module"], request["argument"]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the module is imported already, which is the point
            runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        code = leaving.code
    except BaseException:  # noqa: BLE001  the end of a process: as Python itself would say it
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError, OSError):  # closed by the tool
            stream.flush()
    os._exit(int(code or 0))


def _chores(libraries: list[str]) -> Iterator[None]:
    with contextlib.suppress(ImportError):  # the step that needs it will say so
        from a6hub_jupyter.express.timing.cellreader import read_ahead  # noqa: PLC0415  its tools may be missing

        yield from read_ahead(libraries)


def main() -> None:
    """Import the tools, then serve."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    for tool in TOOLS:
        with contextlib.suppress(ImportError):  # the step that needs it will say so
            importlib.import_module(f"a6hub_jupyter.express.{tool}")
    server = ToolServer(connection, _chores(sys.argv[2:]))
    server.load_router()
    gc.freeze()
    server.serve()


if __name__ == "__main__":
    main()
