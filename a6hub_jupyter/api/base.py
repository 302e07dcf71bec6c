"""What all handlers share: the services behind them, errors as JSON, files by byte range."""

from __future__ import annotations

import json
import math
import mimetypes
import os
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

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

CHUNK = 1 << 18
MAX_BODY = 1 << 20


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

    async def send_file(
        self,
        path: Path,
        *,
        content_type: str,
        download: str | None = None,
        gzip: bool = False,
        ranges: bool = True,
        part: tuple[int, int] | None = None,
    ) -> None:
        """Send a file or the part that ``Range`` asks for, with an ETag of its size and time of modification.

        ``part`` sends those bytes (start, end) alone, as if they were the file; ``gzip`` says that the file is gzipped
        and is to arrive unpacked. Such a file, and one without ``ranges``, is sent whole whatever ``Range`` says.
        """
        ranges = ranges and not gzip
        try:
            file = path.open("rb")
        except OSError as error:
            raise Refusal(404, f"'{path.name}' is not there.", remedy="It may have been deleted.") from error
        with file:
            status = os.fstat(file.fileno())
            self.set_header("ETag", f'"{status.st_size:x}-{status.st_mtime_ns:x}"')
            self.set_header("Accept-Ranges", "bytes" if ranges else "none")
            self.set_header("X-Content-Type-Options", "nosniff")
            if gzip:
                self.set_header("Content-Encoding", "gzip")
            if download is not None:
                quoted = re.sub(r"[^\w.\-+ ]", "_", download)
                self.set_header("Content-Disposition", f'attachment; filename="{quoted}"')
            if self.check_etag_header():
                self.set_status(304)
                await self.finish(set_content_type=content_type)
                return
            start, end = part or (self._range(status.st_size) if ranges else (0, status.st_size))
            self.set_header("Content-Length", str(end - start))
            file.seek(start)
            while start < end and (chunk := file.read(min(CHUNK, end - start))):
                start += len(chunk)
                self.set_header("Content-Type", content_type)
                self.write(chunk)
                await self.flush()  # waits for a slow client, so that its file never piles up in memory
        await self.finish(set_content_type=content_type)

    def _range(self, size: int) -> tuple[int, int]:
        """Return start and end (exclusive) that the Range header asks for; Refusal 416 when there is no such part."""
        header = self.request.headers.get("Range")
        if self.request.headers.get("If-Range", self._headers["ETag"]) != self._headers["ETag"]:
            return 0, size  # the file is no longer the one of which the client has a part
        match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header or "")
        if match is None or not (match[1] or match[2]):
            return 0, size  # no range, several, or another unit: RFC 9110 lets us send all
        if match[1]:
            start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        else:
            start, end = max(0, size - int(match[2])), size
        if start >= end:
            raise Refusal(
                416,
                f"The file has {size} bytes; '{header}' is not among them.",
                remedy="Ask for less.",
                headers={"Content-Range": f"bytes */{size}"},
            )
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        return start, end


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


def media_type(path: Path) -> str:
    """Return the content type for a download; text is shown, all else is opaque."""
    if path.suffix in {
        ".log",
        ".rpt",
        ".v",
        ".sv",
        ".def",
        ".lef",
        ".json",
        ".yaml",
        ".sdc",
        ".csv",
        ".txt",
        ".lyrdb",
    }:
        return "text/plain; charset=utf-8"
    guessed, _ = mimetypes.guess_type(path.name)
    return guessed if guessed in {"image/png"} else "application/octet-stream"
