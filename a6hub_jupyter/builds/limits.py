"""How much may run at once. The host's own limits, also those of a container, are the default."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .model import BuildRequest

_CGROUP = Path("/sys/fs/cgroup")


@dataclass
class Limits:
    """What admission goes by: builds at once, cores and memory (bytes) of all together, bytes that must be free."""

    max_running: int
    cores: int
    memory: int
    min_free_bytes: int

    def why_wait(self, request: BuildRequest, running: Sequence[BuildRequest], free_bytes: int) -> str | None:
        """Return one sentence on why ``request`` cannot start beside ``running``, None if it can.

        A build that asks for more than there is runs alone rather than never.
        """
        if len(running) >= self.max_running:
            return f"{len(running)} of {self.max_running} builds at once are running."
        if free_bytes < self.min_free_bytes:
            return (
                f"Only {free_bytes // 1_000_000} MB are free on the disk; "
                f"a build needs {self.min_free_bytes // 1_000_000} MB. Delete old runs."
            )
        cores = sum(r.cores for r in running)
        if running and cores + request.cores > self.cores:
            return f"It needs {request.cores} of {self.cores} cores, and {cores} are in use."
        memory = sum(r.memory for r in running)
        if running and memory + request.memory > self.memory:
            return f"It needs {request.memory >> 20} of {self.memory >> 20} MiB, and {memory >> 20} are in use."
        return None


def host_cores() -> int:
    """Return the cores that this process may use: by affinity, and by the quota of its cgroup."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def host_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or its cgroup's limit."""
    memory = int(psutil.virtual_memory().total)
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            memory = min(memory, int((_CGROUP / name).read_text()))
    return memory
