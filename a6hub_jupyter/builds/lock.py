"""One process at a time, among all servers that share a store.

What has to look before it acts (is this run directory idle? was this Idempotency-Key used?) does both while it holds
the lock. The kernel holds it for the process, on an open file: it is let go of however the holder dies, also by
SIGKILL, and nothing is left that somebody would have to judge as stale. The file itself stays, empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

RETRY_SECONDS = 0.02
# What is done under the lock takes milliseconds; only on a file system that hangs does it take this long.
PATIENCE_SECONDS = 10.0


class LockTimeoutError(Exception):
    """Another process has held the lock for too long."""


@contextlib.asynccontextmanager
async def held(path: Path, patience: float = PATIENCE_SECONDS) -> AsyncIterator[None]:
    """Hold the lock ``path``, waiting for it without blocking the event loop; LockTimeoutError, OSError.

    A file system without locks (some network mounts) gives none: there, one server alone is guarded.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience
        while not _try(descriptor):
            if time.monotonic() > deadline:
                raise LockTimeoutError(f"Another server has held {path} for {patience:g} s.")
            await asyncio.sleep(RETRY_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # not supported here
        return True
    return True
