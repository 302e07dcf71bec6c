"""A child process on a pseudo terminal of its own, in a session of its own."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

# Wide enough that LibreLane's lines (paths, mostly) do not wrap; rich draws its rules as wide, hence not wider.
ROWS, COLUMNS = 50, 200
CHUNK = 1 << 16
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _prctl(option: int, value: int) -> None:
    """Call Linux's prctl; elsewhere there is none, and process groups must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent dies, so that none escapes the final sweep."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def has_descendants() -> bool:
    """Whether any process of ours may be left: on Linux an orphan is our child, so without a child there is none."""
    if sys.platform != "linux":
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


class TerminalProcess:
    """Runs a command; its output is read with ``read``, its end seen with ``poll``.

    On Linux the child is killed by the kernel when its parent dies, however that happens; its own children get the
    hang-up of the terminal.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(self._master, False)

        parent = os.getpid()

        def own_the_terminal() -> None:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # we pass it over, and that would be inherited
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before the kernel knew what to do then
                os._exit(1)

        env = {**environment, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
        try:
            self._process = subprocess.Popen(
                list(argv),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=env,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=own_the_terminal,  # noqa: PLW1509 - the supervisor has a single thread
            )
        except OSError:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self.pid = self._process.pid
        self._open = True

    def read(self, seconds: float, wake: int) -> bytes:
        """Return what the child has written, after at most ``seconds``; empty if nothing came or all is read.

        ``wake`` is a descriptor that ends the wait as well (a signal's wake-up pipe).
        """
        descriptors = [self._master, wake] if self._open else [wake]
        ready, _, _ = select.select(descriptors, [], [], seconds)
        if wake in ready:
            os.read(wake, 512)
        if self._master not in ready or not self._open:
            return b""
        # a terminal hands over 4 kB at a time: what is there is taken at once, for what follows costs per call
        parts: list[bytes] = []
        for _ in range(CHUNK >> 12):
            try:
                data = os.read(self._master, CHUNK)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    break
                data = b""  # Linux answers EIO once the last writer has closed the terminal
            if not data:
                self._open = False
                break
            parts.append(data)
        return b"".join(parts)

    @property
    def drained(self) -> bool:
        """Whether the terminal has been read to its end."""
        return not self._open

    def poll(self) -> int | None:
        """Return the exit code (negative: the signal), None while the child runs."""
        return self._process.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the child's whole process group; a group that is gone is no error."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Close our end of the terminal; whoever still holds the other end gets a hang-up."""
        os.close(self._master)
        self._open = False
