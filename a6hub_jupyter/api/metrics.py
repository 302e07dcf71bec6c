"""Metrics and steps of a build, for programs."""

from __future__ import annotations

import csv
import io

from ..auth import BUILDS, READ, Refusal
from .base import A6HubHandler, guarded


class MetricsHandler(A6HubHandler):
    """``builds/{id}/metrics``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Answer with LibreLane's metrics, in its names and units, as JSON or (``format=csv``) as name,value lines."""
        record = self.record(build_id)
        metrics = record.snapshot.metrics
        wanted = self.get_query_argument("format", "json")
        if wanted not in {"json", "csv"}:
            raise Refusal(422, "There is no such format.", field="format", remedy="Use 'json' or 'csv'.")
        if wanted == "json":
            await self.finish({"metrics": metrics})
            return
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["metric", "value"])
        writer.writerows(sorted(metrics.items()))
        self.set_header("Content-Disposition", f'attachment; filename="{record.id}.csv"')
        await self.finish(text.getvalue(), set_content_type="text/csv; charset=utf-8")


class StepsHandler(A6HubHandler):
    """``builds/{id}/steps``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Answer with the steps in order: state, times, seconds, and where their output begins in the log."""
        record = self.record(build_id)
        await self.finish({"steps": [s.to_json() for s in record.snapshot.steps.values()]})
