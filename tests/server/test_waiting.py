"""Waiting for news of a build: the answer comes with the news, and not long after it would have been asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from jupyter_server.serverapp import ServerApp

from .conftest import Api, Json, write_script

STEPS = ["Verilator.Lint", "Yosys.JsonHeader"]
# A test that has to wait so long has failed.
PATIENCE = 25
MOST = 2


@pytest.fixture
def app_traits() -> Json:
    return {"max_streams": MOST}


async def wait(api: Api, build_id: str, after: int, seconds: int = 30) -> Json:
    asked = api.get("builds", build_id, params={"wait": str(seconds), "after": str(after)}, request_timeout=60)
    status, build = await asyncio.wait_for(asked, PATIENCE)
    assert status == 200, build
    return build


async def test_each_piece_of_news_up_to_the_end(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.3)
    build = await api.build(design_dir, to_step=STEPS[-1])
    seen = [build["seq"]]
    while build["state"] != "succeeded":
        build = await wait(api, build["id"], seen[-1])
        assert build["seq"] > seen[-1]
        seen.append(build["seq"])
    assert len(seen) > len(STEPS)
    assert await wait(api, build["id"], seen[-1]) == build  # nothing more will come: there is nothing to wait for


async def test_without_news_the_answer_comes_all_the_same(api: Api, design_dir: Path, jp_serverapp: ServerApp) -> None:
    write_script(design_dir, steps=STEPS, seconds=60)
    build = await api.build(design_dir)
    last = (await api.until(build["id"], "running"))["seq"]
    while (new := (await wait(api, build["id"], last, 2))["seq"]) > last:
        last = new
    build_id = build["id"]
    waiting = [asyncio.ensure_future(wait(api, build_id, last)) for _ in range(MOST)]
    for _ in range(200):
        lines = jp_serverapp.web_app.settings["a6hub_turns"]
        if sum(turns._present for kind, turns in lines.items() if "wait for news" in kind.name) == MOST:
            break
        await asyncio.sleep(0.02)
    assert (await wait(api, build_id, last))["seq"] == last  # so many wait already: at once
    assert not any(w.done() for w in waiting)
    assert (await api.post("builds", build_id, "cancel"))[0] == 202
    assert all(b["seq"] > last for b in await asyncio.gather(*waiting))


@pytest.mark.parametrize("params", [{"wait": "31"}, {"wait": "-1"}, {"wait": "x"}, {"after": "1e3"}, {"after": "²"}])
async def test_what_is_no_number_is_named(api: Api, design_dir: Path, params: dict[str, str]) -> None:
    write_script(design_dir, steps=STEPS[:1], seconds=0.01)
    build = await api.build(design_dir, to_step=STEPS[0])
    status, answer = await api.get("builds", build["id"], params=params)
    assert (status, answer["field"]) == (422, next(iter(params)))
