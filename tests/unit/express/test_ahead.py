"""Checks that begin before their turn: which, when, and what becomes of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.express.jobs import job

pytestmark = pytest.mark.needs("express")

if pytest.importorskip("librelane"):
    from a6hub_jupyter.express.flow import Express
    from a6hub_jupyter.express.steps import serving
    from a6hub_jupyter.express.steps.ahead import Ahead


class Check:
    """As much of a step as is looked at: its tool is one that prints its job."""

    id = "Test.Check"
    begins_after = "Test.Before"
    module = "json.tool"
    step_dir = ""

    def __init__(self, config: Any, state_in: Any) -> None:
        self.toolbox = None

    def job(self, state: dict[str, str]) -> Any:
        return job(Path(self.step_dir), **state)

    def extract_env(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        return kwargs, {**os.environ}


class Other(Check):
    id = "Test.Other"


class Unbounded(Check):
    """Its tool comes to no end: it reads what it is to format from a pipe that nobody writes to."""

    id = "Test.Unbounded"

    def job(self, state: dict[str, str]) -> Any:
        pipe = Path(self.step_dir).parent / "pipe"
        pipe.parent.mkdir()
        os.mkfifo(pipe)
        return SimpleNamespace(step_directory=self.step_dir, save=lambda: pipe)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    server = serving.ToolServer()
    monkeypatch.setattr("a6hub_jupyter.express.steps.ahead.prepared", lambda: server)

    def made(*steps: type[Check], most: int = 1) -> Ahead:
        return Ahead(steps, None, None, tmp_path / "ahead", most)  # type: ignore[arg-type]

    yield made
    server.close()


def own_job(directory: Path, **state: str) -> Any:
    directory.mkdir(exist_ok=True)
    return job(directory, **state)


def test_a_check_begins_after_its_step_and_is_taken_over(checks: Any, tmp_path: Path) -> None:
    ahead = checks(Check)
    mine: Any = Check(None, None)
    ahead.after("Test.Earlier", {"top": "spm"})
    assert ahead.taken(mine, own_job(tmp_path / "mine", top="spm")) is None
    ahead.after("Test.Before", {"top": "spm"})
    begun = ahead.taken(mine, own_job(tmp_path / "mine", top="spm"))
    assert any('"top": "spm"' in line for line in list(begun.lines()))
    assert begun.ended.code == 0
    (begun.directory / "report").write_text("what it found")
    begun.hand_over(tmp_path / "mine")
    assert (tmp_path / "mine" / "report").read_text() == "what it found"
    ahead.close()
    assert not (tmp_path / "ahead").exists()


def test_what_was_begun_on_another_job_does_not_count(checks: Any, tmp_path: Path) -> None:
    ahead = checks(Check)
    ahead.after("Test.Before", {"top": "spm"})
    assert ahead.taken(Check(None, None), own_job(tmp_path / "mine", top="uart")) is None


def test_no_more_run_than_there_are_idle_cores(checks: Any, tmp_path: Path) -> None:
    ahead = checks(Unbounded, Check, Other)
    ahead.after("Test.Before", {})
    mine: Any = Check(None, None)
    assert ahead.taken(mine, own_job(tmp_path / "mine")) is None  # the step starts it itself, then
    with ahead.waiting():  # this core is idle now
        other: Any = Other(None, None)
        begun = ahead.taken(other, own_job(tmp_path / "other"))
        assert list(begun.lines())
    ahead.close()
    assert checks(Check, most=0).after("Test.Before", {}) is None


def test_what_still_runs_ends_with_the_flow(checks: Any) -> None:
    ahead = checks(Unbounded)
    ahead.after("Test.Before", {})
    begun = ahead._running[0]
    began = time.monotonic()
    ahead.close()
    assert list(begun.lines()) == []
    assert begun.ended.code == -9
    assert time.monotonic() - began < 5


def test_only_checks_that_will_run_begin_early() -> None:
    flow = Express.__new__(Express)
    flow.Steps = Express.Steps
    everything = {name: True for names in flow.gating_config_vars.values() for name in names}
    flow.config = everything

    def names(*arguments: Any) -> set[str]:
        return {step.id.partition(".")[2] for step in flow.begun_ahead(*arguments)}

    final = {"LVS", "AntennaCheck", "DRC"}
    every = {"RTLEquivalence", "Equivalence", "TimingEstimate", "WriteLEF", "PoweredNetlist", *final}
    assert names(None, []) == every
    assert names("express.lvs", []) == every - {"AntennaCheck", "DRC"}
    assert names(None, ["*Equivalence", "Express.drc"]) == every - {"RTLEquivalence", "Equivalence", "DRC"}
    flow.config = {**everything, "RUN_MCSTA": False}
    assert names(None, []) == every - {"TimingEstimate"}


def test_checks_begin_when_all_they_read_is_there() -> None:
    """No step between the one after which a check begins and its own turn may make what it reads."""
    order = [step.id for step in Express.Steps]
    early = [step for step in Express.Steps if getattr(step, "begins_after", None)]
    assert len(early) > 5
    for step in early:
        between = Express.Steps[order.index(step.begins_after) + 1 : order.index(step.id)]
        made = {view.id for other in between for view in other.outputs}
        assert not made & {view.id for view in step.inputs}, step.id
