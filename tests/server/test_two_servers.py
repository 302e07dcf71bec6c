"""Several servers on one store: together they are one."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from pathlib import Path

import pytest
from jupyter_server.serverapp import ServerApp

from a6hub_jupyter.builds import journal

from .conftest import Api, design, request_for, write_script
from .processes import Server, make_server

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


async def test_together_they_start_no_more_than_one_may(server: Server, tmp_path: Path, pdk_root: Path) -> None:
    """Both look at the queue at the same moments, and the limit (4 builds) is that of the store."""
    other = make_server(tmp_path, "other", pdk_root)
    await other.start()
    try:
        directory = design(server.work, "plain", steps=STEPS[:1], seconds=0.4)
        body = request_for(directory, to_step=STEPS[0])
        posts = [(server, other)[k % 2].insist("POST", "builds", json=body) for k in range(16)]
        ids = [b["id"] for b in await asyncio.gather(*posts)]
        built = [await server.until(i) for i in ids]
    finally:
        other.stop()
    turns = [(b["started"], 1) for b in built] + [(b["finished"], -1) for b in built]
    at_once = list(itertools.accumulate(change for _, change in sorted(turns)))
    assert max(at_once) == 4
