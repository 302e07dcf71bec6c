"""The lock between servers: one at a time, and never stale."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from a6hub_jupyter.builds import lock

HOLDS = """
import asyncio, sys
from pathlib import Path
from a6hub_jupyter.builds import lock
async def main():
    async with lock.held(Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


def test_the_lock_of_a_process_that_is_killed_is_free_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.1)
    path = tmp_path / "lock"

    async def take() -> None:
        async with lock.held(path):
            pass

    with subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(lock.LockTimeoutError, match="Another server"):
            asyncio.run(take())
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        asyncio.run(take())


def test_within_one_process_too_one_waits_for_the_other(tmp_path: Path) -> None:
    inside: list[int] = []

    async def take(number: int) -> None:
        async with lock.held(tmp_path / "lock"):
            inside.append(number)
            await asyncio.sleep(0.05)
            assert inside[-1] == number
            inside.append(number)

    async def both() -> None:
        await asyncio.gather(*(take(k) for k in range(3)))

    asyncio.run(both())
    assert inside[::2] == inside[1::2]
    assert sorted(inside[::2]) == [0, 1, 2]
