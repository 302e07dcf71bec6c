"""Steps are read from the run directory as LibreLane writes it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from a6hub_jupyter.builds.model import Step
from a6hub_jupyter.builds.progress import RunDirectory, slug
from tests.conftest import SHARED

Event = tuple[str, dict[str, Any]]


def steps(*ids: str) -> dict[str, Step]:
    return {i: Step(i, i) for i in ids}


def begin(run: Path, name: str, metrics: dict[str, Any] | None = None, step: str | None = None) -> Path:
    directory = run / name
    directory.mkdir(parents=True)
    if step:
        (directory / "config.json").write_text(json.dumps({"meta": {"step": step}}))
    (directory / "state_in.json").write_text(json.dumps({"metrics": metrics or {}}))
    return directory


def finish(directory: Path, metrics: dict[str, Any] | None = None, **views: str) -> None:
    (directory / "state_out.json").write_text(json.dumps({"metrics": metrics or {}, **views}))


def states(run: RunDirectory) -> dict[str, str]:
    return {s.id: s.state for s in run.steps.values()}


@pytest.mark.parametrize(
    ("step", "directory"),
    [
        ("Yosys.Synthesis", "yosys-synthesis"),
        ("OpenROAD.STAMidPNR-1", "openroad-stamidpnr-1"),
        ("Checker.TrDRC", "checker-trdrc"),
    ],
)
def test_step_ids_as_directory_names(step: str, directory: str) -> None:
    assert slug(step) == directory


def test_a_step_starts_and_ends_with_its_state_files(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, steps("A.One", "A.Two"))
    assert list(run.scan(0)) == []
    one = begin(tmp_path, "01-a-one")
    assert [(k, d["id"], d["state"], d["offset"]) for k, d in run.scan(7)] == [("step", "A.One", "running", 7)]
    assert list(run.scan(9)) == []
    gds = tmp_path / "01-a-one" / "x.gds"
    finish(one, {"cells": 3}, gds=str(gds), outside="/elsewhere/file")
    events = list(run.scan(10))
    assert [k for k, _ in events] == ["step", "metric"]
    assert events[0][1]["views"] == {"gds": "01-a-one/x.gds"}
    assert events[1][1] == {"cells": 3}
    assert states(run) == {"A.One": "done", "A.Two": "pending"}


def test_what_is_not_yet_started_is_left_for_later(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, steps("A.One"))
    (tmp_path / "01-a-one").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "final").mkdir()
    assert list(run.scan(0)) == []
    (tmp_path / "01-a-one" / "state_in.json").write_text("{}")
    assert [d["id"] for _, d in run.scan(0)] == ["A.One"]


def test_a_state_file_that_is_half_written_is_read_next_time(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, steps("A.One"))
    one = begin(tmp_path, "01-a-one")
    list(run.scan(0))
    (one / "state_out.json").write_text('{"metrics": {"ce')
    assert list(run.scan(0)) == []
    finish(one, {"cells": 1})
    assert [k for k, _ in run.scan(0)] == ["step", "metric"]


def test_steps_that_are_passed_over_are_skipped(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, steps("A.One", "A.Two", "A.Three"))
    finish(begin(tmp_path, "01-a-three"))
    list(run.scan(0))
    assert states(run) == {"A.One": "skipped", "A.Two": "skipped", "A.Three": "done"}


def test_a_step_nobody_announced_is_put_in_by_its_own_name(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, steps("A.One"))
    finish(begin(tmp_path, "01-b-new", step="B.New"))
    finish(begin(tmp_path, "02-a-one"))
    finish(begin(tmp_path, "03-a-one", step="A.One"))
    list(run.scan(0))
    assert states(run) == {"A.One": "done", "B.New": "done", "A.One#03": "done"}


def test_a_deferred_failure_is_a_failure_and_the_flow_goes_on(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, steps("A.Check", "A.Next"))
    begin(tmp_path, "01-a-check")
    finish(begin(tmp_path, "02-a-next"))
    list(run.scan(0))
    assert states(run) == {"A.Check": "failed", "A.Next": "done"}


@pytest.mark.parametrize(("failed", "rest"), [(True, "pending"), (False, "skipped")])
def test_the_end_closes_what_was_open(tmp_path: Path, failed: bool, rest: str) -> None:
    run = RunDirectory(tmp_path, steps("A.One", "A.Two"))
    begin(tmp_path, "01-a-one")
    list(run.scan(0))
    list(run.end(failed=failed))
    assert states(run) == {"A.One": "failed", "A.Two": rest}


def test_metrics_are_told_when_they_are_new_or_change(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, steps("A.One", "A.Two"))
    finish(begin(tmp_path, "01-a-one"), {"a": 1, "b": float("inf")})
    assert [d for k, d in run.scan(0) if k == "metric"] == [{"a": 1, "b": float("inf")}]
    finish(begin(tmp_path, "02-a-two", {"a": 1, "b": float("inf")}), {"a": 2, "b": float("inf")})
    assert [d for k, d in run.scan(0) if k == "metric"] == [{"a": 2}]


@pytest.mark.needs("shared")
def test_a_recorded_classic_run_is_read_as_it_was(tmp_path: Path) -> None:
    """74 steps of LibreLane 3.0.9 with a real OpenROAD: none of them guessed, all of them done."""
    with tarfile.open(SHARED / "recorded" / "classic-spm-ihp-sg13g2.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    run = RunDirectory(tmp_path / "run", {})
    events = list(run.scan(0))
    assert len(run.steps) == 74
    assert set(states(run).values()) == {"done"}
    assert run.steps["OpenROAD.DetailedRouting"].seconds == pytest.approx(20, abs=3)
    merged: dict[str, Any] = {}
    for kind, data in events:
        if kind == "metric":
            merged.update(data)
    final = json.loads((tmp_path / "run" / "final" / "metrics.json").read_text())
    assert merged == final
    assert merged["design__instance__count"] > 400
