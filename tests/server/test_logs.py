"""Whatever a tool prints, and however much: the record is byte-exact, the stream valid text, memory flat.

The suite prints a tenth of what ``A6HUB_LOGS=full`` does (1,000,000 lines in 10 s, a line of 100 MB).
"""

from __future__ import annotations

import asyncio
import codecs
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from a6hub_jupyter.builds import journal

from .conftest import COUNTER, Json, request_for
from .processes import Follower, Server

FULL = os.environ.get("A6HUB_LOGS") == "full"
MEGABYTES = 100 if FULL else 10
LINES = 1_000_000 if FULL else 100_000
# Peak beyond what each had before it printed; independent of how much that is.
SERVER_MEGABYTES, SUPERVISOR_MEGABYTES = 60, 30


class Digest(Follower):
    """A follower that keeps no text, only what it amounts to."""

    def __init__(self, server: Server, build_id: str) -> None:
        super().__init__(server, build_id)
        self.sum, self.messages = hashlib.sha256(), 0
        self.take = self._add

    def _add(self, text: str) -> None:
        self.sum.update(text.encode())
        self.messages += 1


def text_sum(path: Path) -> str:
    """Return the digest of a console as valid text."""
    decoder, total = codecs.getincrementaldecoder("utf-8")("replace"), hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            total.update(decoder.decode(data).encode())
    total.update(decoder.decode(b"", final=True).encode())
    return total.hexdigest()


def peak(process: psutil.Process) -> float:
    """Peak resident memory in MB (Linux: of the whole life)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return process.memory_info().rss / 1e6


@pytest.fixture
def server(tmp_path: Path, pdk_root: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Server]:
    """A server process; its builds run `tool.py`, which waits for the file `go` first."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "counter.v").write_text(COUNTER)
    traits = {"builds_dir": str(tmp_path / "builds"), "cache_dir": str(tmp_path / "cache"), "max_cores": 2}
    traits |= {"pdk_roots": [str(pdk_root)], "min_free_disk": 0}
    tool = tmp_path / "tool"
    tool.write_text(
        f"#!{sys.executable}\nimport os, pathlib, time\nhere = pathlib.Path(__file__).parent\n"
        "while not (here / 'go').exists(): time.sleep(0.02)\nexec((here / 'tool.py').read_text())\n"
    )
    tool.chmod(0o755)
    made = Server(tmp_path / "work", tmp_path / "state", {"LIBRELANE_PATH": str(tool)}, **traits)
    jp_asyncio_loop.run_until_complete(made.start())
    yield made
    made.stop()


async def printed(server: Server, program: str, raw: Path | None = None) -> tuple[Digest, Json, bytes]:
    """Build with a tool that runs ``program``; return the client, figures, and the head of the record."""
    here = server.builds.parent
    (here / "tool.py").write_text(program)
    build = await server.insist("POST", "builds", json=request_for(server.work))
    await server.until(build["id"], "running")
    directory = server.builds / build["id"]
    supervisor = psutil.Process(json.loads((directory / journal.SUPERVISOR).read_text())["pid"])
    assert server.process is not None
    itself = psutil.Process(server.process.pid)
    before = peak(itself), peak(supervisor)
    follower = Digest(server, build["id"])
    task = asyncio.create_task(follower.follow())
    await asyncio.sleep(0.3)
    (here / "go").touch()
    highest = before[1]
    while not task.done():
        try:
            highest = max(highest, peak(supervisor))
        except (OSError, psutil.Error):
            highest = max(highest, before[1])
        await asyncio.sleep(0.05)
    await task
    assert follower.end is not None
    assert follower.end["data"]["state"] == "succeeded"
    console = directory / journal.CONSOLE
    assert follower.offset == console.stat().st_size
    assert follower.sum.hexdigest() == text_sum(console)
    figures = {
        "bytes": follower.offset,
        "messages": follower.messages,
        "server": (round(before[0], 1), round(peak(itself), 1)),
        "supervisor": (round(before[1], 1), round(highest, 1)),
    }
    print(f"\n{figures}")
    assert peak(itself) - before[0] < SERVER_MEGABYTES
    assert highest - before[1] < SUPERVISOR_MEGABYTES
    if raw is not None:  # the terminal makes \n a \r\n; nothing else
        assert console.read_bytes() == raw.read_bytes().replace(b"\n", b"\r\n")
    with console.open("rb") as file:
        return follower, figures, file.read(4096)


async def test_a_million_lines_in_ten_seconds(server: Server) -> None:
    program = (
        f"import sys\nbegun = time.monotonic()\nfor k in range({LINES}):\n"
        "    sys.stdout.write(f'{k:08} a line such as tools print, of some length\\n')\n"
        "    if k % 1000 == 999:\n        sys.stdout.flush()\n"
        "        time.sleep(max(0, begun + k * 1e-5 - time.monotonic()))\n"
        "(here / 'seconds').write_text(str(time.monotonic() - begun))\n"
    )
    _, figures, _ = await printed(server, program)
    seconds = float((server.builds.parent / "seconds").read_text())
    print(f"{LINES} lines in {seconds:.1f} s")
    assert figures["bytes"] == LINES * (len("00000000 a line such as tools print, of some length") + 2)
    assert seconds < (LINES / 1e5) * 3 + 3  # the tool is not held up


async def test_a_line_without_an_end(server: Server) -> None:
    program = f"left = {MEGABYTES} * 1_000_000\nwhile left:\n    left -= os.write(1, b'0' * min(left, 65536))\n"
    _, figures, head = await printed(server, program)
    assert figures["bytes"] == MEGABYTES * 1_000_000
    assert b"\n" not in head


async def test_everything_that_is_not_text(server: Server) -> None:
    """Invalid UTF-8, colours, links, titles, progress bars: recorded as they are."""
    parts = [
        b"caf\xe9 \xff\xfe\xed\xa0\x80\n",
        b"\x1b[1;31mred\x1b[0m\x1b[?25l\x1b[2K\x1b]8;;file:///x\x1b\\link\x1b]8;;\x1b\\\x1b]0;title\x07\n",
        b"\r" + b"".join(b"%3d%% [%s]\r" % (k, b"#" * (k // 5)) for k in range(101)) + b"\n",
        bytes(range(256)).replace(b"\n", b""),
        "é€𝄞".encode() * 1000,
        b"\xf0\x9d",
    ]
    raw = server.builds.parent / "raw"
    raw.write_bytes(b"".join(parts) * 200)
    program = (
        "data = (here / 'raw').read_bytes()\nfor k in range(0, len(data), 777):\n"
        "    part = data[k : k + 777]\n    while part: part = part[os.write(1, part):]\n"
    )
    await printed(server, program, raw)
