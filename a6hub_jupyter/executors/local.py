"""Executor ``local``: the supervisor is a detached process on this machine."""

from __future__ import annotations

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
        process = self._process(build_dir)
        if process is not None:
            return True
        if (build_dir / journal.SUPERVISOR).exists():
            return False
        try:
            claimed = (build_dir / journal.CLAIM).stat().st_mtime
        except FileNotFoundError:
            return False
        return time.time() - claimed < START_SECONDS

    def cancel(self, build_dir: Path) -> bool:
        """Send SIGTERM, on which the supervisor ends the build and closes its record."""
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


_children: dict[int, subprocess.Popen[bytes]] = {}


def _reap() -> None:
    """Collect supervisors that have ended, or they would stay as zombies for as long as the server lives."""
    for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
        del _children[pid]


def _without_jupyter_secrets() -> dict[str, str]:
    """Return our environment without the server's tokens: EDA tools and Tcl scripts have no use for them."""
    secret = ("JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_PARENT_PID", "JPY_SESSION_NAME")
    return {k: v for k, v in os.environ.items() if k not in secret}
