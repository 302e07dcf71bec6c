"""Presets from Python, end to end: a user's, a project's and an administrator's, in a build, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..conftest import DOUBLE
from .conftest import COUNTER
from .live import live_server

NOTEBOOK = """
import json
import a6hub_jupyter as a6hub
from a6hub_jupyter.client.errors import A6HubError

design = a6hub.Design("counter", verilog_files="counter.v", clock_port="clk", clock_period=10)
said = {}

def refused(name, do):
    try:
        do()
    except A6HubError as error:
        said[name] = str(error)
    else:
        said[name] = None

def scopes():
    return a6hub.presets()["scope"].to_dict()

def utilisation():
    return list(design.validate().resolved.loc["FP_CORE_UTIL"])

said["at first"] = scopes()
design.preset("course", "tight")
refused("before it is saved", design.build)
a6hub.save_preset("tight", {"FP_CORE_UTIL": 61, "EXPRESS_EFFORT": 5}, description="For small dies.")
said["of the user"] = utilisation()
a6hub.save_preset("tight", {"FP_CORE_UTIL": 62}, directory=".")
said["of the project"] = utilisation()
said["listed"] = scopes()
said["described"] = a6hub.presets().loc["course", "description"]
build = design.build(PL_TARGET_DENSITY_PCT=70)
build.wait()
said["build"] = {k: build.refresh()[k] for k in ("state", "presets", "origins")}
said["config"] = build.refresh()["config"]
a6hub.delete_preset("tight", directory=".")
said["of the user again"] = utilisation()
a6hub.save_preset("tight", {"FP_CORE_UTIL": 63})
said["changed"] = utilisation()
again = build.retry()
again.wait()
said["retried"] = again.refresh()["config"]["FP_CORE_UTIL"]
a6hub.delete_preset("tight")
refused("after it is deleted", design.build)
said["at last"] = scopes()

for name in ("", "..", "../tight", "a b", "-x", "x" * 65, "balanced", "a/b"):
    refused(f"name {name}", lambda: a6hub.save_preset(name, {"FP_CORE_UTIL": 60}))
refused("unknown", lambda: a6hub.save_preset("mine", {"FP_CORE_UTL": 60}))
refused("type", lambda: a6hub.save_preset("mine", {"FP_CORE_UTIL": "full"}))
refused("empty", lambda: a6hub.save_preset("mine", {}))
refused("delete the course's", lambda: a6hub.delete_preset("course"))
refused("delete ours", lambda: a6hub.delete_preset("minimal"))
refused("delete none", lambda: a6hub.delete_preset("nothing"))
refused("delete nameless", lambda: a6hub.delete_preset(".."))
refused("no directory", lambda: a6hub.save_preset("mine", {"FP_CORE_UTIL": 60}, directory="nowhere"))
said["after all"] = scopes()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, pdk_root: Path) -> dict[str, Any]:
    """What the notebook has seen; ``files`` are the presets that lie in the design in the end."""
    directory = tmp_path_factory.mktemp("presets")
    (directory / "admin").mkdir()
    course = {"description": "The course's.", "config": {"FP_CORE_UTIL": 20, "EXPRESS_EFFORT": 2}}
    (directory / "admin" / "course.json").write_text(json.dumps(course))
    with live_server(directory, pdk_root, DOUBLE, preset_dirs=[str(directory / "admin")]) as server:
        (server.root / "counter.v").write_text(COUNTER)
        environment = {
            **{k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
            **{f"JUPYTER_{n.upper()}_DIR": str(directory / n) for n in ("config", "data", "runtime")},
        }
        command = [sys.executable, "-c", NOTEBOOK]
        done = subprocess.run(command, cwd=server.root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        files = [str(p) for p in (server.root / "a6hub").rglob("*") if p.is_file()]
    return {**json.loads(done.stdout.splitlines()[-1]), "files": files}


OURS = dict.fromkeys(("minimal", "balanced", "high_quality"), "builtin")


def test_the_nearest_preset_of_a_name_counts(said: dict[str, Any]) -> None:
    assert said["at first"] == {**OURS, "course": "admin"}
    assert said["of the user"] == [61, "preset tight"]
    assert said["of the project"] == [62, "preset tight"]
    assert said["listed"] == {**OURS, "course": "admin", "tight": "project"}
    assert said["described"] == "The course's."
    assert said["of the user again"] == [61, "preset tight"]
    assert said["changed"] == [63, "preset tight"]
    assert said["at last"] == said["after all"] == said["at first"]
    assert said["files"] == []


def test_a_build_uses_presets_and_keeps_what_they_were(said: dict[str, Any]) -> None:
    assert said["build"]["state"] == "succeeded"
    assert said["build"]["presets"] == ["course", "tight"]
    assert said["build"]["origins"]["FP_CORE_UTIL"] == "preset tight"
    assert said["build"]["origins"]["EXPRESS_EFFORT"] == "preset course"
    assert said["build"]["origins"]["CLOCK_PERIOD"] == "explicit"
    assert (said["config"]["FP_CORE_UTIL"], said["config"]["EXPRESS_EFFORT"]) == (62, 2)
    assert said["retried"] == 62
    assert "There is no preset 'tight'." in said["before it is saved"]
    assert "There is no preset 'tight'." in said["after it is deleted"]


@pytest.mark.parametrize("name", ["", "..", "../tight", "a b", "-x", "x" * 65, "a/b"])
def test_a_bad_name_is_refused_with_a_sentence(said: dict[str, Any], name: str) -> None:
    assert str(said[f"name {name}"]).startswith("name: This is no name for a preset. Use letters, digits, '_' and '-'")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("name balanced", "name: 'balanced' is a preset that comes with a6hub-jupyter. Choose another name."),
        ("unknown", "FP_CORE_UTL: LibreLane has no variable 'FP_CORE_UTL'. Did you mean FP_CORE_UTIL?"),
        ("type", 'FP_CORE_UTIL is "full", which is not a number.'),
        ("empty", "config: A preset needs values."),
        ("delete the course's", "name: There is no user preset 'course'."),
        ("delete ours", "name: 'minimal' is a preset that comes with a6hub-jupyter."),
        ("delete none", "name: There is no user preset 'nothing'."),
        ("delete nameless", "name: This is no name for a preset."),
        ("no directory", "design_dir: The design directory"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(said: dict[str, Any], case: str, words: str) -> None:
    assert words in (said[case] or "nothing was refused")
