"""From RTL to GDSII with the flow Express: seconds, memory and wire length for designs of growing size.

    python benchmarks/express.py [--pdk NAME]... [--design NAME]... [--json FILE] [--plot FILE.svg] [--cold]

Each design is built on each PDK by ``python -m librelane``. Printed are, with what the project asks of them: wall and
CPU seconds, the largest memory of a process, wire length against the half perimeters of the nets (and against nearly
shortest trees through their pins, which a wire can come near to), and the seconds of each step. The route times are
fitted over the cells, and drawn. spm is built once more by the steps' own tools one after the other, without LibreLane;
with --cold also with an empty cache of compiled code.

picorv32 and its divider (the size of LibreLane's example usb) come from the package pythondata-cpu-picorv32; without
it they are left out. sky130A is staged from its wheel; for ihp-sg13g2 the root of a PDK is given by --ihp-root.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from a6hub_jupyter import express  # noqa: E402
from a6hub_jupyter.express import sky130  # noqa: E402
from a6hub_jupyter.express.sky130.staging import stage  # noqa: E402

COURSE = ROOT / "notebooks" / "designs"
MOST_WIRE = 1.15
MOST_MEMORY = 2048
MOST_SECONDS = {"spm": 8, "usb": 15, "divider": 15, "rv32": 180, "picorv32": 180}
"""What the project asks for; MB and s."""
COURSES = ("uart", "gcd", "fir", "usb", "rv32")
DESIGNS = ("spm", *COURSES, "divider", "picorv32")
PERIODS = {"gcd": 20, "fir": 20, "usb": 20, "rv32": 20, "picorv32": 20}
OWN_MEMORY = re.compile(r"^Done in \S+ s, at most (\d+) MB\.$", re.MULTILINE)
MUST_BE_ZERO = (
    "route__drc_errors",
    "design__lvs_error__count",
    "design__power_grid_violation__count",
    "klayout__drc_error__count",
)


@dataclass
class Result:
    """One build. Steps: id to (wall s, CPU s, MB) of the processes it started."""

    design: str
    pdk: str
    code: int
    seconds: float
    cpu: float
    memory: float = 0.0
    cells: int = 0
    wire: float = 0.0
    trees: float = 0.0
    faults: int = -1
    steps: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def routing(self) -> float:
        """CPU seconds of routing."""
        return self.steps.get("express-routing", (0.0, 0.0, 0.0))[1]


def sources() -> dict[str, tuple[str, Path]]:
    """Top module and file of each design that this machine has."""
    import librelane

    found = {"spm": ("spm", Path(librelane.__file__).parent / "examples" / "spm" / "src" / "spm.v")}
    found |= {name: (name, COURSE / f"{name}.v") for name in COURSES}
    package = importlib.util.find_spec("pythondata_cpu_picorv32")
    if package is not None and package.origin:
        file = Path(package.origin).parent / "verilog" / "picorv32.v"
        found |= {"divider": ("picorv32_pcpi_div", file), "picorv32": ("picorv32", file)}
    return found


def _seconds(text: str) -> float:
    hours, minutes, rest = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def _megabytes(text: str) -> float:
    units = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "B": 1 / 1024 / 1024}
    unit = next(u for u in units if text.endswith(u))
    return float(text.removesuffix(unit)) * units[unit]


def build(work: Path, pdk: tuple[Path, str, str], name: str, top: str, source: Path, env: dict[str, str]) -> Result:
    """Build a design; what it took."""
    root, pdk_name, library = pdk
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-{pdk_name}-", dir=work))
    shutil.copy(source, directory)
    config = {
        "DESIGN_NAME": top,
        "VERILOG_FILES": ["dir::*.v"],
        "CLOCK_PORT": "clk",
        "CLOCK_PERIOD": PERIODS.get(name, 10),
    }
    (directory / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "librelane", "--manual-pdk", "--pdk-root", str(root), "--pdk", pdk_name]
    command += ["--scl", library, "--flow", "Express", "--run-tag", "run", "--hide-progress-bar", "config.json"]
    began = time.monotonic()
    with (directory / "output").open("w") as output:
        process = subprocess.Popen(command, cwd=directory, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    result = Result(name, pdk_name, process.returncode, time.monotonic() - began, usage.ru_utime + usage.ru_stime)
    for step in sorted((directory / "runs" / "run").glob("[0-9]*-*")):
        runtime = step / "runtime.txt"
        statistics = [json.loads(p.read_text()) for p in step.glob("*.process_stats.json")]
        times = [s["time"] for s in statistics]
        cpu = sum(_seconds(t["cpu_time_user"]) + _seconds(t["cpu_time_system"]) for t in times)
        memory = max((_megabytes(s["peak_resources"]["memory_rss"]) for s in statistics), default=0.0)
        own = [int(m) for log in step.glob("*.log") for m in OWN_MEMORY.findall(log.read_text(errors="replace"))]
        memory = max(own, default=memory)  # LibreLane rounds large figures to whole GiB
        wall = _seconds(runtime.read_text()) if runtime.exists() else 0.0
        if statistics:
            result.steps[step.name[3:]] = (wall, cpu, memory)
    result.memory = max((memory for *_, memory in result.steps.values()), default=0.0)
    states = sorted((directory / "runs" / "run").glob("[0-9]*-*/state_out.json"))
    metrics: dict[str, Any] = json.loads(states[-1].read_text())["metrics"] if states else {}
    result.cells = int(metrics.get("design__instance__count__stdcell") or metrics.get("design__instance__count") or 0)
    wire = metrics.get("route__wirelength", 0)
    result.wire = wire / max(metrics.get("route__wirelength__half_perimeter", 0), 1)
    result.trees = wire / max(metrics.get("route__wirelength__steiner", 0), 1)
    if all(name in metrics for name in MUST_BE_ZERO):
        result.faults = int(sum(metrics[name] for name in MUST_BE_ZERO))
    return result


def bare(run: Path, env: dict[str, str]) -> float:
    """Seconds of the tools of a finished run, started one after the other as each step's COMMANDS says."""
    import librelane

    scripts = Path(librelane.__file__).parent / "scripts" / "pyosys"
    env = {**env, "PYTHONPATH": os.pathsep.join([env["PYTHONPATH"], str(scripts)])}
    began = time.monotonic()
    for commands in sorted(run.glob("[0-9]*-*/COMMANDS")):
        for line in commands.read_text().splitlines():
            subprocess.run(line.split(), cwd=run.parents[1], env=env, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def fitted(points: list[tuple[int, float]]) -> tuple[float, float]:
    """(a, b) of the least-squares fit seconds = a * (cells / 1000) ** b in logarithms."""
    xs, ys = [math.log(c / 1000) for c, _ in points], [math.log(s) for _, s in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((v - x) ** 2 for v in xs)
    slope = sum((u - x) * (v - y) for u, v in zip(xs, ys, strict=True)) / spread if spread else 0.0
    return math.exp(y - slope * x), slope


def plot(path: Path, results: list[Result], fits: dict[str, tuple[float, float]]) -> None:
    """Route time over cells, both axes logarithmic, a colour for each PDK, as SVG."""
    colours = dict(zip(fits, ("#1f6fb2", "#c8641e", "#3c8d4f"), strict=False))
    places = [(r.cells, r.routing) for r in results]
    left, right = (math.log10(f(c for c, _ in places)) for f in (min, max))
    low, high = (math.log10(f(s for _, s in places)) for f in (min, max))

    def at(cells: float, seconds: float) -> tuple[float, float]:
        x = 60 + 520 * (math.log10(cells) - left) / max(right - left, 1e-9)
        return x, 340 - 300 * (math.log10(max(seconds, 1e-3)) - low) / max(high - low, 1e-9)

    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="sans-serif" font-size="12">']
    lines.append('<rect width="640" height="400" fill="white"/><path d="M60 30V340H600" fill="none" stroke="#444"/>')
    lines.append('<text x="330" y="390" text-anchor="middle">cells</text>')
    lines.append('<text x="10" y="20">routing, s of CPU</text>')
    for number, (pdk, (a, b)) in enumerate(fits.items()):
        own = sorted((r.cells, r.routing, r.design) for r in results if r.pdk == pdk)
        ends = [at(c, a * (c / 1000) ** b) for c in (own[0][0], own[-1][0])]
        (x1, y1), (x2, y2) = ends
        lines.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colours[pdk]}" stroke-dasharray="5 4"/>')
        for cells, seconds, design in own:
            x, y = at(cells, seconds)
            lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colours[pdk]}"/>')
            lines.append(f'<text x="{x + 6:.1f}" y="{y - 6:.1f}">{design}, {seconds:.1f} s</text>')
        label = f"{pdk}: {a:.1f} s x (cells / 1000)^{b:.2f}"
        lines.append(f'<text x="70" y="{40 + 16 * number}" fill="{colours[pdk]}">{label}</text>')
    path.write_text("\n".join([*lines, "</svg>\n"]))


