"""What supervision costs: latency of a line, CPU of a long log and of many watchers, and the start of a build.

Every figure stands beside a reference from the same run. Runs a real server and real supervisors; a small program
prints in LibreLane's place.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pty
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.server.conftest import COUNTER, request_for  # noqa: E402
from tests.server.processes import Follower, Server  # noqa: E402

TOOL = """#!{python}
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
(here / "started").write_text(repr(time.time()))
count, rate = map(float, (here / "orders").read_text().split())
while not (here / "go").exists():
    time.sleep(0.005)
begun = time.monotonic()
for k in range(int(count)):
    if rate:
        time.sleep(max(0, begun + k / rate - time.monotonic()))
    elif k % 1000 == 999:
        sys.stdout.flush()
    sys.stdout.write(f"{{time.time():.6f}} a line such as the tools print, with some text in it\\n")
    if rate:
        sys.stdout.flush()
"""


class Timed(Follower):
    """Notes how long each line took from the tool to here."""

    def __init__(self, server: Server, build_id: str) -> None:
        super().__init__(server, build_id)
        self.latencies: list[float] = []
        self.rest = ""
        self.take = self._time

    def _time(self, text: str) -> None:
        at = time.time()
        *lines, self.rest = (self.rest + text).split("\n")
        self.latencies += [at - float(line.split(" ", 1)[0]) for line in lines if line[:1].isdigit()]


def cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


class Bench:
    """One server, and builds of the printing tool."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "work").mkdir()
        (directory / "work" / "counter.v").write_text(COUNTER)
        self.tool = directory / "tool"
        self.tool.write_text(TOOL.format(python=sys.executable))
        self.tool.chmod(0o755)
        traits: dict[str, Any] = {"builds_dir": str(directory / "builds"), "cache_dir": str(directory / "cache")}
        self.server = Server(directory / "work", directory / "state", {"LIBRELANE_PATH": str(self.tool)}, **traits)

    async def run(self, count: int, rate: float, watchers: int = 0, timed: bool = False) -> dict[str, Any]:
        """Have the tool print and return the CPU seconds of server and supervisor, and what clients saw."""
        (self.directory / "orders").write_text(f"{count} {rate}")
        (self.directory / "go").unlink(missing_ok=True)
        (self.directory / "started").unlink(missing_ok=True)
        asked = time.time()
        build = await self.server.insist("POST", "builds", json=request_for(self.server.work))
        while not (self.directory / "started").exists() or not (self.directory / "started").read_text():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.002)
        latency = float((self.directory / "started").read_text()) - asked
        directory = self.server.builds / build["id"]
        assert self.server.process is not None
        server = psutil.Process(self.server.process.pid)
        supervisor = psutil.Process(json.loads((directory / "supervisor.json").read_text())["pid"])
        kind = Timed if timed else Follower
        followers = [kind(self.server, build["id"]) for _ in range(watchers)]
        tasks = [asyncio.create_task(f.follow()) for f in followers]
        await asyncio.sleep(0.5)
        first, last = (cpu(server), cpu(supervisor)), 0.0
        begun = time.monotonic()
        (self.directory / "go").touch()
        while not (directory / "result.json").exists():
            try:
                last = cpu(supervisor)
            except psutil.Error:
                break
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)
        return {
            "server": cpu(server) - first[0],
            "supervisor": last - first[1],
            "seconds": time.monotonic() - begun,
            "start": latency,
            "followers": followers,
            "console": directory / "console.log",
        }


def cat_through_terminal(source: Path, target: Path) -> float:
    """Copy with ``cat`` through a terminal into a file, the least there is to do; return our CPU seconds."""
    master, slave = pty.openpty()
    cat = subprocess.Popen(["cat", str(source)], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    begun = time.process_time()
    with target.open("wb") as file:
        while True:
            try:
                data = os.read(master, 1 << 16)
            except OSError:
                break
            file.write(data)
    seconds = time.process_time() - begun
    os.close(master)
    cat.wait()
    return seconds


def column_rewritten(source: Path, database: Path, lines: int) -> float:
    """Append to a text column and rewrite it whole every ten lines; return CPU seconds for so many lines."""
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE builds (id INTEGER PRIMARY KEY, log TEXT)")
    connection.execute("INSERT INTO builds VALUES (1, '')")
    begun, log = time.process_time(), ""
    with source.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            log += line
            if number % 10 == 0:
                connection.execute("UPDATE builds SET log = ? WHERE id = 1", (log,))
                connection.commit()
            if number == lines:
                break
    connection.close()
    return time.process_time() - begun


async def measure(directory: Path, runs: int) -> None:
    """Measure all and print."""
    bench = Bench(directory)
    await bench.server.start()
    try:
        await bench.run(10, 0)
        assert bench.server.process is not None
        server = psutil.Process(bench.server.process.pid)
        before = cpu(server)
        await asyncio.sleep(3)
        print(f"idle server: {(cpu(server) - before) / 3:.2%} of a core")
        begun = time.monotonic()
        subprocess.run([sys.executable, "-c", "import a6hub_jupyter.builds.supervisor"], check=True)  # noqa: ASYNC221
        alone = time.monotonic() - begun
        starts = [(await bench.run(1, 0))["start"] for _ in range(2 * runs + 1)]
        start = statistics.median(starts)
        print(f"POST to LibreLane's exec: {start * 1000:.0f} ms; importing the supervisor alone {alone * 1000:.0f} ms")
        print(f"  ratio {start / alone:.1f}")
        for _ in range(runs):
            result = await bench.run(5000, 1000, watchers=1, timed=True)
            ordered = sorted(result["followers"][0].latencies)
            p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
            print(
                f"line to client at 1,000 lines/s: p50 {p50 * 1000:.1f} ms (wanted 30), p99 {p99 * 1000:.1f} ms "
                f"(wanted 100); server {result['server'] / result['seconds']:.1%}, "
                f"supervisor {result['supervisor'] / result['seconds']:.1%} of a core"
            )
        result = await bench.run(100_000, 0)
        ours = result["server"] + result["supervisor"]
        source = directory / "lines"
        source.write_bytes(result["console"].read_bytes().replace(b"\r\n", b"\n"))
        cat = cat_through_terminal(source, directory / "copied")
        lines = 10_000
        column = column_rewritten(source, directory / "column.sqlite", lines)
        print(f"100,000 lines: server {result['server']:.2f} s CPU, supervisor {result['supervisor']:.2f} s")
        print(f"  cat through a terminal {cat:.2f} s, ratio {ours / cat:.1f}")
        # the cost of rewriting grows with the square of the length
        print(
            f"  a text column, rewritten every ten lines: {column:.2f} s for the first {lines:,} of them, about "
            f"{column * (100_000 / lines) ** 2:.0f} s for all; ratio {ours / (column * (100_000 / lines) ** 2):.5f}"
        )
        none = await bench.run(500, 100)
        many = await bench.run(500, 100, watchers=100)
        one = await bench.run(500, 100, watchers=1)
        shares = [r["server"] / r["seconds"] for r in (none, one, many)]
        print(
            f"100 lines/s: server {shares[0]:.1%} of a core without watchers, {shares[1]:.1%} with one, "
            f"{shares[2]:.1%} with 100; added by each {(shares[2] - shares[0]) / 100:.2%}, "
            f"ratio 100 : 1 {(shares[2] - shares[0]) / max(shares[1] - shares[0], 1e-3):.0f}"
        )
    finally:
        bench.server.stop()


def main() -> None:
    """Measure in a directory that is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(measure(Path(temporary), runs))


if __name__ == "__main__":
    main()
