"""The live stream of a build over a WebSocket.

There is no queue for a client: each connection reads the journal and the console from where it is, at the pace at
which its client takes the messages. A slow client costs the server nothing but two file positions.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import time
from typing import Any

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..auth import BUILDS, READ, Refusal
from ..builds.journal import CONSOLE, JournalReader
from ..builds.model import ENDED, now
from ..builds.record import Record
from .base import Services, find_record, guarded
from .builds import build_json

PING_MILLISECONDS = 20_000
# At most 20 log messages a second, each at most this many bytes: 5 MB/s for a client that catches up.
LOG_INTERVAL, LOG_BYTES = 0.05, 1 << 18
MAX_MESSAGE = 1 << 12
MAX_POSITION = 1 << 62
NO_SUCH_BUILD, BAD_PARAMETER, TRY_LATER = 4404, 4400, 1013


class StreamHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """``ws builds/{id}/stream?after=SEQ&offset=BYTES``; each event and each byte exactly once.

    The first message is a ``status`` with the whole present state; without ``after``, the events begin after that.
    """

    auth_resource = BUILDS

    @property
    def ping_interval(self) -> int:
        """Milliseconds (the mixin's unit): proxies drop what is silent for a minute."""
        return PING_MILLISECONDS

    @property
    def max_message_size(self) -> int:
        """Clients have nothing to say but ``ping``."""
        return MAX_MESSAGE

    def set_default_headers(self) -> None:
        """Leave out the headers of pages: a WebSocket has no content."""

    @property
    def _open_streams(self) -> set[StreamHandler]:
        """All that are sent to at the moment."""
        streams: set[StreamHandler] = self.settings.setdefault("a6hub_streams", set())
        return streams

    @guarded(READ, BUILDS, authenticated=ws_authenticated)
    async def get(self, build_id: str) -> None:
        """Open the socket for who may read builds."""
        await super().get(build_id)

    async def open(self, build_id: str) -> None:
        """Begin to send, or close with a code that says why not."""
        super().open()
        self._task: asyncio.Task[None] | None = None
        services: Services = self.settings["a6hub"]
        streams = self._open_streams
        if len(streams) >= services.max_streams:
            self.close(TRY_LATER, f"{len(streams)} streams are open already; close some, or try again later.")
            return
        streams.add(self)
        try:
            record = find_record(services, build_id)
        except Refusal as refusal:
            self.close(NO_SUCH_BUILD if refusal.status == 404 else TRY_LATER, str(refusal)[:120])
            return
        try:
            record.refresh()
            after = int(self.get_query_argument("after", str(record.snapshot.seq)))
            offset = int(self.get_query_argument("offset", "0"))
        except ValueError:
            after = offset = MAX_POSITION + 1
        if max(abs(after), abs(offset)) > MAX_POSITION:  # also what no file can have
            self.close(BAD_PARAMETER, "'after' and 'offset' are whole numbers.")
            return
        if offset < 0:  # so many bytes before the end
            offset = max(0, record.log_size + offset)
        self._task = asyncio.get_running_loop().create_task(self._send_all(services, record, max(0, after), offset))

    async def on_message(self, message: str | bytes) -> None:
        """Answer ``ping``; all else is passed over."""
        try:
            kind = json.loads(message).get("type")
        except (ValueError, AttributeError, RecursionError):
            return
        if kind == "ping":  # awaited: who asks without reading the answers is not heard until they are read
            with contextlib.suppress(WebSocketClosedError, StreamClosedError):
                await self._write("pong", {}, None)

    def on_close(self) -> None:
        """Stop reading for a client that is gone."""
        self._open_streams.discard(self)
        task = getattr(self, "_task", None)
        if task is not None:
            task.cancel()

    async def _send_all(self, services: Services, record: Record, after: int, offset: int) -> None:
        try:
            await self._follow(services, record, after, offset)
            self.close(1000)
        except (WebSocketClosedError, StreamClosedError):
            return
        except Exception:
            self.log.exception("a6hub: the stream of build %s broke", record.id)
            self.close(1011, "The server could not read the build's record.")

    async def _follow(self, services: Services, record: Record, after: int, offset: int) -> None:
        sent_state = record.snapshot.state
        await self._write("status", build_json(services, record), after)
        events = JournalReader(record.directory)
        log = LogReader(record, offset)
        sent_position: tuple[int | None, str | None] = services.queue.position(record)
        next_log = 0.0
        while True:
            changed = record.changed
            ended = not record.live
            for event in events.read():
                if event["seq"] <= after:
                    continue
                after = event["seq"]
                data = event["data"]
                if event["type"] == "complete":
                    break  # sent at the very end, after the last byte of the log
                if event["type"] == "status":
                    data, sent_state = {**build_json(services, record), "state": data["state"]}, data["state"]
                await self._write(event["type"], data, after, event["timestamp"])
            # after a pause what comes is sent at once, and what follows together, at the end of the interval
            pause = next_log - time.monotonic()
            text = log.read(final=ended) if pause <= 0 else None
            if text:
                next_log = time.monotonic() + LOG_INTERVAL
                await self._write("log", text, None)
                continue  # to the events: a log without a pause must not keep them back
            if ended and pause > 0:
                await asyncio.sleep(pause)
                continue
            if ended:
                await self._write("complete", build_json(services, record), record.snapshot.seq)
                return
            position = services.queue.position(record)
            moved = record.snapshot.state != sent_state or position != sent_position
            if moved and record.snapshot.seq >= after:  # never behind what the journal has told already
                sent_state, sent_position = record.snapshot.state, position
                if sent_state not in ENDED:
                    await self._write("status", build_json(services, record), after)
            if not record.live:
                continue
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(changed.wait(), pause if pause > 0 else None)

    def _write(self, kind: str, data: dict[str, Any], seq: int | None, timestamp: str | None = None) -> Any:
        message: dict[str, Any] = {"type": kind, "data": data, "timestamp": timestamp or now()}
        if seq is not None:
            message["seq"] = seq
        return self.write_message(json.dumps(message))


class LogReader:
    """Reads the console as valid text; a character that is not yet whole is left for the next time."""

    def __init__(self, record: Record, offset: int) -> None:
        self._path = record.directory / CONSOLE
        self._offset = offset

    def read(self, *, final: bool) -> dict[str, Any] | None:
        """Return ``{offset, end, text}`` of the next bytes, None if there are none (``final``: none will come)."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(LOG_BYTES)
        except FileNotFoundError:
            return None
        if not data:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        last = final and len(data) < LOG_BYTES
        text = decoder.decode(data, final=last)
        end = self._offset + len(data) - len(decoder.getstate()[0])
        if end == self._offset:
            return None
        message = {"offset": self._offset, "end": end, "text": text}
        self._offset = end
        return message