def show(results: list[Result]) -> None:
    """Print the tables."""
    columns = ["design", "PDK", "cells", "wall, s", "asked", "CPU, s", "memory, MB", "wire / half perimeter", "asked"]
    columns += ["wire / shortest trees", "faults"]
    print("\n| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for r in results:
        asked = MOST_SECONDS.get(r.design, "")
        faults = r.faults if r.faults >= 0 else f"ended with {r.code}"
        print(
            f"| {r.design} | {r.pdk} | {r.cells} | {r.seconds:.1f} | {asked} | {r.cpu:.1f} | {r.memory:.0f} "
            f"(asked: {MOST_MEMORY}) | {r.wire:.3f} | {MOST_WIRE} | {r.trees:.3f} | {faults} |"
        )
    names = list(dict.fromkeys(step for r in results for step in r.steps))
    print("\nWall / CPU seconds and MB of each step's processes:\n")
    print("| step | " + " | ".join(f"{r.design}, {r.pdk}" for r in results) + " |")
    print("|---" * (len(results) + 1) + "|")
    for name in names:
        cells = [r.steps.get(name) for r in results]
        print(f"| {name} | " + " | ".join(f"{c[0]:.1f} / {c[1]:.1f}, {c[2]:.0f}" if c else "" for c in cells) + " |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdk", action="append", choices=("sky130A", "ihp-sg13g2"))
    parser.add_argument("--ihp-root", type=Path, default=ROOT.parent / "shared" / "pdk")
    parser.add_argument("--design", action="append", choices=DESIGNS)
    parser.add_argument("--cold", action="store_true", help="also build spm with an empty cache of compiled code")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--plot", type=Path, help="write a picture of route time over cells here (SVG)")
    parser.add_argument("--keep", type=Path, help="keep the runs in this directory")
    options = parser.parse_args()
    pdks = {"sky130A": (sky130.default_root(), sky130.PDK, sky130.SCL)}
    pdks["ihp-sg13g2"] = (options.ihp_root, "ihp-sg13g2", "sg13g2_stdcell")
    chosen = [pdks[name] for name in options.pdk or pdks if name == "sky130A" or options.ihp_root.is_dir()]
    stage(sky130.default_root())
    env = express.environment(sys.executable, {**os.environ, "COLUMNS": "200"})
    designs = sources()
    for name in set(MOST_SECONDS) - set(designs):
        print(f"{name} is left out: the package pythondata-cpu-picorv32 is not installed.")
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        first = pdks["sky130A"] if pdks["sky130A"] in chosen else chosen[0]
        if options.cold:
            cold = build(work, first, "spm", *designs["spm"], {**env, "NUMBA_CACHE_DIR": str(work / "numba")})
            print(f"spm on {cold.pdk} with nothing compiled: {cold.seconds:.1f} s, {cold.cpu:.1f} s of CPU.")
        build(work, first, "spm", *designs["spm"], env)  # fills the cache
        results = []
        for pdk in chosen:
            for name, (top, source) in designs.items():
                if options.design is None or name in options.design:
                    results.append(build(work, pdk, name, top, source, env))
                    last = results[-1]
                    print(f"{name} on {last.pdk}: {last.seconds:.1f} s, {last.cpu:.1f} s of CPU", flush=True)
            if options.design is None or "spm" in options.design:
                run = next(work.glob(f"spm-{pdk[1]}-*/runs/run"))
                print(f"spm on {pdk[1]}, its tools alone, one after the other: {bare(run, env):.1f} s")
    show(results)
    routed = [r for r in results if r.routing and r.cells]
    by_pdk = {name: [(r.cells, r.routing) for r in routed if r.pdk == name] for name in {r.pdk for r in routed}}
    fits = {pdk: fitted(points) for pdk, points in sorted(by_pdk.items())}
    for routed_on, (a, b) in fits.items():
        print(f"\nRouting on {routed_on}: {a:.2f} s of CPU x (cells / 1000) ^ {b:.2f}")
    if options.plot and routed:
        plot(options.plot, routed, fits)
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n")


if __name__ == "__main__":
    main()
