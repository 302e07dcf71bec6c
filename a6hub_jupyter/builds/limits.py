"""How much may run at once. The host's own limits, also those of a container, are the default."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .model import BuildRequest

_CGROUP = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


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
            if self.max_running == 1:
                return "Another build is running, and one runs at a time."
            return f"{len(running)} builds are running, as many as may run at once."
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
    """Return the cores that this process may use: by affinity, and by the quotas of its cgroups."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for directory in _cgroups("cpu"):
        with contextlib.suppress(OSError, ValueError):
            quota, period = _quota(directory)
            if quota > 0:  # -1: none
                cores = min(cores, max(1, quota // period))
    return cores


def host_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or the least limit of its cgroups."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for directory in _cgroups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):  # "max": none
                memory = min(memory, int((directory / name).read_text()))
    return memory


def _quota(directory: Path) -> tuple[int, int]:
    """Return a cgroup's quota and period in microseconds, of version 2 or 1; OSError or ValueError without one."""
    if (directory / "cpu.max").exists():
        quota, period = (directory / "cpu.max").read_text().split()
        return int(quota), int(period)
    quota, period = ((directory / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
    return int(quota), int(period)


def _cgroups(controller: str) -> Iterator[Path]:
    """Yield the directories of this process's cgroups for a controller, from its own up: each one's limit holds.

    ``/proc/self/cgroup`` has lines ``number:controllers:path``, number 0 and no controllers for version 2
    (cgroups(7)). In a container without a namespace of its own the path is the host's, and only the root is there.
    """
    try:
        lines = _OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            root = _CGROUP
        elif controller in controllers.split(","):
            root = next((r for r in (_CGROUP / controllers, _CGROUP / controller) if r.is_dir()), _CGROUP)
        else:
            continue
        directory = root / path.strip("/")
        while directory.is_relative_to(root):
            yield directory
            directory = directory.parent
