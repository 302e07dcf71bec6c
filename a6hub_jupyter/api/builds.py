"""Builds as a resource: list, create, get, note down, cancel, retry, resume, delete."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
from datetime import datetime, timezone
from typing import Any

from ..auth import BUILDS, EXECUTE, READ, WRITE, Refusal
from ..builds.index import Filters
from ..builds.model import BUILD_ID, ENDED, QUEUED, RUNNING, STARTING
from ..builds.record import Record
from ..builds.reproduction import command_json
from .base import A6HubHandler, Services, guarded, usable_store
from .turns import Kind

DEFAULT_LISTED, MAX_LISTED = 50, 200
# Seconds: proxies give up what is silent for a minute.
MAX_WAIT, MAX_SEQ = 30, 1 << 62
MAX_NOTES, MAX_TAGS, MAX_TAG = 10_000, 50, 200


def build_json(services: Services, record: Record) -> dict[str, Any]:
    """Return a build as clients see it (the schema ``Build`` of the API)."""
    request, snapshot = record.request, record.snapshot
    position, reason = services.queue.position(record)
    progress = snapshot.expectation(datetime.now(timezone.utc))
    return {
        "id": request.id,
        "state": snapshot.state,
        "design": {"name": request.name, "directory": services.roots.shorten(request.design_dir)},
        "flow": request.flow,
        "pdk": request.pdk,
        "scl": request.scl,
        "pdk_note": request.pdk_note,
        "toolchain": request.toolchain,
        "toolchain_reason": request.toolchain_reason,
        "executor": request.executor,
        "config": request.config,
        "command": command_json(request, snapshot.command),
        "meta": request.meta,
        "presets": request.presets,
        "origins": request.origins,
        "tags": record.tags,
        "notes": record.annotations.get("notes", ""),
        "retry_of": request.retry_of,
        "resume_of": request.resume_of,
        "created": request.created,
        "started": snapshot.started,
        "finished": snapshot.finished,
        **progress,
        "eta_basis": request.weights_basis if progress["eta_seconds"] is not None else None,
        "steps": [s.to_json() for s in snapshot.steps.values()],
        "metrics": snapshot.metrics,
        "error": snapshot.error,
        "exit_code": snapshot.exit_code,
        "queue_position": position,
        "queue_reason": reason,
        "run_directory": services.roots.shorten(request.run_dir),
        "log_size": record.log_size,
        "seq": snapshot.seq,
        "has_picture": "render" in snapshot.views,
        "has_layout": "gds" in snapshot.views,
    }


def annotations_etag(record: Record) -> str:
    """Return the ETag of what a user may change: the tags and the notes."""
    text = json.dumps([record.tags, record.annotations.get("notes", "")])
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


class MakingHandler(A6HubHandler):
    """Base of those that make builds."""

    async def answer_with(self, record: Record, created: bool) -> None:
        """Answer with a build that has been made now (201), or that the same request made before (200)."""
        self.set_status(201 if created else 200)
        self.set_header("Location", f"{self.base_url}api/a6hub/builds/{record.id}")
        await self.finish(build_json(self.services, record))


class BuildsHandler(MakingHandler):
    """``builds``: the list, and where new ones are made."""

    @guarded(READ, BUILDS)
    async def get(self) -> None:
        """Answer with a page of builds; ``next`` is the cursor of the next page, null on the last one."""
        limit, filters = self._limit(), self._filters()
        services, store = self.services, usable_store(self.services)
        # what is in memory changes on the event loop and is read there; the rest, far more, is not its business
        live = store.find_live(filters)
        shown = {record.id: build_json(services, record) for record in live[: limit + 1]}

        def page() -> str:
            found = store.find(filters, limit + 1, live)
            builds = [shown.get(record.id) or build_json(services, record) for record in found[:limit]]
            more = _cursor(found[limit - 1]) if len(found) > limit else None
            total = store.count(filters, live) if filters.after is None else None
            return json.dumps({"builds": builds, "next": more, "total": total})

        await self.finish(await asyncio.to_thread(page))

    def _limit(self) -> int:
        text = self.get_query_argument("limit", str(DEFAULT_LISTED))
        if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= MAX_LISTED:
            raise Refusal(422, f"'limit' is not 1 to {MAX_LISTED}.", field="limit", remedy="Give a smaller number.")
        return int(text)

    def _filters(self) -> Filters:
        state, sort = self.get_query_argument("state", None), self.get_query_argument("sort", "-created")
        states = {QUEUED, STARTING, RUNNING, *ENDED}
        if state is not None and state not in states:
            raise Refusal(
                422, "There is no such state.", field="state", remedy=f"Use one of: {', '.join(sorted(states))}."
            )
        if sort not in {"created", "-created"}:
            raise Refusal(422, "The list cannot be sorted so.", field="sort", remedy="Use 'created' or '-created'.")
        cursor = self.get_query_argument("cursor", None)
        return Filters(
            state=state,
            design=self.get_query_argument("design", None),
            tag=self.get_query_argument("tag", None),
            text=self.get_query_argument("text", None),
            oldest_first=sort == "created",
            after=_read_cursor(cursor) if cursor else None,
        )

    @guarded(EXECUTE, BUILDS)
    async def post(self) -> None:
        """Take a build in; 201 with the build, 200 where the Idempotency-Key made it before."""
        usable_store(self.services)
        key = self.request.headers.get("Idempotency-Key")
        await self.answer_with(*await self.services.intake.take(self.json_body(), key))


class BuildHandler(A6HubHandler):
    """``builds/{id}``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Answer with the build; the ETag is that of its tags and notes.

        ``wait`` (seconds) puts the answer off until there is an event after ``after``, or the build has ended.
        """
        record = self.record(build_id)
        seconds, after = self._whole("wait", MAX_WAIT), self._whole("after", MAX_SEQ)
        waiting = Kind("requests that wait for news of a build", self.services.max_streams, 0)
        with contextlib.suppress(Refusal):  # so many wait already: this one is answered at once
            async with self.turn(waiting):
                await record.news(after, seconds)
        await self._answer(record)

    def _whole(self, name: str, most: int) -> int:
        text = self.get_query_argument(name, "0")
        if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > most:
            raise Refusal(422, f"'{name}' is no number in range.", field=name, remedy=f"Give 0 to {most}.")
        return int(text)

    @guarded(WRITE, BUILDS)
    async def patch(self, build_id: str) -> None:
        """Change tags or notes; ``If-Match`` guards against changes that somebody else made meanwhile (412)."""
        record = self.record(build_id)
        match = self.request.headers.get("If-Match")
        if match is not None and match.strip() not in {"*", annotations_etag(record)}:
            raise Refusal(412, "Tags or notes have been changed meanwhile.", remedy="Get the build again, then try.")
        changed = {**record.annotations, **_annotations(self.json_body())}
        try:
            self.services.store.annotate(record, changed)
        except OSError as error:
            sentence = f"The change could not be put on record: {error.strerror}."
            raise Refusal(507, sentence, remedy="Free space on the disk.") from error
        await self._answer(record)

    @guarded(EXECUTE, BUILDS)
    async def delete(self, build_id: str) -> None:
        """Remove an ended build's record; with ``run_directory=true`` also LibreLane's run directory."""
        record = self.record(build_id)
        whole = self.get_query_argument("run_directory", "false")
        if whole not in {"true", "false"}:
            raise Refusal(422, "This is neither true nor false.", field="run_directory", remedy="Give one of them.")
        await self.services.intake.delete(record, run_directory=whole == "true")
        self.set_status(204)
        await self.finish()

    async def _answer(self, record: Record) -> None:
        self.set_header("ETag", annotations_etag(record))
        await self.finish(build_json(self.services, record))


class CancelHandler(A6HubHandler):
    """``builds/{id}/cancel``."""

    @guarded(EXECUTE, BUILDS)
    async def post(self, build_id: str) -> None:
        """Ask for the end of the build; it comes soon. Asking again, or too late, changes nothing."""
        record = self.record(build_id)
        await self.services.queue.cancel(record)
        self.set_status(202)
        await self.finish(build_json(self.services, record))


class RetryHandler(MakingHandler):
    """``builds/{id}/retry``."""

    @guarded(EXECUTE, BUILDS)
    async def post(self, build_id: str) -> None:
        """Start a new build with the same request; 409 if the first has not ended."""
        key = self.request.headers.get("Idempotency-Key")
        await self.answer_with(*await self.services.intake.retry(self.record(build_id), key))


class ResumeHandler(MakingHandler):
    """``builds/{id}/resume``."""

    @guarded(EXECUTE, BUILDS)
    async def post(self, build_id: str) -> None:
        """Start a build that goes on in the run directory of this one, at ``from_step`` or where it failed."""
        key = self.request.headers.get("Idempotency-Key")
        record = self.record(build_id)
        await self.answer_with(*await self.services.intake.resume(record, self.json_body(), key))


class StatisticsHandler(A6HubHandler):
    """``statistics``."""

    @guarded(READ, BUILDS)
    async def get(self) -> None:
        """Answer with counts by flow and state, and the seconds that steps took (mean, max, count) by flow."""
        await self.finish(await asyncio.to_thread(usable_store(self.services).index.statistics))


def _cursor(record: Record) -> str:
    text = json.dumps([record.request.created, record.id])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str) -> tuple[str, str]:
    try:
        created, build_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        whole = isinstance(created, str) and isinstance(build_id, str)
        if whole and created.isascii() and BUILD_ID.fullmatch(build_id):  # SQLite takes no half of a surrogate pair
            return created, build_id
    except (binascii.Error, ValueError, TypeError, RecursionError):
        pass
    raise Refusal(422, "This is no cursor of ours.", field="cursor", remedy="Use 'next' of the page before.")


def _annotations(body: dict[str, Any]) -> dict[str, Any]:
    """Return tags and notes from a PATCH; Refusal 422 for anything else."""
    for name in body:
        if name not in {"tags", "notes"}:
            raise Refusal(422, f"'{name}' cannot be changed.", field=name, remedy="Change 'tags' or 'notes'.")
    tags, notes = body.get("tags", []), body.get("notes", "")
    if (
        not isinstance(tags, list)
        or len(tags) > MAX_TAGS
        or not all(isinstance(t, str) and 0 < len(t) <= MAX_TAG for t in tags)
    ):
        raise Refusal(
            422,
            "The tags are no list of names.",
            field="tags",
            remedy=f"Give at most {MAX_TAGS} strings of 1 to {MAX_TAG}.",
        )
    if not isinstance(notes, str) or len(notes) > MAX_NOTES:
        raise Refusal(422, "The notes are no text.", field="notes", remedy=f"Give at most {MAX_NOTES} characters.")
    return body
