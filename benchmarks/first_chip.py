"""From a notebook cell to a finished chip, and what our part of it costs.

Builds LibreLane's example design spm with the flow Express, in turns: bare ``python -m librelane``, and through a
running Jupyter server (POST until the end is known to the client). Prints medians and their ratio, the time from POST
to LibreLane's start, the import time of the extension, and the size of what is stored in each notebook.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from demo import jupyter_server  # noqa: E402 - the same server as in `make demo`

from a6hub_jupyter import Design, express  # noqa: E402
from a6hub_jupyter.express import sky130  # noqa: E402


def spm(work: Path) -> Path:
    """Copy LibreLane's example into ``work`` and return its directory."""
    import librelane

    shutil.copytree(Path(librelane.__file__).parent / "examples" / "spm" / "src", work / "spm")
    return work / "spm"


def bare(directory: Path, config: dict[str, Any], number: int) -> float:
    """Run LibreLane alone; return seconds."""
    path = directory / "config.json"
    path.write_text(json.dumps({"meta": {"version": 2}, **config}))
    command = [sys.executable, "-m", "librelane", "--manual-pdk", "--pdk-root", str(sky130.default_root())]
    command += [
        "--pdk",
        "sky130A",
        "--flow",
        "Express",
        "--run-tag",
        f"bare-{number}",
        "--hide-progress-bar",
        str(path),
    ]
    begun = time.monotonic()
    subprocess.run(
        command,
        cwd=directory,
        env=express.environment(sys.executable, os.environ),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.monotonic() - begun


def supervised(design: Design) -> tuple[float, float]:
    """Build through the server; return seconds in all, and seconds from POST to LibreLane's start."""
    begun, asked = time.monotonic(), time.time()
    build = design.build()
    build.wait(progress=False)
    seconds = time.monotonic() - begun
    data = build.refresh()
    if data["state"] != "succeeded":
        sys.exit(f"The build {data['state']}: {data['error']}")
    started = datetime.fromisoformat(data["started"].replace("Z", "+00:00")).timestamp()
    return seconds, started - asked


def import_seconds() -> tuple[float, float]:
    """Return seconds and CPU seconds that importing the extension adds to a Jupyter server's own imports.

    Medians of 9, after one that leaves the compiled code, which an installation has from the beginning.
    """
    code = (
        "import time, jupyter_server.serverapp, jupyter_server.extension.application\n"
        "begun, used = time.perf_counter(), time.process_time()\nimport a6hub_jupyter.app, a6hub_jupyter.api\n"
        "print(time.perf_counter() - begun, time.process_time() - used)"
    )
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    runs = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(10)
    ][1:]
    return statistics.median(float(r[0]) for r in runs), statistics.median(float(r[1]) for r in runs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as temporary:
        work, state = Path(temporary, "work"), Path(temporary, "jupyter")
        work.mkdir()
        state.mkdir()
        directory = spm(work)
        os.chdir(directory)
        design = Design(
            "spm", verilog_files=sorted(p.name for p in directory.glob("*.v")), clock_port="clk", clock_period=10
        )
        with jupyter_server(work, state):
            supervised(design)  # warms the caches: the PDK, compiled code, the server's LibreLane
            alone, ours, latencies = [], [], []
            for number in range(pairs):
                alone.append(bare(directory, design.config, number))
                seconds, latency = supervised(design)
                ours.append(seconds)
                latencies.append(latency)
                print(f"pair {number + 1}: bare {alone[-1]:.2f} s, through the server {ours[-1]:.2f} s", flush=True)
    a, b = statistics.median(alone), statistics.median(ours)
    print(f"\nspm to GDS: bare {a:.2f} s, cell to chip {b:.2f} s, ratio {b / a:.3f} (wanted: at most 1.02)")
    print(f"POST to LibreLane's start: {statistics.median(latencies) * 1000:.0f} ms")
    seconds, used = import_seconds()
    print(f"importing the extension: {seconds * 1000:.0f} ms (wanted: at most 100), {used * 1000:.0f} ms of CPU time")
    print(f"_esm: {(ROOT / 'a6hub_jupyter/static/bootstrap.js').stat().st_size / 1000:.1f} kB (wanted: at most 15)")


if __name__ == "__main__":
    main()
