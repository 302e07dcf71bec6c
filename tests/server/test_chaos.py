"""Everything is killed at random, and in between every two writes: nothing is lost, repeated, or left over.

``A6HUB_CHAOS=200`` does that many random kills (cancels are not counted), some in real Express builds;
``A6HUB_CHAOS_SEED`` chooses others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_server.serverapp import ServerApp

from a6hub_jupyter.builds import identity, journal
from a6hub_jupyter.builds.index import Filters
from a6hub_jupyter.builds.store import Store

from ..conftest import DOUBLE, NEEDS
from .conftest import COUNTER, Api, Json, request_for, write_script
from .processes import Follower, Kernel, Server, end

KILLS = int(os.environ.get("A6HUB_CHAOS", "25"))
REAL = "A6HUB_CHAOS" in os.environ and NEEDS["express"]()
KEY = {"Idempotency-Key": "the same at both"}
STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]


def design(work: Path, name: str, **script: Any) -> Path:
    """Make a design directory; without a script it is built for real."""
    directory = work / name
    directory.mkdir(parents=True)
    (directory / "counter.v").write_text(COUNTER)
    if script:
        write_script(directory, **script)
    return directory


@pytest.fixture
def server(tmp_path: Path, pdk_root: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Server]:
    """A server process whose builds run the stand-in where there is a script for it, else LibreLane."""
    tool = tmp_path / "librelane"
    tool.write_text(
        f"#!{sys.executable}\nimport os, sys\ndirectory = sys.argv[sys.argv.index('--design-dir') + 1]\n"
        f"scripted = os.path.exists(os.path.join(directory, 'double.json'))\n"
        f"command = [{str(DOUBLE)!r}] if scripted else [sys.executable, '-m', 'librelane']\n"
        "os.execv(command[0], command + sys.argv[1:])\n"
    )
    tool.chmod(0o755)
    (tmp_path / "work").mkdir()
    made = make_server(tmp_path, "server", pdk_root, tool)
    jp_asyncio_loop.run_until_complete(made.start())
    yield made
    made.stop()
    for process in made.marked():
        end(process)


def make_server(tmp_path: Path, name: str, pdk_root: Path, tool: Path = DOUBLE) -> Server:
    traits = {"builds_dir": str(tmp_path / "builds"), "cache_dir": str(tmp_path / "cache"), "max_running": 4}
    traits |= {"build_cores": 1, "build_memory": 1 << 20, "cancel_grace": 0.5, "max_cores": 4, "min_free_disk": 0}
    if not REAL:
        traits["pdk_roots"] = [str(pdk_root)]
    return Server(tmp_path / "work", tmp_path / name, {"LIBRELANE_PATH": str(tool)}, **traits)


class Chaos:
    """Keeps builds going, and kills at random."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.random = server, random.Random(seed)
        script = {"steps": STEPS, "print": "line of {step}\n" * 20}
        self.designs = [
            design(server.work, "plain", **script, seconds=0.3),
            design(server.work, "long", **script, seconds=1.0),
            design(server.work, "tree", **script, seconds=0.6, grandchild=True),
        ]
        if REAL:
            self.designs.append(design(server.work, "real"))
        self.followers: dict[str, Follower] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.kills: Counter[str] = Counter()
        self.hit: dict[str, set[str]] = {}
        self.kernel = Kernel(server)
        self.waited: dict[str, str] = {}
        self.over = False

    async def watch(self) -> None:
        """Wait in a kernel for one build after the other; a new kernel goes on with the build that it lost."""
        while not self.over:
            if live := self.live():
                build_id = self.random.choice(live)
                while (state := await self.kernel.wait_for(build_id)) is None:
                    await self.kernel.start()
                self.waited[build_id] = state
            else:
                await asyncio.sleep(0.1)

    async def build(self) -> None:
        """Post one build, insisting, and follow it."""
        body = request_for(self.random.choice(self.designs), to_step=None)
        key = f"{self.random.random()}"
        if not (Path(body["design_dir"]) / "double.json").exists():
            body["to_step"] = None
        built = await self.server.insist("POST", "builds", json=body, headers={"Idempotency-Key": key})
        follower = self.followers[built["id"]] = Follower(self.server, built["id"])
        self.hit[built["id"]] = set()
        await follower.follow()

    def live(self) -> list[str]:
        return [i for i, f in self.followers.items() if f.end is None]

    async def kill(self) -> None:
        kinds = ["server", *["supervisor", "librelane", "websocket"] * 3, "kernel", "kernel", "cancel"]
        kind = self.random.choice(kinds)
        if kind == "kernel":
            self.kills[kind] += await self.kernel.kill()
            return
        if kind == "server":
            self.server.kill()
            await asyncio.sleep(self.random.random())
            await self.server.start()
            self.kills[kind] += 1
            return
        live = self.live()
        if not live:
            return
        victim = self.random.choice(live)
        directory = self.server.builds / victim
        if kind == "websocket":
            self.followers[victim].drop()
            self.kills[kind] += 1
        elif kind == "cancel":
            self.hit[victim].add(kind)
            await self.server.insist("POST", f"builds/{victim}/cancel")
            self.kills[kind] += 1
        else:
            known = journal.read_json(directory / journal.SUPERVISOR)
            with contextlib.suppress(psutil.Error, TypeError):
                process = psutil.Process(known["pid"])  # type: ignore[index]
                if str(directory) not in process.cmdline():
                    return
                if kind == "librelane":
                    process = process.children()[0] if process.children() else process
                    kind = "librelane" if str(directory) not in process.cmdline()[-1:] else "supervisor"
                self.hit[victim].add(kind)
                self.kills[kind] += end(process)

    async def run(self, kills: int) -> None:
        watching = asyncio.create_task(self.watch())
        while sum(self.kills.values()) - self.kills["cancel"] < kills:
            assert not watching.done(), watching.exception()
            self.tasks = [t for t in self.tasks if not t.done() or t.result()]
            while len(self.tasks) < 4:
                self.tasks.append(asyncio.create_task(self.build()))
            await asyncio.sleep(self.random.random() * 0.6)
            await self.kill()
        await asyncio.wait_for(asyncio.gather(*self.tasks), 180)
        self.over = True
        await asyncio.wait_for(watching, 180)
        await self.kernel.stop()

    def check_end(self, build_id: str) -> str:
        """Each build ends as what happened to it says."""
        follower, hit = self.followers[build_id], self.hit[build_id]
        assert follower.end is not None
        data = follower.end["data"]
        result = journal.read_json(self.server.builds / build_id / journal.RESULT)
        state = str(data["state"])
        if state == "lost":
            assert "supervisor" in hit, (build_id, hit, data["error"])
            assert result is None
        else:
            assert result is None or result["state"] == state
        expected = {"succeeded"} | {
            state
            for kind, state in (("supervisor", "lost"), ("librelane", "failed"), ("cancel", "cancelled"))
            if kind in hit
        }
        assert state in expected, (build_id, hit, data)
        if "supervisor" not in hit and state == "succeeded":
            assert data["exit_code"] == 0
        return state


