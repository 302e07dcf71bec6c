"""A hundred clients on one build, one of which does not read: the others get all, the server's memory is bounded."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ..conftest import DOUBLE
from .conftest import COUNTER, request_for, write_script
from .processes import TOKEN, Follower, Server

WATCHERS = 100
STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]
# for sockets and coroutines of a hundred clients, and what is on its way to them
MEGABYTES = 120


@pytest.fixture
def server(tmp_path: Path, pdk_root: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Server]:
    """A server process with the stand-in for LibreLane."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "counter.v").write_text(COUNTER)
    traits = {"builds_dir": str(tmp_path / "builds"), "cache_dir": str(tmp_path / "cache"), "max_cores": 2}
    traits |= {"pdk_roots": [str(pdk_root)], "min_free_disk": 0}
    made = Server(tmp_path / "work", tmp_path / "state", {"LIBRELANE_PATH": str(DOUBLE)}, **traits)
    jp_asyncio_loop.run_until_complete(made.start())
    yield made
    made.stop()


def deaf(server: Server, build_id: str) -> socket.socket:
    """Ask for the stream, and for an answer again and again, and never read."""
    host, port = server.url.split("/")[2].split(":")
    client = socket.create_connection((host, int(port)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lines = [
        f"GET /api/a6hub/builds/{build_id}/stream?after=0&offset=0&token={TOKEN} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
    ]
    client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    client.setblocking(False)
    return client


def ping(client: socket.socket) -> None:
    """Send a thousand pings, as far as the server takes them; each whole, or it would hang up."""
    text = b'{"type":"ping"}'
    try:
        for _ in range(1000):
            client.send(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    except (BlockingIOError, ConnectionError):  # who answers no pings of the server for long is given up
        return


async def test_a_hundred_watchers_of_whom_one_does_not_read(server: Server) -> None:
    write_script(server.work, steps=STEPS, seconds=1.0, print=("x" * 79 + "\n") * 5_000)
    build = await server.insist("POST", "builds", json=request_for(server.work, to_step=STEPS[-1]))
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    before = peak = process.memory_info().rss
    silent = deaf(server, build["id"])
    followers = [Follower(server, build["id"]) for _ in range(WATCHERS - 1)]
    tasks = [asyncio.create_task(f.follow()) for f in followers]
    begun = time.monotonic()
    while not all(t.done() for t in tasks):
        peak = max(peak, process.memory_info().rss)
        ping(silent)
        await asyncio.sleep(0.05)
        assert time.monotonic() - begun < 60
    silent.close()
    for follower in followers:
        follower.check()
        assert follower.connections == 1
        assert follower.offset == 3 * 5_000 * 81
    ended = json.loads((server.builds / build["id"] / "result.json").read_text())
    print(
        f"\n{WATCHERS} watchers of {followers[0].offset} bytes in {time.monotonic() - begun:.1f} s ({ended['state']}); "
        f"server {before / 1e6:.0f} MB, at most {peak / 1e6:.0f} MB"
    )
    assert (peak - before) / 1e6 < MEGABYTES
