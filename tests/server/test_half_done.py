"""What a supervisor or a server leaves that dies between two writes: somebody makes sense of it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_server.serverapp import ServerApp

from a6hub_jupyter.builds import identity, journal, supervisor
from a6hub_jupyter.builds.index import Filters
from a6hub_jupyter.builds.limits import Limits
from a6hub_jupyter.builds.queue import STARTS, Queue
from a6hub_jupyter.builds.retention import Retention
from a6hub_jupyter.builds.store import Store
from a6hub_jupyter.executors import Executor

from .conftest import Api, Json, design, write_script
from .test_shared_store import request

STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]

# Between every two writes: the supervisor is stopped dead at one point of its life, and a server has to make sense of
# what it finds.
POINTS = {
    "before it said who it is": ("a6hub_jupyter.builds.journal.write_once", 0, "succeeded"),
    "before the first event": ("a6hub_jupyter.builds.journal.JournalWriter.append", 0, "lost"),
    "before the last event": ("a6hub_jupyter.builds.supervisor.Supervisor._finish", 0, "lost"),
    "between last event and result": ("a6hub_jupyter.builds.journal.write_result", 0, "succeeded"),
    "before LibreLane": ("a6hub_jupyter.builds.supervisor.TerminalProcess", 0, "lost"),
    "in the steps": ("a6hub_jupyter.builds.journal.JournalWriter.append", 30, "lost"),
}

DIES_AT = """
import os, signal, sys
from pathlib import Path
import pkgutil
name, count, once = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
owner, _, attribute = name.rpartition(".")
owner = pkgutil.resolve_name(owner.replace(".JournalWriter", ":JournalWriter").replace(".Supervisor", ":Supervisor"))
real, calls = getattr(owner, attribute), []
def dying(*a, **k):
    calls.append(1)
    if len(calls) > count and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*a, **k)
setattr(owner, attribute, dying)
from a6hub_jupyter.builds import supervisor
sys.exit(supervisor.main(Path(sys.argv[4])))
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a server look after its builds more often than it would."""
    monkeypatch.setattr("a6hub_jupyter.builds.queue.LIVENESS_SECONDS", 0.2)
    monkeypatch.setattr("a6hub_jupyter.builds.queue.START_SECONDS", 2.0)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.usefixtures("quick")
async def test_a_supervisor_killed_between_two_writes(
    api: Api, design_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    name, count, expected = POINTS[point]
    start = subprocess.Popen

    def start_mortal(command: list[str], **options: Any) -> Any:
        mortal = [sys.executable, "-c", DIES_AT, name, str(count), str(tmp_path / "dead"), command[-1]]
        return start(mortal if "a6hub_jupyter.builds.supervisor" in command else command, **options)

    monkeypatch.setattr("a6hub_jupyter.executors.local.subprocess.Popen", start_mortal)
    write_script(design_dir, steps=STEPS, seconds=0.1)
    build = await api.build(design_dir)
    done = await api.until(build["id"])
    assert (tmp_path / "dead").exists()
    assert done["state"] == expected
    if expected == "lost":
        assert "supervisor" in done["error"]["message"]
    await read_anew(tmp_path / "builds", done)


async def read_anew(builds: Path, done: Json) -> None:
    """A store that reads the directories for the first time finds the same build."""
    copy = builds.with_name("copy")
    shutil.copytree(builds, copy, ignore=shutil.ignore_patterns(".index.sqlite*"))
    store = Store(copy)
    store.load()
    store.wait_until_indexed()
    try:
        record = store.get(done["id"])
        assert record is not None
        live = store.find_live(Filters())
        assert store.count(Filters(), live) == 1
        assert [r.id for r in store.find(Filters(), 10, live)] == [done["id"]]
        if done["state"] == "lost":
            assert record.live  # nobody has looked for its supervisor yet
            record.lose()
        assert record.snapshot.state == done["state"]
        assert record.snapshot.finished == done["finished"]
        assert record.snapshot.error == done["error"]
    finally:
        store.close()


@pytest.mark.usefixtures("quick")
async def test_a_claim_whose_server_was_killed_is_acted_on(
    api: Api, design_dir: Path, jp_root_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To start: it is started. To cancel: it is closed. Each by whatever server comes next."""
    monkeypatch.setattr("a6hub_jupyter.builds.queue.STARTS", 10)  # on a busy machine a supervisor is slow to come
    slow = design(jp_root_dir, "slow", steps=STEPS, seconds=60)  # not the others' directory: it reads its script late
    for build in [await api.build(slow) for _ in range(2)]:
        await api.until(build["id"], "running")
    write_script(design_dir, steps=STEPS[:1], seconds=0.1)
    started, cancelled, both = [(await api.build(design_dir))["id"] for _ in range(3)]
    assert journal.claim(tmp_path / "builds" / started, "start")
    assert journal.claim(tmp_path / "builds" / cancelled, "cancel")
    assert journal.claim(tmp_path / "builds" / both, "start")
    (tmp_path / "builds" / both / journal.CANCEL).touch()
    assert (await api.until(started))["state"] == "succeeded"
    assert (await api.until(cancelled))["state"] == "cancelled"
    assert (await api.until(both))["state"] == "cancelled"


