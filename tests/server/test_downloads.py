"""Downloads: so many at once, none of them in memory, and a client that takes nothing loses its place."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gdstk
import psutil
import pytest
from jupyter_server.serverapp import ServerApp

from a6hub_jupyter.api import base

from .conftest import Api, Json, write_script

MOST = 3
STEP = "Verilator.Lint"
# Far more than the kernel keeps between two sockets.
LARGE = 100_000_000
Deaf = Callable[[str], socket.socket]


@pytest.fixture
def app_traits(request: pytest.FixtureRequest) -> Json:
    return {"max_downloads": getattr(request, "param", MOST)}


@pytest.fixture
def build(api: Api, design_dir: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> str:
    """A build that has ended, with a large file."""

    async def made() -> str:
        write_script(design_dir, steps=[STEP], seconds=0.01, print="line\n")
        build = await api.build(design_dir, to_step=STEP)
        return str((await api.until(build["id"]))["id"])

    build = jp_asyncio_loop.run_until_complete(made())
    with (design_dir / "runs" / build / "large").open("wb") as file:
        file.truncate(LARGE)
    return build


@pytest.fixture
def deaf(jp_serverapp: ServerApp, jp_base_url: str, http_server_port: tuple[Any, int]) -> Iterator[Deaf]:
    """Ask for something, and never read the answer."""
    clients = []

    def ask(path: str) -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", http_server_port[1]))
        token = jp_serverapp.identity_provider.token
        head = f"GET {jp_base_url}api/a6hub/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {token}\r\n\r\n"
        client.sendall(head.encode())
        clients.append(client)
        return client

    yield ask
    for client in clients:
        client.close()


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it does not come about")


async def received(client: socket.socket) -> int:
    """Return how many bytes are there until the connection ends."""
    client.settimeout(20)
    size = 0
    with contextlib.suppress(ConnectionError):
        while data := await asyncio.to_thread(client.recv, 1 << 20):
            size += len(data)
    return size


def present(jp_serverapp: ServerApp) -> int:
    """Return how many downloads are under way."""
    lines = jp_serverapp.web_app.settings.get("a6hub_turns", {})
    return sum(turns._present for kind, turns in lines.items() if kind.name == "downloads")


async def test_one_more_than_may_be_is_told_when_to_come_again(
    api: Api, build: str, deaf: Deaf, jp_serverapp: ServerApp, design_dir: Path
) -> None:
    library = gdstk.Library("x")
    library.new_cell("top").add(gdstk.rectangle((0, 0), (1, 1)))
    library.write_gds(design_dir / "chip.gds")
    layout = {"path": str(design_dir / "chip.gds")}
    asked: list[tuple[tuple[str, ...], Json]] = [
        (("builds", build, "artifacts", "resolved.json"), {}),
        (("builds", build, "log"), {}),
        (("builds", build, "archive"), {"params": {"path": "resolved.json"}}),
        (("layouts", "scene"), {"params": layout}),
        (("layouts", "layers"), {"params": layout}),
        (("layouts", "snapshot"), {"params": layout}),
        (("openapi.yaml",), {}),
    ]
    for path, options in asked:
        assert (await api.raw(*path, **options)).code == 200, path
    clients = [deaf(f"builds/{build}/artifacts/large") for _ in range(MOST)]
    await until(lambda: present(jp_serverapp) == MOST)
    for path, options in asked:
        refused = await api.raw(*path, **options)
        assert refused.code == 429, path
        assert int(refused.headers["Retry-After"]) > 0
        assert "downloads" in json.loads(refused.body)["message"]
    assert (await api.get("builds", build))[0] == 200  # what is no file goes on
    for client in clients:
        client.close()
    await until(lambda: present(jp_serverapp) == 0)
    for path, options in asked:
        assert (await api.raw(*path, **options)).code == 200, path


async def test_a_client_that_takes_nothing_loses_its_place(
    api: Api, build: str, deaf: Deaf, jp_serverapp: ServerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "STALLED_SECONDS", 2.0)
    for _ in range(MOST):
        deaf(f"builds/{build}/artifacts/large")
    await until(lambda: present(jp_serverapp) == MOST)
    await until(lambda: present(jp_serverapp) == 0)
    assert (await api.raw("builds", build, "log")).code == 200


@pytest.mark.parametrize("app_traits", [8], indirect=True)
async def test_what_a_slow_client_has_not_taken_is_not_in_memory(
    api: Api, build: str, deaf: Deaf, jp_serverapp: ServerApp
) -> None:
    gc.collect()
    before = psutil.Process().memory_info().rss
    for _ in range(8):
        deaf(f"builds/{build}/artifacts/large")
    await until(lambda: present(jp_serverapp) == 8)
    await asyncio.sleep(1)
    assert psutil.Process().memory_info().rss - before < 50_000_000


async def test_an_answer_that_nobody_takes_is_let_go_of(
    api: Api, build: str, deaf: Deaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one that is no file: as JSON, 6 MB of text."""
    monkeypatch.setattr(base, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(base, "SLOWEST", 1e9)
    console = tmp_path / "builds" / build / "console.log"
    console.write_text(("é" * 999 + "\n") * 1000, encoding="utf-8")
    client = deaf(f"builds/{build}/log/search?pattern=%C3%A9")
    await until(lambda: "takes nothing" in caplog.text)
    assert await received(client) < 6_000_000


async def test_a_file_that_becomes_shorter_is_no_whole_download(
    api: Api, build: str, deaf: Deaf, design_dir: Path, jp_serverapp: ServerApp
) -> None:
    client = deaf(f"builds/{build}/artifacts/large")
    await until(lambda: present(jp_serverapp) == 1)
    with (design_dir / "runs" / build / "large").open("r+b") as file:
        file.truncate(1)
    assert 0 < await received(client) < LARGE
    assert present(jp_serverapp) == 0
