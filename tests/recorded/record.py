"""Recordings of LibreLane runs, to be played again by ``tests/librelane_double/replay``.

A recording is JSON packed with xz: ``console`` ([seconds since the start, text] for each piece of output), ``steps``
(``directory``, ``step`` id, ``start`` and ``end`` in seconds, ``state_in`` and ``state_out``), in order. ``python
tests/recorded/record.py`` makes ``express-counter.json.xz`` from a real build of a counter.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EXPRESS = HERE / "express-counter.json.xz"


def record(argv: list[str], environment: dict[str, str], cwd: Path, run_dir: Path) -> dict[str, Any]:
    """Run LibreLane on a terminal and return the recording."""
    from a6hub_jupyter.builds.terminal import TerminalProcess

    wake, _ = os.pipe()
    begun = time.time()
    child = TerminalProcess(argv, environment, cwd)
    console: list[list[Any]] = []
    while not child.drained:
        if data := child.read(1.0, wake):
            text = data.decode("latin-1")
            console.append([round(time.time() - begun, 4), text])
    assert child.poll() in {0, None}
    # pieces may part a character: joined, then cut at whole ones
    for number, piece in enumerate(console):
        raw = piece[1].encode("latin-1")
        cut = next((k for k in range(1, 4) if k <= len(raw) and raw[-k] >= 0xC0), 0)
        if cut and number + 1 < len(console):
            console[number + 1][1] = raw[len(raw) - cut :].decode("latin-1") + console[number + 1][1]
            raw = raw[: len(raw) - cut]
        piece[1] = raw.decode().replace(str(cwd), "/home/ada/counter").replace(str(Path.home()), "/home/ada")
    steps = []
    for directory in sorted(run_dir.glob("[0-9]*-*"), key=lambda p: int(p.name.partition("-")[0])):
        paths = [directory / "state_in.json", directory / "state_out.json"]
        states = [json.loads(p.read_text().replace(str(cwd), "/home/ada/counter")) for p in paths]
        times = [round(p.stat().st_mtime - begun, 4) for p in paths]
        step = json.loads((directory / "config.json").read_text())["meta"]["step"]
        steps.append(_step(directory.name, step, times, states))
    return {"console": console, "steps": steps}


def _step(directory: str, step: str, times: list[float], states: list[Any]) -> dict[str, Any]:
    start, end = times
    return {
        "directory": directory,
        "step": step,
        "start": start,
        "end": end,
        "state_in": states[0],
        "state_out": states[1],
    }


def from_archive(path: Path) -> dict[str, Any]:
    """Return the recording in an archive of console and run directory (``shared/recorded``)."""
    with tarfile.open(path) as archive:
        files = {m.name: m for m in archive.getmembers() if m.isfile()}

        def read(name: str) -> str:
            file = archive.extractfile(files[name])
            assert file is not None
            return file.read().decode()

        console = [json.loads(line) for line in read("console.jsonl").splitlines()]
        begun: dict[str, float] = {}
        for seconds, text in console:  # times of modification are whole seconds there; the console is finer
            for name in re.findall(r"/(\d+-[a-z0-9-]+)'", text) if "Running" in text else ():
                if f"run/{name}/runtime.txt" in files:  # else a step within a step
                    begun.setdefault(name, seconds)
        steps = []
        for name, start in sorted(begun.items(), key=lambda item: int(item[0].partition("-")[0])):
            hours, minutes, seconds = read(f"run/{name}/runtime.txt").split(":")
            taken = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            step = json.loads(read(f"run/{name}/config.json"))["meta"]["step"]
            states = [json.loads(read(f"run/{name}/{state}.json")) for state in ("state_in", "state_out")]
            steps.append(_step(name, step, [start, start + taken], states))
    for one, following in zip(steps, steps[1:]):  # noqa: B905, RUF007 - each with the next
        one["end"] = min(one["end"], following["start"])
    return {"console": console, "steps": steps}


def pack(recording: dict[str, Any], path: Path) -> None:
    """Write a recording."""
    path.write_bytes(lzma.compress(json.dumps(recording, separators=(",", ":")).encode(), preset=9))


def main() -> None:
    """Record a real Express build of a counter."""
    from a6hub_jupyter import express
    from a6hub_jupyter.express import sky130

    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary).resolve()
        (work / "counter.v").write_text((HERE.parent / "flow/designs/counter.v").read_text())
        config = {"DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::*.v"], "CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}
        (work / "config.json").write_text(json.dumps({"meta": {"version": 2}, **config}))
        command = [sys.executable, "-m", "librelane", "--manual-pdk", "--pdk-root", str(sky130.default_root())]
        command += ["--pdk", "sky130A", "--flow", "Express", "--run-tag", "recorded", "--hide-progress-bar"]
        environment = express.environment(sys.executable, os.environ)
        recording = record([*command, "config.json"], environment, work, work / "runs" / "recorded")
    pack(recording, EXPRESS)
    size = EXPRESS.stat().st_size
    print(f"{len(recording['steps'])} steps, {recording['console'][-1][0]:.1f} s, {size / 1000:.0f} kB in {EXPRESS}")


if __name__ == "__main__":
    main()
