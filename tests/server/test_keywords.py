"""Keywords of ``Design`` and ``build`` that nobody knows: a TypeError, which names the nearest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ..conftest import DOUBLE
from .conftest import COUNTER
from .live import live_server

NOTEBOOK = """
import asyncio
import json
import a6hub_jupyter as a6hub
from a6hub_jupyter import Design

def said(make):
    try:
        made = make()
    except TypeError as error:
        return ["TypeError", str(error)]
    except Exception as error:
        return [type(error).__name__, str(error)]
    return [type(made).__name__, str(made)]

def design(**more):
    return Design("counter", verilog_files="counter.v", clock_port="clk", clock_period=10, **more)

def later():
    one = design()
    one.config["FP_CORE_UTL"] = 40
    return one.build()

async def form_of_another_flow(meta):
    one = design()
    form = a6hub.ConfigForm(one)
    one.config["meta"] = meta
    for _ in range(300):
        await asyncio.sleep(0.1)
        if "EXPRESS_EFFORT" not in form._variables or form._answer["errors"]:
            break
    return sorted(form._variables), [e["field"] for e in form._answer["errors"]]

print(json.dumps({
    "Design": said(lambda: design(FP_CORE_UTL=40).build()),
    "build": said(lambda: design().build(FP_CORE_UTL=40)),
    "Design, validate": said(lambda: design(FP_CORE_UTL=40).validate()),
    "validate": said(lambda: design().validate(FP_CORE_UTL=40)),
    "option of Design": said(lambda: design(pkd="sky130A")),
    "option of build": said(lambda: design().build(form_step="x")),
    "config of build": said(lambda: design().build(config={"FP_CORE_UTL": 40})),
    "config of validate": said(lambda: design().validate(config={"FP_CORE_UTL": 40})),
    "set later": said(later),
    "a bad value": said(lambda: design().build(FP_CORE_UTIL="much")),
    "variables of a list": sorted(a6hub.variables(["Verilator.Lint"]).index),
    "variables without a step": sorted(a6hub.variables("Express", substituting_steps={"Verilator.Lint": None}).index),
    "rows of a form": sorted(a6hub.ConfigForm(design(), flow=["Verilator.Lint"])._variables),
    "rows after a change of flow": asyncio.run(form_of_another_flow({"flow": ["Verilator.Lint"]})),
    "a flow that is none": asyncio.run(form_of_another_flow(5)),
    "right": said(lambda: design(FP_CORE_UTIL=40).validate()),
}))
"""


def test_a_keyword_that_nobody_knows_is_a_type_error(tmp_path: Path, pdk_root: Path) -> None:
    with live_server(tmp_path / "server", pdk_root, DOUBLE) as server:
        directory = server.root / "counter"
        directory.mkdir()
        (directory / "counter.v").write_text(COUNTER)
        state = server.root.parent
        environment = {
            **{k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
            **{f"JUPYTER_{n.upper()}_DIR": str(state / n) for n in ("config", "data", "runtime")},
        }
        done = subprocess.run(
            [sys.executable, "-c", NOTEBOOK], cwd=directory, env=environment, capture_output=True, text=True, check=True
        )
    said = json.loads(done.stdout)
    for case in ("Design", "build", "Design, validate", "validate"):
        kind, text = said[case]
        assert kind == "TypeError", said[case]
        assert "Did you mean FP_CORE_UTIL" in text
    assert said["option of Design"] == ["TypeError", "Design() has no option 'pkd'. Did you mean 'pdk'?"]
    assert said["option of build"] == ["TypeError", "build() has no option 'form_step'. Did you mean 'from_step'?"]
    for case in ("config of build", "set later"):  # no keywords: refused like any value
        assert said[case][0] == "RequestRefusedError", said[case]
        assert "Did you mean FP_CORE_UTIL" in said[case][1]
    assert said["a bad value"][0] == "RequestRefusedError"
    assert said["config of validate"][0] == said["right"][0] == "Validation"
    assert "Did you mean FP_CORE_UTIL" in said["config of validate"][1]
    assert "LINTER_INCLUDE_PDK_MODELS" in said["variables of a list"]
    assert "EXPRESS_EFFORT" not in said["variables of a list"]
    assert "EXPRESS_EFFORT" in said["variables without a step"]
    assert "LINTER_INCLUDE_PDK_MODELS" not in said["variables without a step"]
    assert said["rows of a form"] == said["variables of a list"]
    assert said["rows after a change of flow"] == [said["variables of a list"], []]
    assert said["a flow that is none"][1] == ["config.meta"]
    assert "EXPRESS_EFFORT" in said["a flow that is none"][0]
    assert said["right"][1].startswith("valid")
