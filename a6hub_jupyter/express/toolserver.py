"""A process with the tools of Express already imported, which forks for each step that LibreLane runs.

    python -m a6hub_jupyter.express.toolserver DESCRIPTOR

Importing numpy, klayout and numba takes longer than most steps of a small design. This process does it once, while
Yosys is at work. `DESCRIPTOR` is a Unix stream socket. A request is a line of JSON {module, argument, environment}
together with a file descriptor for the output; answers are lines of JSON: {pid} at once, {status, user, system, rss}
at the end (a wait status, s, s, KiB). When the other end of the socket closes, the step that runs is ended too.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
import warnings
from typing import Any, NoReturn

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


def serve(connection: socket.socket) -> None:
    """Answer requests, one at a time, until the other end closes."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 1)
        while data and not data.endswith(b"\n"):
            data += connection.recv(LONGEST_REQUEST)
        if not data:
            return
        output = descriptors[0]
        alive, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            connection.close()
            os.close(alive)
            _run(json.loads(data), output)
        os.close(output)
        os.close(held)
        _answer(connection, {"pid": pid})
        # the pipe ends with the child, the socket with LibreLane
        if connection.fileno() in select.select([connection.fileno(), alive], [], [])[0]:
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        os.close(alive)
        times = {"user": usage.ru_utime, "system": usage.ru_stime, "rss": usage.ru_maxrss}
        _answer(connection, {"status": status, **times})


def _answer(connection: socket.socket, answer: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
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


def main() -> None:
    """Import the tools, then serve."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    for tool in TOOLS:
        with contextlib.suppress(ImportError):  # the step that needs it will say so
            importlib.import_module(f"a6hub_jupyter.express.{tool}")
    gc.freeze()
    serve(connection)


if __name__ == "__main__":
    main()
