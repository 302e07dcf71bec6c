"""What the documentation says of presets, steps and substitutions, run for real on Express."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from a6hub_jupyter import express
from a6hub_jupyter.builds.progress import slug
from a6hub_jupyter.librelane.presets import OURS
from a6hub_jupyter.toolchains.inspecting import InspectorWorker

from ..conftest import ROOT
from ..server.conftest import COUNTER
from ..server.live import live_server

if TYPE_CHECKING:
    from tests.flow.conftest import Pdk

pytestmark = pytest.mark.needs("express")

CLOCKED = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}


def inspect(directory: Path, pdk: Pdk, *presets: str, **changes: Any) -> dict[str, Any]:
    """Return what the server's check makes of the design, as for a build."""
    config = json.loads((directory / "config.json").read_text())
    meta = {"version": 2, **config.pop("meta", {})}
    question = {
        "kind": "check",
        "flow": "Express",
        "config": config,
        "meta": meta,
        "presets": [{"name": n, "config": OURS[n].config} for n in presets],
        "design_dir": str(directory),
        "pdk": pdk.name,
        "pdk_root": str(pdk.root),
        "scl": None,
        "from_step": None,
        "to_step": None,
        "skip": [],
        **changes,
    }

    async def ask() -> dict[str, Any]:
        worker = InspectorWorker(express.environment(sys.executable, os.environ), 60)
        try:
            return await worker.ask(question)
        finally:
            await worker.close()

    answer = asyncio.run(ask())
    assert answer["errors"] == []
    return answer