async def test_nothing_that_is_killed_loses_or_leaves_anything(server: Server) -> None:
    seed = int(os.environ.get("A6HUB_CHAOS_SEED", "3"))
    chaos = Chaos(server, seed)
    begun = time.monotonic()
    await chaos.run(KILLS)
    states: Counter[str] = Counter()
    for build_id, follower in chaos.followers.items():
        follower.check()
        states[chaos.check_end(build_id)] += 1
    assert chaos.waited.items() <= {i: f.end["data"]["state"] for i, f in chaos.followers.items() if f.end}.items()
    assert chaos.waited
    listed = await server.insist("GET", "builds?limit=200")
    assert {b["id"]: b["state"] for b in listed["builds"]} == {
        i: f.end["data"]["state"] for i, f in chaos.followers.items() if f.end
    }
    names = {p.name for p in server.builds.iterdir() if p.is_dir()}  # hidden: a request half put on record
    assert {n for n in names if not n.startswith(".")} == set(chaos.followers)
    await asyncio.sleep(0.5)
    assert server.marked() == []
    connections = sum(f.connections for f in chaos.followers.values())
    events = sum(len(f.events) for f in chaos.followers.values())
    print(
        f"\nseed {seed}: {dict(chaos.kills)} in {time.monotonic() - begun:.0f} s; {dict(states)}; "
        f"{connections} connections, {events} events, {len(chaos.waited)} builds waited for in kernels"
    )


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
    monkeypatch.setattr("a6hub_jupyter.builds.queue.START_SECONDS", 1.0)


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
async def test_a_claim_whose_server_was_killed_is_acted_on(api: Api, design_dir: Path, tmp_path: Path) -> None:
    """To start: it is started. To cancel: it is closed. Each by whatever server comes next."""
    write_script(design_dir, steps=STEPS, seconds=30)
    for build in [await api.build(design_dir) for _ in range(2)]:
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


