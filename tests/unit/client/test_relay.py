"""The kernel's relay between a page and the server: what it carries, and what never piles up in it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado import web, websocket

from a6hub_jupyter.client import relay, server
from a6hub_jupyter.client.errors import ServerNotFoundError
from a6hub_jupyter.client.relay import WINDOW, Relay, allowed

PIECE = "x" * (1 << 18)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "builds/b1"),
        ("GET", "builds/b1/artifacts/final/gds/a%20b.gds"),
        ("GET", "builds/b1/stream?offset=-262144"),
        ("GET", "layouts/scene?path=%2Fhome%2Fada%2F..%2Fx.gds"),
        ("POST", "builds/b1/cancel"),
    ],
)
def test_what_widgets_ask_for_is_carried(method: str, path: str) -> None:
    assert allowed(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "../contents"),
        ("GET", "builds/../../contents"),
        ("GET", "builds/b1/%2e%2e/%2e%2e/%2e%2e/contents"),
        ("GET", "builds/b1/%252e%252e/contents"),
        ("GET", "builds/b1/..\\contents"),
        ("GET", "builds/b1#x"),
        ("GET", "builds/b1/log\r\nX: y"),
        ("GET", "statistics"),
        ("GET", ""),
        ("POST", "builds"),
        ("POST", "builds/b1"),
        ("POST", "lint"),
        ("DELETE", "builds/b1"),
        ("CONNECT", "builds/b1"),
    ],
)
def test_nothing_else_is(method: str, path: str) -> None:
    assert not allowed(method, path)


class Log(websocket.WebSocketHandler):
    """Says 40 pieces of a log, 10 MB, and then the end."""

    async def open(self) -> None:
        for number in range(40):
            await self.write_message(json.dumps({"type": "log", "data": {"offset": number, "text": PIECE}}))
        await self.write_message(json.dumps({"type": "complete", "data": {}}))
        self.close(1000)


class Large(web.RequestHandler):
    """Answers with 10 MB."""

    async def get(self) -> None:
        for _ in range(40):
            self.write(PIECE)
            await self.flush()


class Echo(web.RequestHandler):
    def post(self) -> None:
        self.set_status(409)
        headers = self.request.headers
        self.write({"message": "No.", "token": headers.get("Authorization"), "extra": headers.get("X-Extra")})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], tuple[Relay, list[tuple[dict[str, Any], bytes]]]]]:
    """A relay to a small server, and what it has said to the page."""
    started, stop = threading.Event(), threading.Event()
    port = 0

    async def serve() -> None:
        nonlocal port
        routes = [
            ("/api/a6hub/builds/b/stream", Log),
            ("/api/a6hub/builds/b/log", Large),
            ("/api/a6hub/builds/b/cancel", Echo),
        ]
        http = web.Application(routes).listen(0, "127.0.0.1")
        port = next(iter(http._sockets.values())).getsockname()[1]
        started.set()
        await asyncio.to_thread(stop.wait)
        http.stop()
        await http.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    there = server.Server(server.Address(f"http://127.0.0.1:{port}/", "secret", ""))
    monkeypatch.setattr(relay, "current_server", lambda: there)
    opened: list[Relay] = []

    def make() -> tuple[Relay, list[tuple[dict[str, Any], bytes]]]:
        heard: list[tuple[dict[str, Any], bytes]] = []
        made = Relay(lambda message, buffers: heard.append((message, b"".join(buffers))))
        opened.append(made)
        return made, heard

    yield make
    for each in opened:
        each.close()
    stop.set()
    thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def kinds(heard: list[tuple[dict[str, Any], bytes]]) -> list[str]:
    return [message["relay"] for message, _ in heard]


def size(heard: list[tuple[dict[str, Any], bytes]]) -> int:
    return sum(len(data) for _, data in list(heard))


def test_a_page_that_takes_no_log_gets_the_events_all_the_same(said: Any) -> None:
    made, heard = said()
    made.hear({"relay": "open", "call": "1", "path": "builds/b/stream?offset=0"})
    wait_for(lambda: "closed" in kinds(heard))
    frames = [data for message, data in heard if message["relay"] == "frame"]
    assert json.loads(frames[-1])["type"] == "complete"
    assert 1 < len(frames) < 40
    assert sum(map(len, frames)) < WINDOW + 2 * len(PIECE)
    assert heard[-1][0]["code"] == 1000


def test_a_page_that_says_what_it_has_gets_the_whole_log(said: Any) -> None:
    made, heard = said()
    made.hear({"relay": "open", "call": "1", "path": "builds/b/stream?offset=0"})
    done = threading.Event()

    def acknowledge() -> None:
        while not done.wait(0.005):
            made.hear({"relay": "ack", "call": "1", "bytes": size(heard)})

    thread = threading.Thread(target=acknowledge)
    thread.start()
    wait_for(lambda: "closed" in kinds(heard))
    done.set()
    thread.join()
    assert kinds(heard).count("frame") == 41


def test_an_answer_waits_for_the_page(said: Any) -> None:
    made, heard = said()
    made.hear({"relay": "request", "call": "1", "method": "GET", "path": "builds/b/log"})
    wait_for(lambda: size(heard) >= WINDOW)
    time.sleep(0.3)
    assert size(heard) < WINDOW + 2 * len(PIECE)
    assert "end" not in kinds(heard)
    while "end" not in kinds(heard):
        made.hear({"relay": "ack", "call": "1", "bytes": size(heard)})
        time.sleep(0.01)
    assert size(heard) == 40 * len(PIECE)


def test_a_refusal_goes_to_the_page_as_it_is_with_the_kernels_credentials(said: Any) -> None:
    made, heard = said()
    message = {
        "relay": "request",
        "call": "1",
        "method": "POST",
        "path": "builds/b/cancel",
        "headers": {"X-Extra": "1"},
    }
    made.hear(message)
    wait_for(lambda: "end" in kinds(heard))
    head = next(message for message, _ in heard if message["relay"] == "head")
    assert head["status"] == 409
    answer = json.loads(b"".join(data for message, data in heard if message["relay"] == "data"))
    assert answer == {"message": "No.", "token": "token secret", "extra": None}


def test_what_is_not_ours_is_passed_over_and_the_rest_is_answered(said: Any) -> None:
    made, heard = said()
    for message in ({}, {"relay": 3, "call": "1"}, {"relay": "ping", "call": 4}, {"relay": "novelty", "call": "2"}):
        made.hear(message)
    made.hear({"relay": "ping", "call": "3"})
    made.hear({"relay": "request", "call": "4", "method": "GET", "path": "../contents"})
    made.hear({"relay": "asset", "call": "5", "name": "../../etc/passwd"})
    made.hear({"relay": "open", "call": "6", "path": "builds/b/log"})
    wait_for(lambda: len(heard) >= 7)
    by_call = sorted((m["call"], m["relay"]) for m, _ in heard)
    assert by_call == [
        ("3", "taken"),
        ("4", "failed"),
        ("4", "taken"),
        ("5", "failed"),
        ("5", "taken"),
        ("6", "closed"),
        ("6", "taken"),
    ]


def test_without_a_server_there_is_a_sentence(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise ServerNotFoundError("No Jupyter server was found.")

    monkeypatch.setattr(relay, "current_server", none)
    made, heard = said()
    made.hear({"relay": "request", "call": "1", "method": "GET", "path": "builds/b"})
    made.hear({"relay": "open", "call": "2", "path": "builds/b/stream"})
    wait_for(lambda: kinds(heard).count("failed") == 2)
    assert {m.get("message") for m, _ in heard if m["relay"] == "failed"} == {"No Jupyter server was found."}
