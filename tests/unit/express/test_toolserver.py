"""The process that forks for each step: output, exit codes, figures, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.unit.express import tinylib

pytestmark = pytest.mark.needs("express")

if pytest.importorskip("librelane"):
    from a6hub_jupyter.express.flow import Express
    from a6hub_jupyter.express.steps.base import ExpressStep
    from a6hub_jupyter.express.steps.serving import ToolServer
    from a6hub_jupyter.express.toolserver import TOOLS

PATIENCE = 120
"""Seconds in which a process surely ends, on a busy machine too."""
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


def test_libraries_are_read_while_nothing_is_asked_for(tmp_path: Path) -> None:
    """A tool finds the library read; a file that is not there does no harm."""
    tinylib.library(tmp_path)
    server = ToolServer([str(tmp_path / "missing.lib"), str(tmp_path / "tiny.lib")])
    said = (
        "from a6hub_jupyter.express.timing import cellreader\n"
        "found = cellreader._reader.cache_info().currsize\n"
        "raise LookupError(f'{found} files')"
    )
    try:
        for _ in range(PATIENCE):
            tool = server.start("timeit", said, {**os.environ})
            output = tool.output.read()
            assert tool.end().code == 1
            if "LookupError: 1 files" in output:
                break
            assert "LookupError: 0 files" in output
        else:
            pytest.fail("the library has not been read")
    finally:
        server.close()


def test_a_tool_runs_as_if_it_had_been_started(server: ToolServer, tmp_path: Path) -> None:
    document = tmp_path / "a.json"
    document.write_text('{"shown": [1]}')
    for _ in range(2):
        tool = server.start("json.tool", str(document), {**os.environ})
        assert '"shown": [' in tool.output.read()
        ended = tool.end()
        assert ended.code == 0
        assert ended.user + ended.system > 0
        assert ended.memory > 10_000_000


def test_tools_run_beside_each_other(server: ToolServer, tmp_path: Path) -> None:
    """The first ends only when the second has begun, which is over before it."""
    sign = tmp_path / "sign"
    waiting = f"import os\nwhile not os.path.exists({str(sign)!r}): pass\nraise LookupError('first')"
    first = server.start("timeit", waiting, {**os.environ})
    second = server.start("timeit", f"open({str(sign)!r}, 'w'); raise LookupError('second')", {**os.environ})
    assert "LookupError: second" in second.output.read()
    assert second.end().code == 1
    assert "LookupError: first" in first.output.read()
    assert first.end().code == 1


def test_a_tool_that_is_let_go_of_ends_and_the_others_do_not(server: ToolServer) -> None:
    slow = "import time; time.sleep(600)"
    process = psutil.Process(server.pid)
    kept = server.start("timeit", slow, {**os.environ})
    (first,) = process.children()
    dropped = server.start("timeit", slow, {**os.environ})
    (second,) = set(process.children()) - {first}
    dropped.kill()
    assert dropped.output.read() == ""
    assert dropped.end().code == -9
    assert second.wait(timeout=PATIENCE) is None
    assert first.is_running()
    kept.close()
    assert first.wait(timeout=PATIENCE) is None


def test_environment_is_that_of_the_request_alone(server: ToolServer) -> None:
    for value in ("one", "two"):
        tool = server.start("timeit", "import os; raise LookupError(dict(os.environ))", {"A": value})
        assert f"LookupError: {{'A': '{value}'}}" in tool.output.read()
        assert tool.end().code == 1


def test_a_sentence_at_the_end_is_an_exit_code(server: ToolServer) -> None:
    tool = server.start(TOOL, "--nonsense", {**os.environ})
    said = "yosys: the option --nonsense is not supported by the shim over the pyosys wheel.\n"
    assert tool.output.read() == said
    assert tool.end().code == 1


def test_a_fault_shows_where_it_was(server: ToolServer) -> None:
    tool = server.start("timeit", "raise LookupError('lost')", {**os.environ})
    assert "LookupError: lost" in tool.output.read()
    assert tool.end().code == 1


def test_tools_end_with_what_started_them(server: ToolServer) -> None:
    tools = [server.start("timeit", "import time; time.sleep(600)", {**os.environ}) for _ in range(2)]
    process = psutil.Process(server.pid)
    children = process.children()
    assert len(children) == len(tools)
    server.close()
    assert [child.wait(timeout=PATIENCE) for child in children] == [None, None]
    assert not process.is_running()
    assert [tool.end().code for tool in tools] == [-9, -9]


def test_a_server_that_died_is_a_failed_tool(server: ToolServer) -> None:
    tool = server.start("timeit", "import time; time.sleep(0.2)", {**os.environ})
    psutil.Process(server.pid).kill()
    tool.output.read()
    assert tool.end().code == -9
    with pytest.raises(OSError, match=r"ended|[Bb]roken"):
        server.start("timeit", "0", {**os.environ})
