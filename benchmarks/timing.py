"""The timing estimate against OpenSTA, and how long it takes.

Builds spm and uart_tx on ihp-sg13g2 with the flow Express up to the timing estimate, at three clock periods, gives
netlist, wires (SPEF) and constraints to OpenSTA (Debian: opensta), and prints both worst slacks of every corner as a
table of docs/timing.md. Then times an analysis of the placed design alone (CPU seconds: other work on the machine
counts for little).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from a6hub_jupyter import express  # noqa: E402
from a6hub_jupyter.express.database import Database  # noqa: E402
from a6hub_jupyter.express.job import Job  # noqa: E402
from a6hub_jupyter.express.technology import Technology  # noqa: E402
from a6hub_jupyter.express.timing.pinmap import PinMap  # noqa: E402
from a6hub_jupyter.express.timing.timer import timers  # noqa: E402
from tests.flow import opensta  # noqa: E402

PERIODS = (10, 4, 2)


def run(work: Path, pdk_root: Path, name: str, period: float) -> Path:
    """Build one design up to the estimate; return the directory of that step."""
    import librelane

    directory = work / f"{name}-{period:g}"
    directory.mkdir()
    example = Path(librelane.__file__).parent / "examples" / "spm" / "src" / "spm.v"
    source = example if name == "spm" else ROOT / "tests" / "flow" / "designs" / f"{name}.v"
    shutil.copy(source, directory)
    config = {"DESIGN_NAME": name, "VERILOG_FILES": ["dir::*.v"], "CLOCK_PORT": "clk", "CLOCK_PERIOD": period}
    (directory / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "librelane", "--manual-pdk", "--pdk-root", str(pdk_root), "--pdk", "ihp-sg13g2"]
    command += ["--scl", "sg13g2_stdcell", "--flow", "Express", "--run-tag", "timing", "--hide-progress-bar"]
    subprocess.run(
        [*command, "--to", "Express.TimingEstimate", "config.json"],
        cwd=directory,
        env=express.environment(sys.executable, os.environ),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return next((directory / "runs" / "timing").glob("*-express-timingestimate"))


def rows(step: Path, name: str, period: float) -> float:
    """Print a row for each corner; return the largest difference, in percent of the period."""
    largest = 0.0
    for plain, credited in zip(opensta.compare(step), opensta.compare(step, credit=True), strict=True):
        cells = [f"{name}, {period:g} ns", plain.name.removeprefix("nom_")]
        for (ours, theirs, _), (_, with_credit, _) in ((plain.setup, credited.setup), (plain.hold, credited.hold)):
            difference = 100 * (ours.slack - theirs.slack) / period
            largest = max(largest, abs(difference))
            cells += [f"{ours.slack:.3f}", f"{theirs.slack:.3f}", f"{difference:+.2f} %", f"{with_credit.slack:.3f}"]
        print(f"| {' | '.join(cells)} |", flush=True)
    return largest


def speed(step: Path) -> None:
    """Print what one analysis of the placed design takes in one corner."""
    job = Job.load(step / "job.json")
    technology = Technology.of(job)
    database = Database.load(job.given("database"))
    timer = timers({**job.timing, "corners": job.timing["corners"][:1]}, technology)[0]
    timer.analyse(database, timer.placed(PinMap(database, technology.lef.macros)))  # reads the cells used
    begun = time.process_time()
    timer.analyse(database, timer.placed(PinMap(database, technology.lef.macros)))
    print(f"{len(database.components)} cells: {time.process_time() - begun:.2f} s of CPU for one analysis")


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pdk-root", type=Path, default=ROOT.parent / "shared" / "pdk")
    arguments = parser.parse_args()
    if opensta.STA is None:
        sys.exit("There is no OpenSTA on this machine (Debian: apt-get install opensta).")
    if not (arguments.pdk_root / "ihp-sg13g2").is_dir():
        sys.exit(f"There is no ihp-sg13g2 in {arguments.pdk_root}: name its root with --pdk-root.")
    print(
        "| design | corner | setup | OpenSTA | difference | with credit | hold | OpenSTA | difference | with credit |"
    )
    print("|---" * 10 + "|")
    largest, steps = 0.0, []
    with tempfile.TemporaryDirectory() as work:
        for name in ("spm", "uart_tx"):
            for period in PERIODS:
                steps.append(run(Path(work), arguments.pdk_root, name, period))
                largest = max(largest, rows(steps[-1], name, period))
        print(f"\nlargest difference: {largest:.2f} % of the period (wanted: at most 2 %)")
        speed(steps[0])


if __name__ == "__main__":
    main()
