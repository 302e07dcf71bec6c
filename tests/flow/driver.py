"""The steps of the Express flow in one process: LibreLane's own step objects, without its start for each design.

The tools of Express run in this process too, as `python -m` would run them; everything else is the real thing.

    python -m tests.flow.driver WORK.json

reads {pdk, directory, lint, designs: [{top, verilog, settings, to}]} (`to`: the last step, if not all) and prints one
JSON line for each design, with its metrics or the sentence that refuses it. It is meant to be a process of its own:
it changes the step class.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import runpy
import subprocess
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.flow.conftest import Pdk

ROOT = Path(__file__).resolve().parents[2]
METRIC = re.compile(r"^%OL_METRIC_([IF]) (\S+) (\S+)$", re.M)
LINT = ("Verilator.Lint", "Checker.Lint", "Yosys.JsonHeader")


class Driver:
    """Builds designs for one PDK."""

    def __init__(self, pdk: Pdk, directory: Path, *, lint: bool) -> None:
        from a6hub_jupyter import express

        os.environ.update(express.environment(sys.executable, os.environ))
        sys.path.insert(0, str(express.PLUGIN_DIRECTORY))
        from librelane.common import Toolbox
        from librelane.config import Config
        from librelane.logging import set_log_level

        from a6hub_jupyter.express.flow import Express
        from a6hub_jupyter.express.steps.base import ExpressStep

        set_log_level("ERROR")
        ExpressStep.run = _run_in_this_process  # type: ignore[method-assign]
        self._toolbox = Toolbox(str(directory / "toolbox"))
        self._directory = directory
        self.current = ""
        flow = Express.__new__(Express)
        variables = flow.get_all_config_variables()
        (directory / "nothing.v").write_text("")
        self._config, _ = Config.load(
            {"DESIGN_NAME": "nothing", "VERILOG_FILES": [str(directory / "nothing.v")]},
            variables,
            design_dir=str(directory),
            pdk=pdk.name,
            scl=pdk.library,
            pdk_root=str(pdk.root),
        )
        left_out = ("KLayout.Render", *(() if lint else LINT))
        self.steps = [step for step in Express.Steps if not step.id.startswith(left_out)]

    def build(self, top: str, verilog: str, last: str | None = None, **settings: Any) -> dict[str, Any]:
        """The metrics at the end of the flow, or after the step `last`; a step that fails raises."""
        from librelane.common import Path as ViewPath
        from librelane.state import State

        directory = self._directory / top
        directory.mkdir()
        source = directory / f"{top}.v"
        source.write_text(verilog)
        macros = {cell: self._macro(cell, places) for cell, places in settings.pop("MACROS", {}).items()}
        if macros:
            settings["MACROS"] = macros
        config = self._config.copy(DESIGN_NAME=top, VERILOG_FILES=[ViewPath(str(source))], **settings)
        state = State()
        with (directory / "log").open("w") as log, contextlib.redirect_stdout(log):
            for number, cls in enumerate(self.steps):
                self.current = cls.id
                step = cls(config=config, state_in=state)
                state = step.start(self._toolbox, str(directory / f"{number:02}-{cls.id.replace('.', '-').lower()}"))
                if cls.id == last:
                    break
        return dict(state.metrics)

    def _macro(self, cell: str, places: dict[str, list[Any]]) -> Any:
        """A design that this driver built before, as a hard macro. `places`: by instance x, y (um) and orientation."""
        from librelane.common import Path as ViewPath
        from librelane.config.variable import Instance, Macro, Orientation

        def view(name: str) -> list[Any]:
            return [ViewPath(str(max((self._directory / cell).glob(f"*/{cell}.{name}"))))]

        instances = {
            name: Instance((Decimal(x), Decimal(y)), Orientation[orientation])
            for name, (x, y, orientation) in places.items()
        }
        models = {
            path.parent.name: [ViewPath(str(path))] for path in (self._directory / cell).glob(f"*/*/{cell}__*.lib")
        }
        return Macro(gds=view("gds"), lef=view("lef"), nl=view("nl.v"), lib=models, instances=instances)


def _run_in_this_process(self: Any, state_in: Any, **_: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
    from librelane.steps import StepError

    from a6hub_jupyter.express.job import PROBLEM_FILE

    path = self.job(state_in).save()
    log = Path(self.step_dir) / "output.log"
    kept = sys.argv
    sys.argv = [self.tool, str(path)]
    try:
        with log.open("w") as output, contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a tool may have been imported by another
            runpy.run_module(f"a6hub_jupyter.express.{self.tool}", run_name="__main__")
    except SystemExit:
        problem = Path(self.step_dir) / PROBLEM_FILE
        raise StepError(problem.read_text() if problem.exists() else log.read_text()) from None
    finally:
        sys.argv = kept
    found = METRIC.findall(log.read_text())
    return self.views(), {name: int(value) if kind == "I" else float(value) for kind, name, value in found}


def drive(pdk: Pdk, directory: Path, designs: list[dict[str, Any]], *, lint: bool = False) -> subprocess.Popen[str]:
    """Start a process that builds designs; `results` waits for it."""
    directory.mkdir(parents=True, exist_ok=True)
    work = directory / "work.json"
    root = {"root": str(pdk.root), "name": pdk.name, "library": pdk.library}
    work.write_text(json.dumps({"pdk": root, "directory": str(directory), "lint": lint, "designs": designs}))
    command = [sys.executable, "-m", "tests.flow.driver", str(work)]
    with (directory / "stderr").open("w") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)


def results(process: subprocess.Popen[str]) -> dict[str, dict[str, Any]]:
    """By top module: {"metrics": ...} or {"refused": sentence, "by": step}."""
    with process:
        output, _ = process.communicate()
    found = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert process.returncode == 0, output
    return {each.pop("top"): each for each in found}


def main(path: str) -> None:
    work = json.loads(Path(path).read_text())
    pdk = Pdk(Path(work["pdk"]["root"]), work["pdk"]["name"], work["pdk"]["library"])
    driver = Driver(pdk, Path(work["directory"]), lint=work["lint"])
    from librelane.steps import StepError

    for design in work["designs"]:
        result: dict[str, Any] = {"top": design["top"]}
        try:
            metrics = driver.build(design["top"], design["verilog"], design.get("to"), **design["settings"])
            result["metrics"] = {name: float(v) for name, v in metrics.items() if isinstance(v, (int, float, Decimal))}
        except StepError as error:
            result |= {"refused": str(error), "by": driver.current}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
