"""How many processor cores the tools of Express use."""

from __future__ import annotations

import os

MOST = 4


def cores() -> int:
    """As many as there are for this process, up to a few; or what the environment's EXPRESS_THREADS says."""
    given = os.environ.get("EXPRESS_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    present = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(present, MOST)
