"""However many ask at once, and at however many servers on one store: no more builds wait than may."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, Json, design, request_for, write_script
from .processes import Server, make_server

STEPS = ["Verilator.Lint"]
MOST = 3


class TestOneServer:
    @pytest.fixture
    def app_traits(self) -> Json:
        return {"max_queued": MOST, "max_running": 1}

    async def test_a_hundred_requests_at_once(self, api: Api, design_dir: Path, http_server_client: Any) -> None:
        http_server_client.max_clients = 200
        write_script(design_dir, steps=STEPS, seconds=60)
        await api.until((await api.build(design_dir))["id"], "running")
        body = json.dumps(request_for(design_dir))
        post = {"method": "POST", "body": body, "request_timeout": 60}
        answers = await asyncio.gather(*(api.raw("builds", **post) for _ in range(100)))
        assert Counter(a.code for a in answers) == {201: MOST, 429: 100 - MOST}
        for refused in (a for a in answers if a.code == 429):
            assert int(refused.headers["Retry-After"]) > 0
            assert "already" in json.loads(refused.body)["message"]
        status, listed = await api.get("builds", params={"state": "queued"})
        assert (status, listed["total"]) == (200, MOST)

    async def test_a_request_that_is_refused_gives_its_place_back(self, api: Api, design_dir: Path) -> None:
        write_script(design_dir, steps=STEPS, seconds=60)
        await api.until((await api.build(design_dir))["id"], "running")
        for _ in range(2 * MOST):
            status, _ = await api.post("builds", body=request_for(design_dir, flow="Nothing"))
            assert status == 422
        for _ in range(MOST):
            await api.build(design_dir)
        assert (await api.post("builds", body=request_for(design_dir)))[0] == 429

    async def test_a_repeated_request_needs_no_place(self, api: Api, design_dir: Path) -> None:
        write_script(design_dir, steps=STEPS, seconds=60)
        await api.until((await api.build(design_dir))["id"], "running")
        key = {"Idempotency-Key": "once"}
        status, first = await api.post("builds", body=request_for(design_dir), headers=key)
        assert status == 201
        for _ in range(MOST - 1):
            await api.build(design_dir)
        status, again = await api.post("builds", body=request_for(design_dir), headers=key)
        assert (status, again["id"]) == (200, first["id"])


async def test_two_servers_on_one_store(tmp_path: Path, pdk_root: Path) -> None:
    limits: Json = {"max_queued": MOST, "max_running": 1}
    (tmp_path / "work").mkdir()
    servers = [make_server(tmp_path, name, pdk_root, **limits) for name in ("one", "other")]
    await asyncio.gather(*(s.start() for s in servers))
    try:
        directory = design(tmp_path / "work", "slow", steps=STEPS, seconds=60)
        body = request_for(directory)
        running = await servers[0].insist("POST", "builds", json=body)
        await servers[0].until(running["id"], "running")

        async def post(server: Server) -> int:
            while (answer := await server.request("POST", "builds", json=body)).status_code == 503:  # noqa: ASYNC110 - a process of its own
                await asyncio.sleep(0.05)  # the other one had the lock for long
            return answer.status_code

        codes = Counter(await asyncio.gather(*(post(servers[k % 2]) for k in range(20))))
        assert codes == {201: MOST, 429: 20 - MOST}
        for build in (await servers[1].insist("GET", "builds"))["builds"]:
            await servers[1].insist("POST", f"builds/{build['id']}/cancel")
    finally:
        for server in servers:
            server.stop()
