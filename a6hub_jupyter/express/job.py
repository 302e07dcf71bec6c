"""What a step hands to its tool: one JSON file; and how the tool answers: metrics, or one sentence."""

from __future__ import annotations

import dataclasses
import gc
import json
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    Metrics = dict[str, int | float]

PROBLEM_FILE = "problem.txt"
DATABASE_FILE = "express.json"


@dataclass
class Job:
    """Settings and files of one step. Lengths in nm, paths as text, fractions between 0 and 1."""

    top: str
    step_directory: str
    lefs: list[str]
    site: str
    tracks: str | None
    layer_map: str
    clock_ports: list[str]
    utilization: float
    aspect_ratio: float
    die_area: list[int] | None
    lowest_layer: str
    highest_layer: str
    port_layer_horizontal: str
    port_layer_vertical: str
    power_net: str
    ground_net: str
    power_pins: list[str]
    ground_pins: list[str]
    rail_layer: str
    rail_width: int
    strap_layer: str
    strap_width: int
    strap_spacing: int
    strap_pitch: int
    strap_offset: int
    fillers: list[str]
    decaps: list[str]
    buffer: str
    clock_buffers: list[str]
    tap_cell: str | None
    tap_distance: int
    density: float
    effort: int
    most_fanout: int
    clock_fanout: int
    route_seconds: int
    equivalence_seconds: int
    liberty: list[str]
    cell_layouts: list[str]
    netlist: str | None = None
    database: str | None = None
    layout: str | None = None
    placement: str | None = None
    synthesised: str | None = None
    rtl: str | None = None
    """The design as read, in the JSON of Yosys."""
    rtl_seconds: int = 0
    rtl_cells: int = 0
    bar_layer: str = ""
    """Layer of the horizontal straps; empty: there are none."""
    bar_width: int = 0
    bar_spacing: int = 0
    bar_pitch: int = 0
    bar_offset: int = 0
    macros: list[dict[str, Any]] = field(default_factory=list)
    """Hard macros: name, cell, x, y, orientation."""
    macro_lefs: list[str] = field(default_factory=list)
    macro_modules: list[str] = field(default_factory=list)
    """Verilog of the hard macros: netlists or headers."""
    halo: list[int] = field(default_factory=lambda: [0, 0])
    """What stays free beside hard macros, in x and in y."""
    pin_order: str | None = None
    pins_unmatched: str = "none"
    endcap_cell: str | None = None
    core_area: list[int] | None = None
    margins: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])
    """Free of rows at the left (in sites), at the bottom (in rows), at the right and at the top."""
    diode_cell: str | None = None
    """Cell and pin, `cell/pin`."""
    timing: dict[str, Any] = field(default_factory=dict)
    """Constraints, corners and repair settings: see `steps/timing.py`, which writes them."""

    @classmethod
    def load(cls, path: str | Path) -> Job:
        """Read a job file."""
        return cls(**json.loads(Path(path).read_text()))

    def save(self) -> Path:
        """Write the job into its step directory."""
        path = Path(self.step_directory) / "job.json"
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        return path

    def output(self, name: str) -> Path:
        """A file in the step directory."""
        return Path(self.step_directory) / name

    def given(self, name: str) -> str:
        """The path of an input view that this job cannot do without."""
        value = getattr(self, name)
        if not value:
            raise ProblemError(f"This step was given no {name}: run the steps before it, or give --from a state.")
        return str(value)


def run(task: Callable[[Job], Metrics]) -> None:
    """Main of a tool: `python -m <tool> job.json`. Prints metrics the way LibreLane picks them up.

    A ProblemError ends in its sentence on the console and in `problem.txt`, and exit code 1; no traceback.
    """
    # A tool keeps millions of small objects until it ends: looking for cycles among them takes a fifth of the time
    # of a large design.
    gc.disable()
    job = Job.load(sys.argv[1])
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    start = time.monotonic()
    try:
        metrics = task(job)
    except ProblemError as problem:
        job.output(PROBLEM_FILE).write_text(f"{problem}\n")
        print(problem)
        sys.exit(1)
    for name, value in metrics.items():
        kind = "I" if isinstance(value, int) else "F"
        print(f"%OL_METRIC_{kind} {name} {value}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"Done in {time.monotonic() - start:.1f} s, at most {memory:.0f} MB.")
