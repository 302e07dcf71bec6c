"""What a long history costs: a server's start, and the list, over ten thousand ended builds.

Each figure stands beside its reference from the same run: the same server over an empty store. The index is removed
before one of the starts, so that it is made anew in the background while requests are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from a6hub_jupyter.builds import journal  # noqa: E402
from a6hub_jupyter.builds.model import BuildRequest  # noqa: E402
from tests.server.processes import Server  # noqa: E402

STEPS = [{"id": f"Some.Step{k}", "name": f"Step {k}"} for k in range(25)]


def make(store: Path, design_dir: Path, count: int) -> None:
    """Put ``count`` builds that have succeeded on record."""
    store.mkdir()
    for number in range(count):
        build_id = f"20250101-{number // 10000:02}{number % 10000:04}-x-{number:06x}"
        request = BuildRequest(
            id=build_id,
            created=f"2025-01-01T00:{number // 60 % 60:02}:{number % 60:02}.{number // 3600:03}Z",
            name="x",
            design_dir=str(design_dir),
            config={"DESIGN_NAME": "x"},
            flow="Express",
            pdk="sky130A",
            scl=None,
            pdk_root=None,
            pdk_note=None,
            toolchain="express",
            executor="local",
            steps=STEPS,
            timeout=3600.0,
        )
        directory = store / build_id
        directory.mkdir()
        (directory / journal.REQUEST).write_text(json.dumps({"request": request.to_json(), "idempotency_key": None}))
        times = {"started": request.created, "finished": request.created, "seconds": 1.0, "offset": 0}
        events = [{"type": "status", "data": {"state": "running"}}]
        events += [{"type": "step", "data": {**s, "state": "done", "directory": "x", **times}} for s in STEPS]
        result = {"state": "succeeded", "exit_code": 0, "error": None}
        events.append({"type": "complete", "data": result})
        lines = [json.dumps({"seq": k, "timestamp": request.created, **e}) for k, e in enumerate(events, 1)]
        (directory / journal.JOURNAL).write_text("\n".join(lines) + "\n")
        (directory / journal.RESULT).write_text(json.dumps({**result, "finished": request.created, "metrics": {}}))


async def seconds_of(server: Server, path: str, times: int = 15) -> tuple[float, float]:
    """Return the median and the worst time of a GET, in seconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        assert (await server.request("GET", path)).status_code == 200
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken), max(taken)


async def measure(directory: Path, count: int) -> None:
    """Measure and print."""
    (directory / "work").mkdir()
    make(directory / "many", directory / "work", count)
    starts: dict[str, float] = {}
    for name, store in (("empty", "none"), ("without index", "many"), ("with index", "many")):
        traits = {"builds_dir": str(directory / store), "cache_dir": str(directory / "cache")}
        server = Server(directory / "work", directory / f"state-{name.replace(' ', '-')}", {}, **traits)
        begun = time.perf_counter()
        await server.start()
        starts[name] = time.perf_counter() - begun
        try:
            begun, worst = time.perf_counter(), 0.0
            while (await server.insist("GET", "builds?limit=1"))["total"] < (count if store == "many" else 0):
                worst = max(worst, (await seconds_of(server, "builds?limit=50", 1))[1])
            if name == "without index":
                made = time.perf_counter() - begun
                print(f"index made in {made:.1f} s; slowest list of 50 meanwhile {worst * 1000:.0f} ms")
            figures = [await seconds_of(server, f"builds?limit={limit}") for limit in (50, 200)]
            told = [f"{median * 1000:.1f} ms (worst {most * 1000:.1f})" for median, most in figures]
            print(f"{name}: start {starts[name]:.2f} s; list of 50 {told[0]}, of 200 {told[1]} (wanted for 50: 50 ms)")
        finally:
            server.stop()
    for name in ("without index", "with index"):
        print(f"start {name}: ratio {starts[name] / starts['empty']:.2f} to that over an empty store")


def main() -> None:
    """Measure in a directory that is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--builds", type=int, default=10_000)
    count = parser.parse_args().builds
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(measure(Path(temporary).resolve(), count))


if __name__ == "__main__":
    main()
