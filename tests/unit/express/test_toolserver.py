"""The process that forks for each step: output, exit codes, figures, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.needs("express")

if pytest.importorskip("librelane"):
    from a6hub_jupyter.express.flow import Express
    from a6hub_jupyter.express.steps.base import ExpressStep
    from a6hub_jupyter.express.steps.tools import ToolServer
    from a6hub_jupyter.express.toolserver import TOOLS

TOOL = "a6hub_jupyter.express.yosys"
"""A module of ours that can be run, and that says so when it is not given what it knows."""


@pytest.fixture
def server() -> Iterator[ToolServer]:
    started = ToolServer()
    yield started
    if psutil.pid_exists(started.pid):
        started.close()


def test_the_tools_of_all_steps_are_imported_ahead() -> None:
    assert {step.tool for step in Express.Steps if issubclass(step, ExpressStep)} == set(TOOLS)


def test_a_tool_runs_as_if_it_had_been_started(server: ToolServer, tmp_path: Path) -> None:
    document = tmp_path / "a.json"
    document.write_text('{"shown": [1]}')
    for _ in range(2):
        with server.start("json.tool", str(document), {**os.environ}) as output:
            assert '"shown": [' in output.read()
        ended = server.end()
        assert ended.code == 0
        assert ended.user + ended.system > 0
        assert ended.memory > 10_000_000


def test_environment_is_that_of_the_request_alone(server: ToolServer) -> None:
    for value in ("one", "two"):
        statement = "import os; raise LookupError(dict(os.environ))"
        with server.start("timeit", statement, {"A": value}) as output:
            assert f"LookupError: {{'A': '{value}'}}" in output.read()
        assert server.end().code == 1


def test_a_sentence_at_the_end_is_an_exit_code(server: ToolServer) -> None:
    with server.start(TOOL, "--nonsense", {**os.environ}) as output:
        assert output.read() == "yosys: the option --nonsense is not supported by the shim over the pyosys wheel.\n"
    assert server.end().code == 1


def test_a_fault_shows_where_it_was(server: ToolServer) -> None:
    with server.start("timeit", "raise LookupError('lost')", {**os.environ}) as output:
        assert "LookupError: lost" in output.read()
    assert server.end().code == 1


def test_a_tool_ends_with_what_started_it(server: ToolServer) -> None:
    with server.start("timeit", "import time; time.sleep(600)", {**os.environ}):
        process = psutil.Process(server.pid)
        child = process.children()[0]
        server.close()
        assert child.wait(timeout=20) is None
    assert not process.is_running()


def test_a_server_that_died_is_a_failed_tool(server: ToolServer) -> None:
    with server.start("timeit", "import time; time.sleep(0.2)", {**os.environ}) as output:
        psutil.Process(server.pid).kill()
        output.read()
    assert server.end().code == -9
    with pytest.raises(OSError, match=r"ended|[Bb]roken"):
        server.start("timeit", "0", {**os.environ})
