"""Configurations that are wrong in one place, made from LibreLane's own variables: each is refused there.

``A6HUB_BAD_CONFIGS=1000`` tries that many.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ..conftest import DOUBLE
from .conftest import COUNTER
from .live import LiveServer, live_server

EXAMPLES = int(os.environ.get("A6HUB_BAD_CONFIGS", "300"))
GOOD = {"DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::counter.v"], "CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}
OURS = {"PDK", "PDK_ROOT", "STD_CELL_LIBRARY", "DESIGN_DIR"}
TEXT = st.text("abcdefgh", min_size=1, max_size=12)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pdk_root: Path) -> Iterator[LiveServer]:
    """A server with a design."""
    directory = tmp_path_factory.mktemp("bad")
    design = directory / "root" / "course"
    design.mkdir(parents=True)
    (design / "counter.v").write_text(COUNTER)
    with live_server(directory, pdk_root, DOUBLE) as server:
        yield server


def wrong(kind: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a type cannot have."""
    never = {
        "boolean": TEXT | st.integers(2, 9),
        "integer": TEXT | st.floats(1.1, 1.9),
        "decimal": TEXT | st.booleans(),
    }
    never |= {"string": st.integers() | st.booleans(), "path": TEXT.map("dir::no-{}".format), "choice": TEXT}
    number = st.integers(0, 99)
    if kind["kind"] in never:
        return never[kind["kind"]]
    if kind["kind"] == "list":
        return number | TEXT.map("no::{}".format) | wrong(kind["items"]).map(lambda v: [v])
    if kind["kind"] == "tuple":
        return number | st.just([1])
    return number | st.booleans()


@st.composite
def changes(draw: st.DrawFn, variables: list[dict[str, Any]]) -> tuple[str, Any]:
    """Return a name and a value that LibreLane must not take."""
    variable = draw(st.sampled_from(variables))
    name, kind = variable["name"], variable["type"]
    if draw(st.integers(0, 5)) == 0:  # a name with a letter too few
        at = draw(st.integers(0, len(name) - 1))
        misspelt = name[:at] + name[at + 1 :]
        if misspelt not in {v["name"] for v in variables} and "_OPT" not in misspelt:
            return misspelt, 1
    if draw(st.integers(0, 7)) == 0 and not kind["optional"]:
        return name, None
    if kind["kind"] == "union":
        return name, draw(st.booleans())
    return name, draw(wrong(kind))


@pytest.mark.timeout(300)
def test_each_is_refused_by_its_field_and_starts_nothing(server: LiveServer) -> None:
    known: list[dict[str, Any]] = server.call("GET", "/flows/Express/variables").json()["variables"]
    variables = [v for v in known if v["name"] not in OURS]
    children = {p.pid for p in psutil.Process().children(recursive=True)}
    tried: set[str] = set()

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(changes(variables))
    def refused(change: tuple[str, Any]) -> None:
        name, value = change
        tried.add(name)
        body = {"design_dir": "course", "config": {**GOOD, name: value}}
        answer = server.call("POST", "/builds", json=body)
        assert answer.status_code == 422, (name, value, answer.text)
        fields = {e["field"] for e in answer.json()["errors"]}
        assert f"config.{name}" in fields, (name, value, answer.text)
        assert all(e["message"] and e["remedy"] for e in answer.json()["errors"])
        assert "Traceback" not in answer.text

    refused()
    assert len(tried) > min(100, EXAMPLES // 4)
    assert server.call("GET", "/builds").json()["builds"] == []
    assert not (server.root / "course" / "runs").exists()
    assert started_since(children) == []


def started_since(known: set[int]) -> list[str]:
    """The command lines of what has been started since and is still at work, but for what holds LibreLane."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended
            found.append("" if process.pid in known else " ".join(process.cmdline()))
    return [command for command in found if command and "inspector" not in command]
