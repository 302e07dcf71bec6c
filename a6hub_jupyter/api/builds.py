"""Builds as a resource: list, create, get, cancel."""

from __future__ import annotations

from typing import Any

from ..auth import BUILDS, EXECUTE, READ
from ..builds.store import Record
from .base import A6HubHandler, Services, guarded

MAX_LISTED = 200


def build_json(services: Services, record: Record) -> dict[str, Any]:
    """Return a build as clients see it (the schema ``Build`` of the API)."""
    request, snapshot = record.request, record.snapshot
    position, reason = services.queue.position(record)
    return {
        "id": request.id,
        "state": snapshot.state,
        "design": {"name": request.name, "directory": services.roots.shorten(request.design_dir)},
        "flow": request.flow,
        "pdk": request.pdk,
        "scl": request.scl,
        "pdk_note": request.pdk_note,
        "toolchain": request.toolchain,
        "executor": request.executor,
        "config": request.config,
        "tags": request.tags,
        "created": request.created,
        "started": snapshot.started,
        "finished": snapshot.finished,
        **snapshot.progress_data(),
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


class BuildsHandler(A6HubHandler):
    """``builds``: the list, and where new ones are made."""

    @guarded(READ, BUILDS)
    async def get(self) -> None:
        """Answer with the newest builds, those of one design directory's name or state if asked."""
        name, state = self.get_query_argument("design", None), self.get_query_argument("state", None)
        found = [
            record
            for record in self.services.store.newest_first()
            if (name is None or record.request.name == name) and (state is None or record.snapshot.state == state)
        ]
        listed = [build_json(self.services, record) for record in found[:MAX_LISTED]]
        await self.finish({"builds": listed, "total": len(found)})

    @guarded(EXECUTE, BUILDS)
    async def post(self) -> None:
        """Take a build in; 201 with the build, 200 where the Idempotency-Key made it before."""
        key = self.request.headers.get("Idempotency-Key")
        record, created = await self.services.intake.take(self.json_body(), key)
        self.set_status(201 if created else 200)
        self.set_header("Location", f"{self.base_url}api/a6hub/builds/{record.id}")
        await self.finish(build_json(self.services, record))


class BuildHandler(A6HubHandler):
    """``builds/{id}``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Answer with the build."""
        record = self.record(build_id)
        record.refresh()
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
