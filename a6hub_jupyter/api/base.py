"""What all handlers share: the services behind them, and errors as JSON."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.iostream import IOStream

from .._version import __version__
from ..auth import BUILDS, READ, Refusal, Roots
from ..builds.examiner import Examiner
from ..builds.intake import Intake
from ..builds.model import BUILD_ID, is_too_deep
from ..builds.provision import Provision
from ..builds.queue import Queue
from ..builds.record import Record
from ..builds.store import Store
from ..layout.cache import SceneCache
from ..librelane.catalogue import Catalogue
from ..librelane.pdkjobs import PDKJobs
from ..librelane.presets import Presets
from .turns import Kind, Turns

MAX_BODY = 1 << 20
# A client that takes nothing for so many seconds does not keep its place; of an answer that is sent at once nobody sees
# how much has been taken, so it gets the time of a slow connection (bytes/s) on top.
STALLED_SECONDS, SLOWEST = 60.0, 16_000


@dataclass(frozen=True)
class Services:
    """What the handlers work with; made by the app, kept in the web application's settings as ``a6hub``."""

    store: Store
    queue: Queue
    provision: Provision
    examiner: Examiner
    intake: Intake
    presets: Presets
    roots: Roots
    scenes: SceneCache
    pdk_jobs: PDKJobs
    catalogue: Catalogue
    max_streams: int
    max_downloads: int


def usable_store(services: Services) -> Store:
    """Return the records of builds; Refusal 503 where the server's user may not use their directory."""
    if services.store.problem is not None:
        remedy = "Set A6HubApp.builds_dir to a directory of your own, then start the server again."
        raise Refusal(503, services.store.problem, remedy=remedy, retry_after=60)
    return services.store


def find_record(services: Services, build_id: str) -> Record:
    """Return the build with this id; Refusal 404 if there is none."""
    store = usable_store(services)
    record = store.get(build_id) if BUILD_ID.fullmatch(build_id) else None
    if record is None:
        shown = build_id if len(build_id) <= 80 and build_id.isprintable() else build_id[:40] + "…"
        raise Refusal(
            404,
            f"There is no build '{shown}'.",
            field="id",
            remedy="a6hub.builds() lists the builds there are.",
        )
    return record


Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])


def guarded(action: str, resource: str, authenticated: Any = web.authenticated) -> Callable[[Method], Method]:
    """Let a handler's method run only for an authenticated user whom the server's authorizer allows the action."""

    def decorate(method: Method) -> Method:
        allowed: Any = authorized(action, resource)
        return cast("Method", authenticated(allowed(method)))

    return decorate


class A6HubHandler(APIHandler):
    """Base of our REST handlers."""

    auth_resource = BUILDS
    gone = False

    @property
    def services(self) -> Services:
        """What the app made."""
        services: Services = self.settings["a6hub"]
        return services

    @property
    def _track_activity(self) -> bool:  # type: ignore[override]
        """Reading is no activity: a widget that polls must not keep an idle server from being culled."""
        return self.request.method != "GET"

    def record(self, build_id: str) -> Record:
        """Return the build that the URL names, as it is now; Refusal 404."""
        record = find_record(self.services, build_id)
        self.services.queue.look(record)
        return record

    def turn(self, kind: Kind) -> AbstractAsyncContextManager[None]:
        """Return what waits for the turn of a piece of heavy work; entering it may be refused with 429."""
        lines: dict[Kind, Turns] = self.settings.setdefault("a6hub_turns", {})
        return lines.setdefault(kind, Turns(kind)).turn()

    def on_connection_close(self) -> None:
        """Note that nobody waits for the answer any more."""
        self.gone = True
        super().on_connection_close()

    def finish(self, *arguments: Any, **options: Any) -> Any:
        """Send the rest of an answer; a client that does not take it holds its memory for a bounded time."""
        written = super().finish(*arguments, **options)
        if not self._stream.closed() and self._stream.writing():
            size = int(self._headers.get("Content-Length", "0"))
            asyncio.get_running_loop().call_later(STALLED_SECONDS + size / SLOWEST, self._end_if_stalled, written)
        return written

    def _end_if_stalled(self, written: asyncio.Future[None]) -> None:
        if not written.done():
            self.give_up()

    def give_up(self) -> None:
        """End the connection of a client that takes nothing."""
        self.log.warning("a6hub: the client of %s takes nothing; giving it up", self.request.path)
        self.hang_up()

    def hang_up(self) -> None:
        """End a connection on which an answer cannot be finished; only so does its client know."""
        self._stream.close()

    @property
    def _stream(self) -> IOStream:
        connection: Any = self.request.connection  # tornado's of HTTP/1, the only one there is
        stream: IOStream = connection.stream
        return stream

    def json_body(self) -> dict[str, Any]:
        """Return the request's body; Refusal when it is too large or no JSON object."""
        if len(self.request.body) > MAX_BODY:
            raise Refusal(413, f"The request is larger than {MAX_BODY} bytes.", remedy="Send less.")
        try:
            body = json.loads(self.request.body or b"{}", parse_constant=_no_constant, parse_float=_finite)
            if is_too_deep(body):
                raise Refusal(400, "The request's body is nested too deeply.", remedy="Send a JSON object.")
            json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text that could be stored
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "The request's body is not valid JSON.", remedy="Send a JSON object.") from error
        if not isinstance(body, dict):
            raise Refusal(400, "The request's body is not a JSON object.", remedy="Send a JSON object.")
        return body

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with ``{message, field?, remedy?, errors?}``; never with a traceback."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, Refusal):
            self.set_status(error.status)
            for name, value in error.headers.items():
                self.set_header(name, value)
            self.finish(json.dumps(error.body))
            return
        message = getattr(error, "log_message", None) or self._reason
        if status_code >= 500 and not isinstance(error, web.HTTPError):
            message = "The server could not answer this request; its log says why."
        self.finish(json.dumps({"message": message}))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is a defect; a refusal is an answer."""
        if not isinstance(value, Refusal):
            super().log_exception(typ, value, tb)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    """Return a number; one that is too large for a float would come back as what JSON lacks."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


class InfoHandler(A6HubHandler):
    """``GET api/a6hub/``: the version; also the moment to get LibreLane loaded, for a build may follow."""

    @guarded(READ, BUILDS)
    async def get(self) -> None:
        """Answer with the version."""
        await self.services.provision.warm_up()
        await self.finish({"name": "a6hub-jupyter", "version": __version__})