async def test_a_supervisor_that_comes_when_its_build_is_lost_does_not_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine so busy that none has come in all the time that it had, and then one does."""

    class Slow(Executor):
        submitted = 0

        def submit(self, directory: Path) -> None:
            self.submitted += 1

        def cancel(self, directory: Path) -> bool:
            raise AssertionError(directory)

        def alive(self, directory: Path) -> bool:
            return False

        def sweep(self, directory: Path) -> None:
            assert directory.name == build.request.id

    monkeypatch.setattr("a6hub_jupyter.builds.queue.START_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "Supervisor", None)  # what would run it
    slow, store = Slow(), Store(tmp_path)
    store.load()
    limits = Limits(max_running=1, cores=8, memory=1 << 40, min_free_bytes=0)
    queue = Queue(store, {"local": slow}, limits, Retention(0, 0, 0), logging.getLogger())
    build = store.create(request("20260101-000001-x-000001"), None)
    try:
        await queue._admit()
        build.refresh()
        for _ in range(STARTS):
            assert build.live
            queue._check_supervisor(build)
        assert (build.snapshot.state, slow.submitted) == ("lost", STARTS)
        assert supervisor.main(build.directory) == 0
        assert not (build.directory / journal.RESULT).exists()
    finally:
        store.close()


async def test_a_request_half_put_on_record_is_no_build(api: Api, jp_serverapp: ServerApp, tmp_path: Path) -> None:
    half = tmp_path / "builds" / ".20261123-121314-counter-abcdef"
    half.mkdir()
    (half / "request.json").write_text("{")
    fresh = tmp_path / "builds" / ".20261123-121314-counter-abcdea"
    fresh.mkdir()
    os.utime(half, (0, 0))
    store = Store(tmp_path / "builds")
    store.load()
    store.close()
    assert not half.exists()
    assert fresh.exists()  # another server may be at it
    assert (await api.get("builds"))[1]["total"] == 0


async def test_a_damaged_record_does_not_stop_the_others(api: Api, design_dir: Path, tmp_path: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.5)
    bad, good = [await api.build(design_dir) for _ in range(2)]
    await api.until(bad["id"], "running")
    with (tmp_path / "builds" / bad["id"] / journal.JOURNAL).open("ab") as file:
        file.write(b'{"seq": 7}\n[]\nnonsense\n')
    assert (await api.until(good["id"]))["state"] == "succeeded"
    assert (await api.until(bad["id"]))["state"] == "succeeded"  # from its result


async def test_a_start_time_survives_a_change_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The boot time that start times are counted from moves when the clock is set."""
    known = identity.identify(os.getpid())
    before = psutil.Process(os.getpid()).create_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: before + 3600.0)
    if "start_ticks" in known:
        assert identity.find(known) is not None
        assert identity.find({**known, "start_ticks": known["start_ticks"] + 1}) is None
    assert identity.find({**known, "pid": 0}) is None
    assert identity.find({**known, "host": "elsewhere"}) is None
    assert identity.find(None) is None
