"""A full disk, at each write: the build says so, its record stays readable, the server lives and recovers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from a6hub_jupyter.builds import journal

from .conftest import COUNTER, Api, request_for, write_script

STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]
SIZE = 4 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root on Linux")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "a6hub", str(directory)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def free_bytes(directory: Path) -> int:
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def fill(directory: Path, leave: int = 0) -> Path:
    """Fill the disk but for ``leave`` bytes; return the file to be deleted."""
    filler = directory / "filler"
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while free_bytes(directory) - 4096 >= leave:
            file.write(bytes(4096))
    return filler


@pytest.fixture
def app_traits(small_disk: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Records on the small disk, unless the test is about the design's."""
    traits: dict[str, Any] = {"min_free_disk": 0}
    return traits if "design" in request.node.name else {**traits, "builds_dir": str(small_disk / "builds")}


def whole(builds: Path, build_id: str) -> list[dict[str, Any]]:
    """Read all of a record: the events, which have no gap."""
    directory = builds / build_id
    json.loads((directory / journal.REQUEST).read_text())
    path = directory / journal.JOURNAL
    events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert not list(directory.glob(".*"))
    return events


async def recovers(api: Api, design_dir: Path) -> None:
    """With space there, the next build is as any other."""
    write_script(design_dir, steps=STEPS, seconds=0.01)
    done = await api.until((await api.build(design_dir, to_step=STEPS[-1]))["id"])
    assert done["state"] == "succeeded"


async def test_a_build_that_cannot_be_put_on_record_is_refused(api: Api, design_dir: Path, small_disk: Path) -> None:
    filler = fill(small_disk)
    status, answer = await api.post("builds", body=request_for(design_dir))
    assert status == 507
    assert "space" in answer["message"].lower()
    assert [p.name for p in (small_disk / "builds").iterdir() if p.is_dir()] == []
    assert (await api.get("builds"))[1]["builds"] == []
    filler.unlink()
    await recovers(api, design_dir)


@pytest.mark.parametrize("free", [0, 4096, 8192, 16384, 32768, 65536, 1 << 17])
async def test_a_disk_that_fills_up_fails_the_build_with_a_sentence(
    api: Api, design_dir: Path, small_disk: Path, free: int
) -> None:
    """From what is left when it is put on record, the writes that follow fail one after the other."""
    write_script(design_dir, steps=STEPS, seconds=0.05, print=("x" * 79 + "\n") * 2000)
    builds = small_disk / "builds"
    # the record itself takes its request and the reserve; the rest fails at claim, supervisor, journal or console
    taken = 4096 * 4 + journal.RESERVE_BYTES
    filler = fill(small_disk, leave=taken + free)
    status, build = await api.post("builds", body=request_for(design_dir, to_step=STEPS[-1]))
    assert status in {201, 507}, build
    if status == 201:
        if free == 0:  # not even the claim can be written: it waits, and starts when it can
            _, build = await api.get("builds", build["id"])
            filler.unlink()
            done = await api.until(build["id"])
            assert done["state"] in {"succeeded", "failed"}
        else:
            done = await api.until(build["id"])
            assert done["state"] == "failed"
        if done["state"] == "failed":
            assert "space" in done["error"]["message"].lower()
        whole(builds, build["id"])
        _, again = await api.get("builds")
        assert [b["state"] for b in again["builds"]] == [done["state"]]
    filler.unlink(missing_ok=True)
    await recovers(api, design_dir)
    assert status == 507 or (await api.get("builds", build["id"]))[1]["state"] == done["state"]


async def test_a_disk_that_fills_up_while_the_tool_prints(api: Api, design_dir: Path, small_disk: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.3, print=("x" * 79 + "\n") * 100_000)
    done = await api.until((await api.build(design_dir, to_step=STEPS[-1]))["id"])
    assert done["state"] == "failed"
    assert "space" in done["error"]["message"].lower()
    assert whole(small_disk / "builds", done["id"])
    result = json.loads((small_disk / "builds" / done["id"] / journal.RESULT).read_text())
    assert result["state"] == "failed"
    status, _ = await api.get("builds", done["id"])
    assert status == 200
    assert (await api.raw("builds", done["id"], method="DELETE")).code == 204
    await recovers(api, design_dir)


@pytest.fixture
def small_design(jp_root_dir: Path, small_disk: Path) -> Iterator[Path]:
    """A design directory on the small disk, below the server's root."""
    directory = jp_root_dir / "small"
    directory.mkdir()
    subprocess.run(["mount", "--bind", str(small_disk), str(directory)], check=True)
    (directory / "counter.v").write_text(COUNTER)
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


async def test_a_full_disk_of_the_design_fails_the_build_with_a_sentence(
    api: Api, small_design: Path, tmp_path: Path
) -> None:
    write_script(small_design, steps=STEPS, seconds=0.1, views={s: {"def": "x" * 800_000} for s in STEPS})
    done = await api.until((await api.build(small_design, to_step=STEPS[-1]))["id"])
    assert done["state"] == "failed"
    assert "disk" in done["error"]["message"]
    assert "full" in done["error"]["message"]
    assert whole(tmp_path / "builds", done["id"])[-1]["type"] == "complete"
    shutil.rmtree(small_design / "runs")
    await recovers(api, small_design)


def test_a_result_larger_than_its_place_is_cut_on_a_full_disk(small_disk: Path) -> None:
    journal.reserve(small_disk)
    filler = fill(small_disk)
    metrics = {f"metric__{k}": k for k in range(10_000)}
    result = {"state": "failed", "exit_code": 1, "error": {"message": "m", "detail": "d" * 99_999}, "metrics": metrics}
    journal.write_result(small_disk, result)
    assert json.loads((small_disk / journal.RESULT).read_text()) == {
        **result,
        "error": {"message": "m"},
        "metrics": {},
    }
    filler.unlink()
    journal.write_result(small_disk, result)
    assert json.loads((small_disk / journal.RESULT).read_text()) == result
