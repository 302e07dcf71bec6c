"""Who a process is: pids are used again, so it takes a second mark to know a process as the one it was.

psutil is imported where it is needed: neither a server that starts nor a supervisor has to have it.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_START_TIME = 19  # the 22nd field of /proc/PID/stat, counted after the name (proc(5))


def identify(pid: int) -> dict[str, Any]:
    """Return what identifies a running process on this host; psutil.Error if there is none.

    On Linux: boot and start in clock ticks since then. A wall-clock start time would change with the system clock, and
    a build would be given up for lost when the clock is set.
    """
    who: dict[str, Any] = {"pid": pid, "host": socket.gethostname()}
    with contextlib.suppress(OSError, IndexError, ValueError):
        ticks = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[_START_TIME])
        return {**who, "start_ticks": ticks, "boot_id": _BOOT_ID.read_text().strip()}
    import psutil  # noqa: PLC0415

    return {**who, "start_time": psutil.Process(pid).create_time()}


def find(known: object) -> psutil.Process | None:
    """Return the process that ``identify`` described, None if it is gone, a zombie, or on another host."""
    if not isinstance(known, dict) or known.get("host") != socket.gethostname():
        return None
    import psutil  # noqa: PLC0415

    try:
        process = psutil.Process(int(known["pid"]))
        present = identify(process.pid)
        if "start_ticks" in known and "start_ticks" in present:
            same = all(known.get(k) == present[k] for k in ("start_ticks", "boot_id"))
        else:  # s since the epoch, in steps of 10 ms
            same = abs(present["start_time"] - known["start_time"]) < 0.05
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, KeyError, TypeError, ValueError):
        return None
