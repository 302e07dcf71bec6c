"""One store that several servers know differently, or whose user is another."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from a6hub_jupyter.builds.index import Filters
from a6hub_jupyter.builds.limits import Limits
from a6hub_jupyter.builds.model import BuildRequest
from a6hub_jupyter.builds.queue import Queue
from a6hub_jupyter.builds.retention import Retention
from a6hub_jupyter.builds.store import Store
from a6hub_jupyter.executors import Executor

from ..records import plain_request
from .conftest import Api, request_for


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


async def test_requests_with_a_key_hold_nobody_up_while_the_index_is_made(
    api: Api,
    design_dir: Path,
    jp_serverapp: ServerApp,
    http_server_client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More of them than there are threads: who comes without a key is served, they are asked to come again."""
    http_server_client.max_clients = 200  # else it sends ten at a time
    monkeypatch.setattr("a6hub_jupyter.builds.intake.INDEX_PATIENCE", 3.0)
    done = await api.until((await api.build(design_dir, to_step="Verilator.Lint"))["id"])
    store = jp_serverapp.web_app.settings["a6hub"].store
    made = threading.Event()
    monkeypatch.setattr(store, "_indexing", threading.Thread(target=made.wait, daemon=True))
    store._indexing.start()
    try:
        keyed = [
            asyncio.ensure_future(
                api.raw(
                    "builds",
                    method="POST",
                    body=json.dumps(request_for(design_dir)),
                    headers={"Idempotency-Key": str(number)},
                )
            )
            for number in range(40)
        ]
        await asyncio.sleep(0.3)
        assert not any(answer.done() for answer in keyed)
        assert [b["id"] for b in (await api.get("builds"))[1]["builds"]] == [done["id"]]
        for response in await asyncio.gather(*keyed):
            assert response.code == 503
            assert int(response.headers["Retry-After"]) > 0
            assert json.loads(response.body)["field"] == "Idempotency-Key"
        assert (await api.get("builds"))[1]["total"] == 1
        assert (await api.post("builds", body=request_for(design_dir)))[0] == 201
    finally:
        made.set()
    status, _ = await api.post("builds", body=request_for(design_dir), headers={"Idempotency-Key": "0"})
    assert status == 201


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
    return plain_request(id=build_id, created=f"2026-01-01T00:00:{build_id[-2:]}.000Z")


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
