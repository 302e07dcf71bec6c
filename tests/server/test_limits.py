"""Heavy work is bounded: how much of it at once, how many wait for it, and that it holds nobody else up."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import threading
import zipfile
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError

from a6hub_jupyter.api import archive, base
from a6hub_jupyter.api.layouts import CONVERSIONS
from a6hub_jupyter.api.lint import LINTS
from a6hub_jupyter.api.log import SEARCHES
from a6hub_jupyter.builds.search import Search

from .conftest import Api, Json, write_script

STEPS = ["Verilator.Lint"]


@pytest.fixture(autouse=True)
def impatient_client(http_server_client: Any) -> None:
    """The client sends all that is asked of it at once, not ten requests at a time."""
    http_server_client.max_clients = 200


async def finished(api: Api, design_dir: Path) -> str:
    write_script(design_dir, steps=STEPS, seconds=0.01, print="line\n")
    build = await api.build(design_dir, to_step=STEPS[0])
    return str((await api.until(build["id"]))["id"])


def together(number: int, ask: Callable[[int], Awaitable[Any]]) -> list[asyncio.Future[Any]]:
    return [asyncio.ensure_future(ask(n)) for n in range(number)]


async def check_busy(answers: list[asyncio.Future[Any]], refused: int) -> None:
    """Wait until as many requests as should be are refused with 429, and see that each says when to come again."""
    for _ in range(1000):
        if sum(a.done() for a in answers) >= refused:
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    done = [a.result() for a in answers if a.done()]
    assert [r.code for r in done] == [429] * refused
    for response in done:
        assert int(response.headers["Retry-After"]) > 0
        assert json.loads(response.body)["remedy"]


async def test_searches_wait_in_a_line_that_has_an_end(
    api: Api, design_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = await finished(api, design_dir)
    go_on, running, most = asyncio.Event(), 0, 0

    async def slow(search: Search) -> dict[str, Any]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1
        return search.run()

    monkeypatch.setattr(Search, "answer", slow)
    held = SEARCHES.at_once + SEARCHES.waiting
    params = {"pattern": "line"}
    answers = together(held + 3, lambda _: api.raw("builds", build, "log", "search", params=params))
    await check_busy(answers, 3)
    go_on.set()
    codes = [response.code for response in await asyncio.gather(*answers)]
    assert sorted(codes) == [200] * held + [429] * 3
    assert most == SEARCHES.at_once
    assert (await api.raw("builds", build, "log", "search", params=params)).code == 200


async def test_a_search_that_nobody_waits_for_is_not_made(
    api: Api, design_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = await finished(api, design_dir)
    begun, go_on, made = asyncio.Event(), asyncio.Event(), []

    async def slow(search: Search) -> dict[str, Any]:
        made.append(search.pattern)
        if len(made) == SEARCHES.at_once:
            begun.set()
        await go_on.wait()
        return search.run()

    monkeypatch.setattr(Search, "answer", slow)

    async def search(pattern: str, seconds: float) -> None:
        await api.raw("builds", build, "log", "search", params={"pattern": pattern}, request_timeout=seconds)

    patient = together(SEARCHES.at_once, lambda n: search(f"first {n}", 20))
    await asyncio.wait_for(begun.wait(), 10)
    with pytest.raises(HTTPClientError):
        await search("given up", 0.3)
    await asyncio.sleep(0.2)
    go_on.set()
    await asyncio.gather(*patient, search("last", 20))
    assert sorted(made) == [*(f"first {n}" for n in range(SEARCHES.at_once)), "last"]


async def test_archives_are_few_at_once_and_made_off_the_event_loop(
    api: Api, design_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = await finished(api, design_dir)
    go_on, threads, real = threading.Event(), set(), archive.pieces

    def slow(*arguments: Any) -> Generator[bytes, None, None]:
        for piece in real(*arguments):
            go_on.wait(20)
            threads.add(threading.get_ident())
            yield piece

    monkeypatch.setattr(archive, "pieces", slow)
    most = archive.ARCHIVES.at_once
    answers = together(most + 2, lambda _: api.raw("builds", build, "archive"))
    try:
        await check_busy(answers, 2)
    finally:
        go_on.set()
    whole = [r for r in await asyncio.gather(*answers) if r.code == 200]
    assert len(whole) == most
    for response in whole:
        assert zipfile.ZipFile(io.BytesIO(response.body)).testzip() is None
    assert threads
    assert threading.get_ident() not in threads


async def test_a_client_that_takes_nothing_loses_its_place(
    api: Api,
    design_dir: Path,
    jp_serverapp: ServerApp,
    jp_base_url: str,
    http_server_port: tuple[Any, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    build = await finished(api, design_dir)
    (design_dir / "runs" / build / "large").write_bytes(os.urandom(30_000_000))
    monkeypatch.setattr(base, "STALLED_SECONDS", 1.0)
    head = (
        f"GET {jp_base_url}api/a6hub/builds/{build}/archive HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: token {jp_serverapp.identity_provider.token}\r\n\r\n"
    )
    deaf = [socket.create_connection(("127.0.0.1", http_server_port[1])) for _ in range(archive.ARCHIVES.at_once)]
    for client in deaf:
        client.sendall(head.encode())
    codes = set()
    for _ in range(200):
        await asyncio.sleep(0.05)
        codes.add((await api.raw("builds", build, "archive", params={"path": "resolved.json"})).code)
        if codes == {200, 429}:
            break
        if codes == {200}:  # they have not all been let in yet
            codes.clear()
    for client in deaf:
        client.close()
    assert codes == {200, 429}


@pytest.mark.parametrize("kind", [LINTS, CONVERSIONS], ids=lambda kind: kind.name)
async def test_linting_and_layouts_are_bounded_too(
    api: Api, design_dir: Path, jp_serverapp: ServerApp, kind: Any
) -> None:
    """As if as many were under way as may be: one more is refused, and let in when one has ended."""
    ask: Callable[[], Awaitable[Any]]
    if kind is LINTS:
        body = json.dumps({"design_dir": str(design_dir), "verilog_files": ["counter.v"]})
        ask = lambda: api.raw("lint", method="POST", body=body)  # noqa: E731
        (design_dir / "counter.v").write_text("module counter; endmodule\n")
    else:
        (design_dir / "no.gds").write_bytes(b"no layout")
        ask = lambda: api.raw("layouts", "scene", params={"path": str(design_dir / "no.gds")})  # noqa: E731
    free = (await ask()).code
    assert free in {200, 422}
    turns = jp_serverapp.web_app.settings["a6hub_turns"][kind]
    turns._present = kind.at_once + kind.waiting
    await check_busy(together(1, lambda _: ask()), 1)
    turns._present -= 1
    assert (await ask()).code == free


class TestStreams:
    @pytest.fixture
    def app_traits(self) -> Json:
        return {"max_streams": 2}

    async def test_only_so_many_are_open_at_once(
        self,
        api: Api,
        design_dir: Path,
        jp_serverapp: ServerApp,
        jp_ws_fetch: Callable[..., Awaitable[Any]],
    ) -> None:
        write_script(design_dir, steps=STEPS, seconds=30)
        build = await api.build(design_dir)

        async def connect() -> Any:
            return await jp_ws_fetch("api", "a6hub", "builds", build["id"], "stream")

        sockets = [await connect() for _ in range(2)]
        for stream in sockets:
            assert json.loads(await stream.read_message())["type"] == "status"
        refused = await connect()
        assert await refused.read_message() is None
        assert refused.close_code == 1013
        assert "2 streams are open" in refused.close_reason
        sockets[0].close()
        for _ in range(500):
            if len(jp_serverapp.web_app.settings["a6hub_streams"]) < 2:
                break
            await asyncio.sleep(0.02)
        sockets.append(await connect())
        assert json.loads(await sockets[-1].read_message())["type"] == "status"
        for stream in (*sockets, refused):
            stream.close()
        await asyncio.sleep(0.2)
