"""LibreLane's reading and synthesis of the design, with what Yosys finds wrong said in a sentence."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from librelane.common import Path as ViewPath
from librelane.config import Variable
from librelane.state import DesignFormat
from librelane.steps import StepError, Yosys
from librelane.steps.step import DefaultOutputProcessor, OutputProcessor

from a6hub_jupyter.express import rtlreader
from a6hub_jupyter.express.steps.base import RTL
from a6hub_jupyter.express.steps.serving import prepare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from librelane.state import State

ERROR = re.compile(r"^(?:(?P<file>\S+?):(?P<line>\d+)(?:\.[\d.-]+)?: )?ERROR: ?(?P<text>.*)$", re.M)
NO_DRIVER = re.compile(r"^Warning: Wire (\S+) is used but has no driver", re.M)
MANY_DRIVERS = re.compile(r"^Warning: multiple conflicting drivers for (\S+):", re.M)
LOOP = re.compile(r"^Warning: found logic loop in module (\S+):((?:\n[ \t]+.*)*)", re.M)
SOURCE = re.compile(r"source: (\S+?):(\d+)")
SHOWN = 10

MEMORY_VARIABLE = Variable(
    "EXPRESS_MAX_MEMORY_BITS",
    int,
    "The most bits of one memory in the RTL: Express makes memories of flip-flops.",
    default=32768,
    units="bits",
)


def yosys_error(log: str, top: str, models: Mapping[str, str]) -> str | None:
    """One sentence for the error that ended a run of Yosys; None when there is none.

    `models`: the hard macro that each file of MACROS is for, by path.
    """
    match = ERROR.search(log)
    if match is None:
        return None
    if "No top module found" in match["text"]:
        return f"The module '{top}' is empty, or there is none of that name: DESIGN_NAME must name a module with logic."
    if "Multiple edge sensitive events" in match["text"]:
        return "A register listens to more than one edge of a clock: no cell does that; use one edge."
    place = f" ({Path(match['file']).name}, line {match['line']})" if match["file"] else ""
    text = match["text"].strip().rstrip(".!").replace("`\\", "'")
    if match["file"] in models:
        name = models[match["file"]]
        return (
            f"Yosys cannot read the model of the macro {name}: {text}{place}. Give MACROS a file in its place that has "
            f"the module {name} with its ports and nothing within."
        )
    return f"Yosys cannot build this: {text}{place}. Change the Verilog there to what can be synthesised."


def check_findings(report: str) -> list[str]:
    """Sentences for what Yosys' `check` reports."""
    found = [f"Nothing drives the wire {name.replace(chr(92), '')}: drive it." for name in NO_DRIVER.findall(report)]
    found += [
        f"More than one thing drives {name.replace(chr(92), '')}: leave one." for name in MANY_DRIVERS.findall(report)
    ]
    for module, cells in LOOP.findall(report):
        lines = {f"{Path(file).name}, line {line}" for file, line in SOURCE.findall(cells)}
        place = f" ({'; '.join(sorted(lines))})" if lines else ""
        found.append(f"The module {module} has a combinational loop{place}: break it with a register.")
    return list(dict.fromkeys(found))


def large_memories(header: dict[str, Any], most: int) -> list[str]:
    """Sentences for the memories of a JSON header that have more than `most` bits."""
    found = []
    for module in header.get("modules", {}).values():
        for name, memory in module.get("memories", {}).items():
            bits = int(memory["width"]) * int(memory["size"])
            if bits > most:
                found.append(
                    f"The memory {name} has {bits:,} bits, which Express would make of as many flip-flops: make it "
                    f"smaller, use an SRAM macro, or raise EXPRESS_MAX_MEMORY_BITS (now {most:,})."
                )
    return found


class Headlines(OutputProcessor):  # type: ignore[misc]
    """Keeps from the console what Yosys says in passing: writing a line there costs more than Yosys needs to say it.

    Passes, warnings, errors and the statistics are shown; the log of the step has everything.
    """

    key = "headlines"
    SHOWN = re.compile(
        r"%OL_|\d+(\.\d+)*\. |.*(Warning|ERROR|[Ee]rror:)|=== |\s+\d+ +([\d.E+]+ +\w|- \w)|\s+Chip area|.*%\)$"
    )

    def process_line(self, line: str) -> bool:
        """Consume what is not shown."""
        return self.SHOWN.match(line) is None

    def result(self) -> None:
        """Nothing."""


class Speaking:
    """Runs a step of Yosys; what ends it becomes one sentence."""

    output_processors = (Headlines, DefaultOutputProcessor)

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """As the step does. Raises StepError with what Yosys says."""
        step: Any = super()
        try:
            result: tuple[dict[Any, Any], dict[str, Any]] = step.run(state_in, **kwargs)
        except subprocess.CalledProcessError:
            me: Any = self
            log = Path(me.get_log_path())
            macros = (me.config.get("MACROS") or {}).items()
            models = {str(path): name for name, macro in macros for path in [*macro.nl, *macro.vh]}
            said = log.read_text(errors="replace") if log.exists() else ""
            sentence = yosys_error(said, me.config["DESIGN_NAME"], models)
            if sentence is None:
                raise
            raise StepError(sentence) from None
        return result


class JsonHeader(Speaking, Yosys.JsonHeader):  # type: ignore[misc]
    """Reads the design; refuses memories that are too large for flip-flops."""

    config_vars = [*Yosys.JsonHeader.config_vars, MEMORY_VARIABLE]  # noqa: RUF012
    outputs = [*Yosys.JsonHeader.outputs, RTL]  # noqa: RUF012

    def get_script_path(self) -> str:
        """LibreLane's script, and the design with all its names."""
        return rtlreader.__file__

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Read the design and look at its memories; the tools of later steps are imported meanwhile."""
        prepare()
        views, metrics = super().run(state_in, **kwargs)
        header = json.loads(Path(str(views[DesignFormat.JSON_HEADER])).read_text())
        large = large_memories(header, self.config["EXPRESS_MAX_MEMORY_BITS"])
        if large:
            raise StepError(large[0])
        rtl = Path(self.step_dir) / rtlreader.RTL_FILE
        return {**views, **({RTL: ViewPath(str(rtl))} if rtl.exists() else {})}, metrics


class Synthesis(Speaking, Yosys.Synthesis):  # type: ignore[misc]
    """Synthesises the design, and names what its checks find."""

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Synthesise; the checker that follows stops the flow."""
        views, metrics = super().run(state_in, **kwargs)
        if metrics.get("synthesis__check_error__count"):
            reports = (Path(self.step_dir) / "reports").glob("*chk.rpt")
            for sentence in check_findings("\n".join(p.read_text(errors="replace") for p in reports))[:SHOWN]:
                self.err(sentence)
        return views, metrics
