"""The same design, wires and constraints given to OpenSTA, where the machine has it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

STA = shutil.which("sta")
SLACK = re.compile(r"^\s*(-?\d+\.\d+)\s+slack", re.M)
ENDPOINT = re.compile(r"^Endpoint: (\S+)", re.M)
# The analyser of Debian's package gives credit for common clock paths unless told otherwise; the estimate gives none.
SCRIPT = """
{liberty}
read_verilog {netlist}
link_design {top}
set_operating_conditions -analysis_type on_chip_variation
source {sdc}
set sta_crpr_enabled {credit}
read_spef {spef}
report_checks -path_delay max -digits 6
puts "=== min"
report_checks -path_delay min -digits 6
exit
"""


@dataclass(frozen=True)
class Worst:
    """The worst slack, ns, and the endpoint that has it."""

    slack: float
    endpoint: str


@dataclass(frozen=True)
class Corner:
    """What both analysers say of one corner: the estimate's worst slack, OpenSTA's, and the estimate for its path."""

    name: str
    setup: tuple[Worst, Worst, Worst | None]
    hold: tuple[Worst, Worst, Worst | None]


def _paths(text: str) -> list[Worst]:
    """All paths of a report, the worst first; OpenSTA writes one for each group, asynchronous ones included."""
    found = [Worst(float(s), e.split("/")[0]) for s, e in zip(SLACK.findall(text), ENDPOINT.findall(text), strict=True)]
    return sorted(found, key=lambda path: path.slack)


def _both(ours: str, theirs: str) -> tuple[Worst, Worst, Worst | None]:
    own, worst = _paths(ours), _paths(theirs)[0]
    return own[0], worst, next((path for path in own if path.endpoint == worst.endpoint), None)


def compare(step: Path, *, credit: bool = False) -> list[Corner]:
    """Compare the reports of a timing estimate's step with OpenSTA on its netlist, SDC and SPEF."""
    job = json.loads((step / "job.json").read_text())
    netlist = json.loads((step / "state_in.json").read_text())["nl"]
    base = step.parents[2]
    found = []
    for corner in job["timing"]["corners"]:
        directory = step / corner["name"]
        script = SCRIPT.format(
            liberty="\n".join(f"read_liberty {path}" for path in corner["libraries"]),
            netlist=base / netlist,
            top=job["top"],
            sdc=step / f"{job['top']}.sdc",
            credit=int(credit),
            spef=directory / f"{job['top']}.spef",
        )
        (directory / "compare.tcl").write_text(script)
        command = [str(STA), "-no_splash", "-exit", str(directory / "compare.tcl")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        latest, _, earliest = done.stdout.partition("=== min")
        if not SLACK.search(latest) or not SLACK.search(earliest):
            raise AssertionError(done.stdout + done.stderr)
        ours = [(directory / name).read_text() for name in ("max.rpt", "min.rpt")]
        found.append(Corner(corner["name"], _both(ours[0], latest), _both(ours[1], earliest)))
    return found
