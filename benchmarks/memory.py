"""What logs and watchers cost in memory: the peaks of server and supervisor, beside what they had before.

A tool that prints 1,000,000 lines in 10 s; one that prints 100 MB without ending a line; 100 watchers of one build, one
of which never reads; downloads that nobody takes. Each in a server of its own, for the kernel's high-water mark of
resident memory (VmHWM, Linux) is that of a process's whole life. A small program prints in LibreLane's place.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.server.conftest import COUNTER, request_for  # noqa: E402
from tests.server.processes import TOKEN, Follower, Server  # noqa: E402
from tests.server.test_logs import Digest, peak, text_sum  # noqa: E402
from tests.server.test_watchers import deaf, ping  # noqa: E402

TOOL = """#!{python}
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
while not (here / "go").exists():
    time.sleep(0.02)
begun = time.monotonic()
exec((here / "program").read_text())
(here / "seconds").write_text(str(time.monotonic() - begun))
"""
LINES = """
for k in range({count}):
    sys.stdout.write(f"{{k:08}} a line such as tools print, of some length\\n")
    if k % 1000 == 999:
        sys.stdout.flush()
        time.sleep(max(0, begun + k / {rate} - time.monotonic()))
"""
NO_END = """
left = {count}
while left:
    left -= os.write(1, b"0" * min(left, 65536))
"""


def megabytes(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / 1e6:.0f} MB"


@contextlib.asynccontextmanager
async def bench() -> AsyncIterator[Server]:
    """Run a server whose builds run the tool."""
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        (here / "work").mkdir()
        (here / "work" / "counter.v").write_text(COUNTER)
        tool = here / "tool"
        tool.write_text(TOOL.format(python=sys.executable))
        tool.chmod(0o755)
        traits: dict[str, Any] = {"builds_dir": str(here / "builds"), "cache_dir": str(here / "cache")}
        server = Server(here / "work", here / "state", {"LIBRELANE_PATH": str(tool)}, **traits)
        await server.start()
        try:
            yield server
        finally:
            server.stop()


class Peaks:
    """The memory of a server and of one supervisor, from the moment this is made."""

    def __init__(self, server: Server, directory: Path) -> None:
        assert server.process is not None
        self._server = psutil.Process(server.process.pid)
        self._supervisor = psutil.Process(json.loads((directory / "supervisor.json").read_text())["pid"])
        self._before = peak(self._server), peak(self._supervisor)
        self._highest = self._before[1]

    def look(self) -> None:
        """Read the supervisor's peak, as long as it is there."""
        with contextlib.suppress(OSError, psutil.Error):
            self._highest = max(self._highest, peak(self._supervisor))

    def __str__(self) -> str:
        server, supervisor = self._before
        return (
            f"server {server:.0f} -> {peak(self._server):.0f} MiB, "
            f"supervisor {supervisor:.0f} -> {self._highest:.0f} MiB"
        )


async def printed(name: str, program: str, watchers: int = 1, silent: bool = False) -> None:
    """Have the tool run a program before ``watchers`` clients, ``silent``: and one more that never reads."""
    async with bench() as server:
        here = server.builds.parent
        (here / "program").write_text(program)
        build = await server.insist("POST", "builds", json=request_for(server.work))
        await server.until(build["id"], "running")
        directory = server.builds / build["id"]
        followers: list[Follower] = [Digest(server, build["id"]) for _ in range(watchers)]
        peaks = Peaks(server, directory)
        client = deaf(server, build["id"]) if silent else None
        tasks = [asyncio.create_task(f.follow()) for f in followers]
        await asyncio.sleep(0.5)
        begun = time.monotonic()
        (here / "go").touch()
        while not all(t.done() for t in tasks):
            peaks.look()
            if client:
                ping(client)
            await asyncio.sleep(0.05)
        await asyncio.gather(*tasks)
        seconds, tool = time.monotonic() - begun, float((here / "seconds").read_text())
        whole = text_sum(directory / "console.log")
        same = sum(isinstance(f, Digest) and f.sum.hexdigest() == whole for f in followers)
        size = megabytes((directory / "console.log").stat().st_size)
        print(f"{name}: {peaks}; {size} in {tool:.1f} s, at {same} of {watchers} clients whole after {seconds:.1f} s")
        if client:
            client.close()


async def downloads(count: int, size: int) -> None:
    """Ask for a large log so many times, and never read."""
    async with bench() as server:
        (server.builds.parent / "program").write_text("pass")
        (server.builds.parent / "go").touch()
        build = await server.insist("POST", "builds", json=request_for(server.work))
        await server.until(build["id"])
        with (server.builds / build["id"] / "console.log").open("r+b") as file:
            file.truncate(size)
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        before = peak(process)
        host, port = server.url.split("/")[2].split(":")
        clients = []
        for _ in range(count):
            client = socket.create_connection((host, int(port)))
            target = f"/api/a6hub/builds/{build['id']}/log?token={TOKEN}"
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            clients.append(client)
        await asyncio.sleep(5)
        print(
            f"{count} downloads of {megabytes(size)} that nobody takes: server {before:.0f} -> {peak(process):.0f} MiB"
        )
        for client in clients:
            client.close()


async def measure(share: float) -> None:
    """Measure all and print; ``share`` of the sizes."""
    lines, size = int(1_000_000 * share), int(100_000_000 * share)
    await printed(f"{lines:,} lines at 100,000 a second", LINES.format(count=lines, rate=1e5))
    await printed(f"a line of {megabytes(size)}", NO_END.format(count=size))
    count = int(50_000 * share)
    await printed(
        f"{count:,} lines, 100 watchers, one of them deaf", LINES.format(count=count, rate=1e4), 99, silent=True
    )
    await downloads(100, size)


def main() -> None:
    """Measure in directories that are removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the sizes, for a quick look")
    asyncio.run(measure(parser.parse_args().share))


if __name__ == "__main__":
    main()
