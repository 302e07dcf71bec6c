"""Carries a widget's requests to the Jupyter server where its page cannot: in VS Code, Colab and their like.

Such a page talks to the kernel alone. It sends requests and opens streams as messages of its widget, and the relay
speaks HTTP and WebSocket for it, on a thread of its own: what the server says reaches the page also while a cell runs.
What the page says does not, for the kernel reads it between cells.

Messages are small mappings; ``relay`` names the kind, ``call`` the request or stream that it belongs to.

=========  ======================================  =========  ===================================================
from page  with                                    to page    with
=========  ======================================  =========  ===================================================
asset      name                                    asset      one buffer: the file of our bundle, gzipped
request    method, path, headers, body             head       status, reason, headers; then ``data``, and ``end``
open       path                                    opened     then ``frame`` (one buffer: text), ``closed`` (code)
ack        bytes received so far                   failed     message: a sentence
abort                                              taken      the kernel has read the message: it is not busy
ping                                               alive      every few seconds, while a stream is open
=========  ======================================  =========  ===================================================

Nothing piles up in the kernel. An answer waits when the page has not yet said that it has the last 4 MB; so does the
server then. A stream goes on without the pieces of the log, which the page fetches when it can.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from .errors import A6HubError
from .server import current_server

ASSETS = ("main.js", "layout-worker.js")
STATIC = Path(__file__).parents[1] / "static"
# What widgets ask for; a page is to reach nothing else of the server through the kernel.
READABLE = re.compile(r"(?:builds/[^/?#]+(?:/[^?#]*)?|layouts/[^/?#]+)(?:\?[^#]*)?")
WRITABLE = re.compile(r"builds/[^/?#]+/(?:cancel|retry|resume)")
PASSED_ON = ("Range", "Idempotency-Key")
WINDOW = 4 << 20  # bytes under way to the page without its word that they have come
PIECE = 1 << 18  # bytes of an answer in one message
STALLED = 600.0  # seconds without a word from the page after which an answer is given up
ALIVE = 5.0  # seconds between signs of life of a stream
AT_ONCE, MOST_CALLS = 8, 200
MAX_FRAME = 16 << 20
LONGEST_ANSWER = httpx.Timeout(10.0, read=300.0)  # a large layout takes its time

Send = Callable[[dict[str, Any], list[bytes]], None]


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop on which all relays of this kernel work; its thread ends with the kernel."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="a6hub relay", daemon=True).start()
    return loop


def allowed(method: str, path: str) -> bool:
    """Whether a page may have this asked, ``path`` below ``api/a6hub/``."""
    plain = unquote(unquote(path.partition("?")[0])).replace("\\", "/")
    if not path.isascii() or not path.isprintable() or {".", ".."} & set(plain.split("/")):
        return False
    pattern = {"GET": READABLE, "POST": WRITABLE}.get(method)
    return pattern is not None and pattern.fullmatch(path) is not None


class Call:
    """One request or stream of a page, and how much of it the page has not yet got."""

    def __init__(self, name: str, send: Send) -> None:
        self.name = name
        self.task: asyncio.Task[None] | None = None
        self._send = send
        self._sent = self._received = 0
        self._heard = asyncio.Event()

    @property
    def crowded(self) -> bool:
        """Whether as much is under way as may be."""
        return self._sent - self._received >= WINDOW

    def tell(self, kind: str, data: bytes | None = None, **more: Any) -> None:
        """Send a message of this call."""
        self._sent += len(data or b"")
        self._send({"relay": kind, "call": self.name, **more}, [] if data is None else [data])

    def acknowledge(self, received: int) -> None:
        """Take in how many bytes the page has."""
        self._received = max(self._received, min(received, self._sent))
        self._heard.set()

    async def room(self) -> None:
        """Wait until more may be sent; TimeoutError if the page says nothing for long."""
        while self.crowded:
            self._heard.clear()
            await asyncio.wait_for(self._heard.wait(), STALLED)


class Relay:
    """The requests and streams of one widget; ``send`` takes a message and its buffers, on the relay's thread."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._calls: dict[str, Call] = {}
        self._streams: set[str] = set()
        self._pulse: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._loop = _loop()

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take in a message of the page; what is none of ours, or malformed, is passed over."""
        kind, name = message.get("relay"), message.get("call")
        if isinstance(kind, str) and isinstance(name, str) and len(name) <= 80:
            self._loop.call_soon_threadsafe(self._take, kind, name, dict(message))

    def close(self) -> None:
        """End all that is under way."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def _take(self, kind: str, name: str, message: dict[str, Any]) -> None:
        call = self._calls.get(name)
        if kind == "ack" and call:
            call.acknowledge(_whole_number(message.get("bytes")))
        elif kind == "abort" and call and call.task:
            call.task.cancel()
        elif kind == "ping":
            Call(name, self._send).tell("taken")
        elif kind in {"asset", "request", "open"} and call is None:
            self._begin(kind, Call(name, self._send), message)

    def _begin(self, kind: str, call: Call, message: dict[str, Any]) -> None:
        call.tell("taken")
        if len(self._calls) >= MOST_CALLS:
            call.tell("failed", message="The kernel carries too many requests for this page; reload it.")
            return
        work: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
            "asset": self._asset,
            "request": self._request,
            "open": self._stream,
        }
        self._calls[call.name] = call
        call.task = self._loop.create_task(self._run(call, work[kind](call, message)))

    async def _run(self, call: Call, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except A6HubError as error:
            call.tell("failed", message=str(error))
        except asyncio.TimeoutError:
            call.tell("failed", message="The page did not take the answer in; try again.")
        except (httpx.HTTPError, OSError):
            call.tell("failed", message="The Jupyter server does not answer.")
        finally:
            self._calls.pop(call.name, None)

    async def _asset(self, call: Call, message: dict[str, Any]) -> None:
        if message.get("name") not in ASSETS:
            call.tell("failed", message="There is no such file in the bundle.")
            return
        try:
            packed = await asyncio.to_thread(_packed, STATIC / message["name"])
        except OSError:
            call.tell("failed", message="a6hub-jupyter was installed without its JavaScript; install it again.")
            return
        call.tell("asset", packed)

    async def _request(self, call: Call, message: dict[str, Any]) -> None:
        method, path, body = message.get("method"), message.get("path"), message.get("body")
        if not isinstance(method, str) or not isinstance(path, str) or not allowed(method, path):
            call.tell("failed", message="The kernel does not carry this request to the server.")
            return
        given = message.get("headers")
        headers = {k: str(given[k]) for k in PASSED_ON if k in given} if isinstance(given, dict) else {}
        async with self._slots:
            server = await asyncio.to_thread(current_server)
            headers |= await asyncio.to_thread(server.credentials, method)
            content = body.encode() if isinstance(body, str) else None
            client = _client(server.address.url)
            async with client.stream(method, f"api/a6hub/{path}", headers=headers, content=content) as answer:
                kept = {k: v for k, v in answer.headers.items() if k in {"content-type", "content-encoding", "etag"}}
                call.tell("head", status=answer.status_code, reason=answer.reason_phrase, headers=kept)
                async for piece in answer.aiter_raw(PIECE):
                    await call.room()
                    call.tell("data", piece)
        call.tell("end")

    async def _stream(self, call: Call, message: dict[str, Any]) -> None:
        path = message.get("path")
        if not isinstance(path, str) or not allowed("GET", path) or "/stream" not in path.partition("?")[0]:
            call.tell("closed", code=4400)
            return
        server = await asyncio.to_thread(current_server)
        headers = await asyncio.to_thread(server.credentials, "GET")
        address = f"ws{server.address.url.removeprefix('http')}api/a6hub/{path}"
        request = HTTPRequest(address, headers=headers, connect_timeout=10.0)
        try:
            socket = await websocket_connect(request, max_message_size=MAX_FRAME)
        except Exception:  # noqa: BLE001 - tornado raises whatever stands in the way; the page asks HTTP what it is
            call.tell("closed", code=1006)
            return
        self._streams.add(call.name)
        self._pulse = self._pulse or self._loop.create_task(self._beat())
        try:
            call.tell("opened")
            await _pass_on(call, socket)
        finally:
            self._streams.discard(call.name)
            socket.close()

    async def _beat(self) -> None:
        """Let the page know that its streams live, however long the server or the kernel has nothing to say."""
        while self._streams:
            self._send({"relay": "alive"}, [])
            await asyncio.sleep(ALIVE)
        self._pulse = None

    def _abort_all(self) -> None:
        for call in self._calls.values():
            if call.task:
                call.task.cancel()


async def _pass_on(call: Call, socket: WebSocketClientConnection) -> None:
    while (frame := await socket.read_message()) is not None:
        text = frame.encode() if isinstance(frame, str) else frame
        # the page sees the gap when the next piece comes, or the end, and fetches it
        if not call.crowded or json.loads(text).get("type") != "log":
            call.tell("frame", text)
    call.tell("closed", code=socket.close_code or 1006)


@lru_cache(maxsize=4)
def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=LONGEST_ANSWER, trust_env=False)


def _whole_number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


@lru_cache(maxsize=4)
def _packed(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), 9)
