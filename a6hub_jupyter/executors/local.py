"""Executor ``local``: the supervisor is a detached process on this machine."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..builds import identity, journal
from ..isolated import clean_environment, module_command
from .base import Executor

if TYPE_CHECKING:
    import psutil

SWEEPS = 5
# A supervisor that we cannot look at counts as alive for this long after its last heartbeat (one each 5 s).
HEARTBEAT_PATIENCE = 60.0


class LocalExecutor(Executor):
    """Starts supervisors in sessions of their own, so that no signal meant for the server reaches them."""

    name = "local"

    def submit(self, build_dir: Path) -> None:
        """Start ``python -m a6hub_jupyter.builds.supervisor``; what it says itself goes to ``supervisor.log``."""
        with (build_dir / "supervisor.log").open("ab") as log:
            process = subprocess.Popen(
                module_command("a6hub_jupyter.builds.supervisor", str(build_dir)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=build_dir,
                env=clean_environment(),
                start_new_session=True,
            )
        _children[process.pid] = process

    def alive(self, build_dir: Path) -> bool:
        """Look for the process by what identifies it; on another host its heartbeat must do."""
        if self._process(build_dir) is not None:
            return True
        if _elsewhere(build_dir):
            return time.time() - (build_dir / journal.SUPERVISOR).stat().st_mtime < HEARTBEAT_PATIENCE
        return False

    def sweep(self, build_dir: Path) -> None:
        """End the processes that carry the build's mark; the kernel has ended the rest with the supervisor.

        A container is no process of ours: its engine is told to end it, and not waited for.
        """
        import psutil  # noqa: PLC0415 - not for a server that starts

        stop = journal.read_json(build_dir / journal.STOP)
        if isinstance(stop, dict):
            with contextlib.suppress(OSError, KeyError, TypeError), (build_dir / "supervisor.log").open("ab") as log:
                engine = subprocess.Popen(
                    stop["end"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
                _children[engine.pid] = engine
        for _ in range(SWEEPS):  # one that is ended late may have started another meanwhile
            left = [p for p in psutil.process_iter() if _mark_of(p) == str(build_dir)]
            if not left:
                return
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=0.2)

    def cancel(self, build_dir: Path) -> bool:
        """Send SIGTERM, on which the supervisor ends the build and closes its record.

        A supervisor on another machine that shares the directory is asked by a file instead.
        """
        if _elsewhere(build_dir):
            (build_dir / journal.CANCEL).touch()
            return True
        import psutil  # noqa: PLC0415

        process = self._process(build_dir)
        if process is None:
            return False
        try:
            process.send_signal(signal.SIGTERM)
        except psutil.NoSuchProcess:
            return False
        return True

    @staticmethod
    def _process(build_dir: Path) -> psutil.Process | None:
        _reap()
        return identity.find(journal.read_json(build_dir / journal.SUPERVISOR))


def _elsewhere(build_dir: Path) -> bool:
    """Whether the supervisor runs on another machine."""
    known = journal.read_json(build_dir / journal.SUPERVISOR)
    return isinstance(known, dict) and known.get("host") != socket.gethostname()


def _mark_of(process: psutil.Process) -> str | None:
    import psutil  # noqa: PLC0415

    try:
        return process.environ().get(journal.MARK)
    except (psutil.Error, OSError):
        return None


_children: dict[int, subprocess.Popen[bytes]] = {}


def _reap() -> None:
    """Collect supervisors that have ended, or they would stay as zombies for as long as the server lives."""
    for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
        del _children[pid]
