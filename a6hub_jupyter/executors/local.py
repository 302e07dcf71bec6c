"""Executor ``local``: the supervisor is a detached process on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from ..builds import journal
from .base import Executor

# The time a supervisor has from its start to saying who it is.
START_SECONDS = 30.0
# A supervisor that we cannot look at counts as alive for this long after its last heartbeat (one each 5 s).
HEARTBEAT_PATIENCE = 60.0


class LocalExecutor(Executor):
    """Starts supervisors in sessions of their own, so that no signal meant for the server reaches them."""

    name = "local"

    def submit(self, build_dir: Path) -> None:
        """Start ``python -m a6hub_jupyter.builds.supervisor``; what it says itself goes to ``supervisor.log``."""
        with (build_dir / "supervisor.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "a6hub_jupyter.builds.supervisor", str(build_dir)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=build_dir,
                env=_without_jupyter_secrets(),
                start_new_session=True,
            )
        _children[process.pid] = process

    def alive(self, build_dir: Path) -> bool:
        """Look for the process by pid and start time; one that has not yet said who it is counts for a while."""
        if self._process(build_dir) is not None:
            return True
        if _elsewhere(build_dir):
            return time.time() - (build_dir / journal.SUPERVISOR).stat().st_mtime < HEARTBEAT_PATIENCE
        if (build_dir / journal.SUPERVISOR).exists():
            return False
        try:
            claimed = (build_dir / journal.CLAIM).stat().st_mtime
        except FileNotFoundError:
            return False
        return time.time() - claimed < START_SECONDS

    def sweep(self, build_dir: Path) -> None:
        """End the processes that carry the build's mark; the kernel has ended the rest with the supervisor."""
        left = [p for p in psutil.process_iter() if _mark_of(p) == str(build_dir)]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def cancel(self, build_dir: Path) -> bool:
        """Send SIGTERM, on which the supervisor ends the build and closes its record.

        A supervisor on another machine that shares the directory is asked by a file instead.
        """
        if _elsewhere(build_dir):
            (build_dir / journal.CANCEL).touch()
            return True
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
        known = journal.read_json(build_dir / journal.SUPERVISOR)
        if not isinstance(known, dict) or known.get("host") != socket.gethostname():
            return None
        try:
            process = psutil.Process(known["pid"])
            # a pid is used again; the start time (s since the epoch, 10 ms steps) tells the two apart
            same = abs(process.create_time() - known["start_time"]) < 0.05
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None


def _elsewhere(build_dir: Path) -> bool:
    """Whether the supervisor runs on another machine."""
    known = journal.read_json(build_dir / journal.SUPERVISOR)
    return isinstance(known, dict) and known.get("host") != socket.gethostname()


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(journal.MARK)
    except (psutil.Error, OSError):
        return None


_children: dict[int, subprocess.Popen[bytes]] = {}


def _reap() -> None:
    """Collect supervisors that have ended, or they would stay as zombies for as long as the server lives."""
    for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
        del _children[pid]


def _without_jupyter_secrets() -> dict[str, str]:
    """Return our environment without the server's tokens: EDA tools and Tcl scripts have no use for them."""
    secret = ("JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_PARENT_PID", "JPY_SESSION_NAME")
    return {k: v for k, v in os.environ.items() if k not in secret}
