"""Several servers on one store, each with its own idea of what is there."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from jupyter_server.serverapp import ServerApp

from a6hub_jupyter.builds import journal
from a6hub_jupyter.builds.index import Filters
from a6hub_jupyter.builds.limits import Limits
from a6hub_jupyter.builds.model import BuildRequest
from a6hub_jupyter.builds.queue import Queue
from a6hub_jupyter.builds.retention import Retention
from a6hub_jupyter.builds.store import Store
from a6hub_jupyter.executors import Executor

from .conftest import Api, design, make_server, request_for, write_script
from .processes import Server

KEY = {"Idempotency-Key": "the same at both"}
STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]


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


async def test_two_servers_together_run_no_more_than_may_run(server: Server, tmp_path: Path, pdk_root: Path) -> None:
    """By the files: from its claim to its end a build has the one place for itself."""
    server.stop()
    pair = [make_server(tmp_path, name, pdk_root, max_running=1) for name in ("one", "other")]
    await asyncio.gather(*(one.start() for one in pair))
    try:
        directory = design(server.work, "plain", steps=STEPS[:1], seconds=0.05)
        body = request_for(directory, to_step=STEPS[0])
        built = await asyncio.gather(*(pair[k % 2].insist("POST", "builds", json=body) for k in range(8)))
        for build in built:
            assert (await pair[0].until(build["id"], seconds=60))["state"] == "succeeded"
        times = []
        for build in built:
            files = [json.loads((server.builds / build["id"] / n).read_text()) for n in (journal.CLAIM, journal.RESULT)]
            times.append((files[0]["timestamp"], files[1]["finished"]))
        times.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(times)), times
    finally:
        for one in pair:
            one.stop()


class Started(Executor):
    """An executor that starts nothing, and remembers what it should have started."""

    def __init__(self) -> None:
        self.builds: list[str] = []

    def submit(self, directory: Path) -> None:
        self.builds.append(directory.name)

    def cancel(self, directory: Path) -> bool:
        raise AssertionError(f"nobody cancels {directory}")

    def alive(self, directory: Path) -> bool:
        return directory.name in self.builds

    def sweep(self, directory: Path) -> None:
        raise AssertionError(f"nobody has lost {directory}")


async def test_what_another_server_has_just_started_counts(tmp_path: Path) -> None:
    """It has put a build on record that this server has not seen, before the one that waits here, and started it."""
    started, queues = Started(), []
    for _ in range(2):
        store = Store(tmp_path)
        store.load()
        limits = Limits(max_running=1, cores=8, memory=1 << 40, min_free_bytes=0)
        queue = Queue(store, {"local": started}, limits, Retention(0, 0, 0), logging.getLogger())
        queues.append((store, queue))
    (store, queue), (other_store, other) = queues
    waits = store.create(request("20260101-000002-x-000002"), None)
    first = other_store.create(request("20260101-000001-x-000001"), None)
    try:
        await other._admit()
        await queue._admit()
        assert started.builds == [first.id]
        assert queue.position(waits)[0] == 1
        assert store.live[first.id].snapshot.state == "starting"
    finally:
        store.close()
        other_store.close()


async def test_a_build_that_ends_while_the_list_is_made_counts_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load()
    try:
        record = store.create(request("20260101-000001-x-000001"), None)
        live = store.find_live(Filters())
        ended = replace(record.snapshot, state="succeeded")
        store.index.put([(record.request, ended, {}, None)])
        assert store.count(Filters(), live) == 1
        assert store.count(Filters(), []) == 1
        assert store.count(Filters(state="succeeded"), store.find_live(Filters(state="succeeded"))) == 1
        assert [r.id for r in store.find(Filters(), 10, live)] == [record.id]
    finally:
        store.close()


def request(build_id: str) -> BuildRequest:
    return BuildRequest(
        id=build_id,
        created=f"2026-01-01T00:00:{build_id[-2:]}.000Z",
        name="x",
        design_dir="/",
        config={},
        flow="Express",
        pdk="sky130A",
        scl=None,
        pdk_root=None,
        pdk_note=None,
        toolchain="express",
        executor="local",
        steps=[],
        timeout=60.0,
    )


LOOKS_AS_NOBODY = """
import os, sys
from pathlib import Path
from a6hub_jupyter.builds.store import Store
from a6hub_jupyter.executors import Executor
import a6hub_jupyter.builds.lock, sqlite3
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
store = Store(Path(sys.argv[1]))
assert not store.open()
print(store.problem)
store.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_store_of_another_user_is_told_in_one_sentence(tmp_path: Path) -> None:
    store = Store(tmp_path / "builds")
    store.load()
    store.close()
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == "root" and parent.stat().st_mode & 0o005 != 0o005 and parent.is_relative_to("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", LOOKS_AS_NOBODY, str(tmp_path / "builds")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"The builds' directory {tmp_path / 'builds'} cannot be used by this server's user: ")
    assert len(done.stdout.splitlines()) == 1


async def test_a_store_that_cannot_be_used_is_answered_for(api: Api, jp_serverapp: ServerApp, design_dir: Path) -> None:
    """The server lives, says why, and what needs no records goes on."""
    services = jp_serverapp.web_app.settings["a6hub"]
    services.store.problem = "The builds' directory cannot be used by this server's user: Permission denied."
    body = json.dumps(request_for(design_dir))
    unknown = "builds/20260101-000001-x-000001"
    calls = [("GET", "builds", None), ("POST", "builds", body), ("GET", "statistics", None)]
    calls += [("GET", f"{unknown}{p}", None) for p in ("", "/log", "/log/search", "/metrics", "/steps", "/archive")]
    calls += [("GET", f"{unknown}/{p}", None) for p in ("artifacts", "artifacts/x", "picture", "scene", "layers")]
    calls += [("POST", f"{unknown}/{p}", "{}") for p in ("cancel", "retry", "resume")]
    calls += [("PATCH", unknown, "{}"), ("DELETE", unknown, None)]
    for method, path, text in calls:
        answer = await api.raw(*path.split("/"), method=method, body=text)
        assert answer.code == 503, (method, path, answer.body)
        assert "builds_dir" in json.loads(answer.body)["remedy"]
        assert answer.headers["Retry-After"] == "60"
    assert (await api.get("flows"))[0] == 200
    services.store.problem = None
    assert (await api.get("builds"))[0] == 200