def run(directory: Path, pdk: Pdk, *arguments: str, config: dict[str, Any], tag: str = "run") -> list[str]:
    """Run LibreLane on a configuration, which must succeed; return the steps that it ran, in order, by directory."""
    (directory / "chosen.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "librelane", "--manual-pdk", "--pdk-root", str(pdk.root), "--pdk", pdk.name]
    command += ["--run-tag", tag, "--hide-progress-bar", *arguments, "chosen.json"]
    result = subprocess.run(
        command,
        cwd=directory,
        env=express.environment(sys.executable, os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    names = [path.parent.name.partition("-") for path in (directory / "runs" / tag).glob("*-*/state_in.json")]
    return [name for number, _, name in sorted(names, key=lambda n: int(n[0]))]


def slugs(steps: list[Any]) -> list[str]:
    """Return the names of the directories of steps."""
    return [slug(s if isinstance(s, str) else s["id"]) for s in steps]


@pytest.mark.parametrize("preset", OURS)
def test_every_preset_makes_a_chip(preset: str, design: Callable[..., Path], sky130: Pdk) -> None:
    directory = design("counter", **CLOCKED)
    answer = inspect(directory, sky130, preset)
    assert answer["origins"]["EXPRESS_EFFORT"] == f"preset {preset}"
    assert answer["origins"]["CLOCK_PERIOD"] == "explicit"
    steps = run(directory, sky130, "--flow", "Express", config={"meta": {"version": 2}, **answer["config"]})
    assert steps == slugs(answer["steps"])
    metrics = json.loads((directory / "runs" / "run" / "final" / "metrics.json").read_text())
    assert metrics["design__lvs_error__count"] == metrics["klayout__drc_error__count"] == 0
    assert metrics["timing__setup__ws"] > 0  # also *minimal* estimates: it costs little, and the slack teaches
    resolved = json.loads((directory / "runs" / "run" / "resolved.json").read_text())
    assert resolved["EXPRESS_EFFORT"] == OURS[preset].config["EXPRESS_EFFORT"]


def test_from_to_and_skip_run_what_was_told(design: Callable[..., Path], sky130: Pdk) -> None:
    directory = design("counter", **CLOCKED)
    config = {"meta": {"version": 2}, **inspect(directory, sky130)["config"]}
    front = {"to_step": "Express.Placement", "skip": ["Verilator.Lint", "Checker.LintWarnings"]}
    told = slugs(inspect(directory, sky130, **front)["steps"])
    arguments = ["--flow", "Express", "--to", "Express.Placement"]
    arguments += ["--skip", "Verilator.Lint", "--skip", "Checker.LintWarnings"]
    assert run(directory, sky130, *arguments, config=config) == told
    # the rest goes on in the same run directory, first one step alone, then to the end without two checks
    only = {"from_step": "Express.ClockTree", "to_step": "Express.ClockTree"}
    told += slugs(inspect(directory, sky130, **only)["steps"])
    arguments = ["--flow", "Express", "--from", "Express.ClockTree", "--to", "Express.ClockTree"]
    assert run(directory, sky130, *arguments, config=config) == told
    back = {"from_step": "Express.PowerGrid", "skip": ["KLayout.Render", "Checker.TrDRC"]}
    told += slugs(inspect(directory, sky130, **back)["steps"])
    arguments = [
        "--flow",
        "Express",
        "--from",
        "Express.PowerGrid",
        "--skip",
        "KLayout.Render",
        "--skip",
        "Checker.TrDRC",
    ]
    assert run(directory, sky130, *arguments, config=config) == told
    assert (directory / "runs" / "run" / "final" / "gds").is_dir()


def test_substituted_and_listed_steps_run_in_that_order(design: Callable[..., Path], sky130: Pdk) -> None:
    substitutions = [
        ["Checker.LintWarnings", None],
        ["+Express.Placement", "Express.Placement"],
        ["KLayout.Render", None],
    ]
    meta = {"version": 2, "flow": "Express", "substituting_steps": substitutions}
    directory = design("counter", **CLOCKED, meta=meta)
    answer = inspect(directory, sky130)
    told = slugs(answer["steps"])
    assert "express-placement-1" in told
    assert run(directory, sky130, config={"meta": meta, **answer["config"]}) == told
    listed: dict[str, Any] = {
        "version": 2,
        "flow": ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis", "Express.Floorplan"],
    }
    config = {"meta": listed, **answer["config"]}
    assert run(directory, sky130, config=config, tag="listed") == slugs(list(listed["flow"]))


def documented() -> list[dict[str, Any]]:
    """Return what each ``design.validate(...)`` of the page's section on steps is called with, in order."""
    text = (ROOT / "docs" / "configuration.md").read_text().partition("## Which steps run")[2].partition("\n## ")[0]
    named: dict[str, Any] = {}
    calls = []
    for statement in ast.parse("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            named[statement.targets[0].id] = ast.literal_eval(statement.value)
            continue
        call = next(node for node in ast.walk(statement) if isinstance(node, ast.Call))
        given = {k.arg or "": k.value for k in call.keywords}
        calls.append({k: named[v.id] if isinstance(v, ast.Name) else ast.literal_eval(v) for k, v in given.items()})
    return calls


NOTEBOOK = """
import json, sys
import a6hub_jupyter as a6hub

design = a6hub.Design("counter", verilog_files="counter.v", clock_port="clk", clock_period=10)
base, said = None, []
for given in json.loads(sys.argv[1]):
    in_the_middle = "from_step" in given or "only" in given
    build = base.resume(**given) if in_the_middle else design.build(**given)
    build.wait()
    assert build.state == "succeeded", (given, build.error, build.log()[-2000:])
    base = base or build
    steps = build.steps
    ran = list(steps.index[steps["state"] == "done"])
    said.append([ran, design.validate(**given).steps])
print(json.dumps(said))
"""


def test_what_the_page_says_of_steps_is_what_runs(tmp_path: Path, sky130: Pdk) -> None:
    calls = documented()
    assert {"to_step", "from_step", "only", "skip", "substituting_steps", "flow"} <= {k for c in calls for k in c}
    with live_server(tmp_path, sky130.root, None, build_memory=1 << 31) as server:
        (server.root / "counter.v").write_text(COUNTER)
        names = {f"JUPYTER_{n.upper()}_DIR": str(tmp_path / n) for n in ("config", "data", "runtime")}
        environment = {**{k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"}, **names}
        command = [sys.executable, "-c", NOTEBOOK, json.dumps(calls)]
        done = subprocess.run(command, cwd=server.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for given, (ran, told) in zip(calls, json.loads(done.stdout.splitlines()[-1]), strict=True):
        assert (given, ran) == (given, told)