async def test_tools_die_with_the_supervisor_though_no_server_runs(server: Server, tmp_path: Path) -> None:
    """The tool that LibreLane has started gets the hang-up of the terminal."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\nsleep 600 &\necho $! > pid\nwait\n")
    tool.chmod(0o755)
    (tmp_path / "librelane").unlink()
    (tmp_path / "librelane").symlink_to(tool)
    directory = design(server.work, "plain")
    build = await server.insist("POST", "builds", json=request_for(directory))
    for _ in range(200):
        if (directory / "pid").exists() and (directory / "pid").read_text():
            break
        await asyncio.sleep(0.05)
    sleeping = psutil.Process(int((directory / "pid").read_text()))
    server.kill()
    known = json.loads((server.builds / build["id"] / journal.SUPERVISOR).read_text())
    assert end(psutil.Process(known["pid"]))
    gone, _ = psutil.wait_procs([sleeping], timeout=5)
    assert gone or sleeping.status() == psutil.STATUS_ZOMBIE


async def test_two_servers_on_one_store(server: Server, tmp_path: Path, pdk_root: Path) -> None:
    """Each build is started once, both see all of them, and either can cancel."""
    other = make_server(tmp_path, "other", pdk_root)
    await other.start()
    try:
        directory = design(server.work, "plain", steps=STEPS[:1], seconds=0.5)
        posts = [
            (server, other)[k % 2].insist("POST", "builds", json=request_for(directory, to_step=STEPS[0]))
            for k in range(8)
        ]
        ids = [b["id"] for b in await asyncio.gather(*posts)]
        ended = [await server.until(i) for i in ids]
        assert {b["state"] for b in ended} == {"succeeded"}
        for build_id in ids:
            lines = (server.builds / build_id / journal.JOURNAL).read_text().splitlines()
            assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
        slow = design(server.work, "slow", steps=STEPS[:1], seconds=60)
        mine = await server.insist("POST", "builds", json=request_for(slow))
        await server.until(mine["id"], "running")
        await other.insist("POST", f"builds/{mine['id']}/cancel")
        assert (await other.until(mine["id"]))["state"] == "cancelled"
        assert (await server.until(mine["id"]))["state"] == "cancelled"
        for one in (server, other):
            assert (await one.insist("GET", "builds"))["total"] == 9
    finally:
        other.stop()


async def test_two_servers_do_not_get_into_each_others_way(server: Server, tmp_path: Path, pdk_root: Path) -> None:
    """One run directory goes on once, one key makes one build, and what one deletes is gone at the other."""
    other = make_server(tmp_path, "other", pdk_root)
    await other.start()
    try:
        directory = design(server.work, "plain", steps=STEPS[:1], fail_at=STEPS[0], seconds=0.01)
        body = request_for(directory)
        posts = [(server, other)[k % 2].insist("POST", "builds", json=body, headers=KEY) for k in range(6)]
        made = {b["id"] for b in await asyncio.gather(*posts)}
        assert len(made) == 1
        first = made.pop()
        for one in (server, other):
            assert (await one.until(first))["state"] == "failed"
            assert len((await one.insist("GET", f"builds/{first}"))["steps"]) > 1
        write_script(directory, steps=STEPS, first=5, seconds=1)
        answers = await asyncio.gather(
            *((server, other)[k % 2].request("POST", f"builds/{first}/resume", json={}) for k in range(6))
        )
        assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409, 409]
        resumed = next(a.json()["id"] for a in answers if a.status_code == 201)
        for one in (server, other):
            refused = await one.request("DELETE", f"builds/{first}?run_directory=true")
            assert refused.status_code == 409, refused.text
        assert (await other.until(resumed))["state"] == "succeeded"
        assert (await server.until(resumed))["state"] == "succeeded"
        deleted, again, resumed_again = await asyncio.gather(
            server.request("DELETE", f"builds/{first}?run_directory=true"),
            other.request("DELETE", f"builds/{first}?run_directory=true"),
            other.request("POST", f"builds/{resumed}/resume", json={"from_step": STEPS[-1]}),
        )
        assert {deleted.status_code, again.status_code} <= {204, 404, 409}
        left = await other.insist("GET", "builds")
        going_on = [b["id"] for b in left["builds"] if b["resume_of"] == resumed]
        assert len(going_on) == (resumed_again.status_code == 201)
        assert (directory / "runs" / first).is_dir() == bool(going_on)
        if not going_on:
            assert [p.name for p in (directory / "runs").iterdir()] == []
        for one in (server, other):
            for build_id in (first, resumed):
                status = (await one.request("GET", f"builds/{build_id}")).status_code
                assert status == (200 if (server.builds / build_id).is_dir() else 404)
    finally:
        other.stop()


async def test_a_build_that_another_server_deletes_leaves_the_watch(
    api: Api, design_dir: Path, jp_serverapp: ServerApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("a6hub_jupyter.builds.queue.LIVENESS_SECONDS", 0.2)
    write_script(design_dir, steps=STEPS, seconds=30)
    build = await api.build(design_dir)
    await api.until(build["id"], "running")
    services = jp_serverapp.web_app.settings["a6hub"]
    record = services.store.get(build["id"])
    await services.queue.cancel(record)
    for _ in range(200):
        if (record.directory / journal.RESULT).exists():
            break
        await asyncio.sleep(0.05)
    shutil.rmtree(record.directory)
    for _ in range(100):
        if build["id"] not in services.store.live:
            break
        await asyncio.sleep(0.05)
    assert build["id"] not in services.store.live
    assert not record.live
    assert (await api.get("builds", build["id"]))[0] == 404


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
