"""The router is compiled once, for all that a design will call, and nobody compiles what another is compiling."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("numba")

from a6hub_jupyter import express
from a6hub_jupyter.express import precompile

ROUTE = """
import json, sys, types
from numba.core.dispatcher import Dispatcher
from a6hub_jupyter.express import conflicts, maze, precompile, rerouting, routes
from a6hub_jupyter.express.router import Router

def compiled():
    found = [f for m in (conflicts, maze, rerouting, routes) for f in vars(m).values() if isinstance(f, Dispatcher)]
    return {f.py_func.__qualname__: len(f.signatures) for f in found if f.signatures}

precompile.exercise()
before = compiled()
from tests.unit.express.crowd import crowd
crowd()
print(json.dumps([before, compiled()]))
"""


def test_two_that_need_it_compile_it_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    turns: list[str] = []

    def slow() -> None:
        turns.append("begun")
        time.sleep(0.2)
        turns.append("done")

    monkeypatch.setattr(precompile, "exercise", slow)
    assert not precompile.is_compiled()
    both = [threading.Thread(target=precompile.ready) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert turns == ["begun", "done"]
    assert precompile.is_compiled()
    (tmp_path / "elsewhere").write_text("no directory")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere" / "numba"))
    precompile.ready()
    assert not precompile.is_compiled()


def test_nothing_is_left_to_compile_for_a_design() -> None:
    environment = express.environment(sys.executable, os.environ)
    done = subprocess.run(
        [sys.executable, "-c", ROUTE],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout.splitlines()[-1])
    assert len(before) > 5
    assert after == before
