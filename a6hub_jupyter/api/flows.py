"""What LibreLane offers: flows, their steps, their variables."""

from __future__ import annotations

import json
from typing import Any

from ..auth import DESIGNS, READ, Refusal
from ..builds.fields import read_meta
from ..librelane.catalogue import Answer
from ..toolchains.base import EXPRESS
from .base import A6HubHandler, guarded


class CatalogueHandler(A6HubHandler):
    """Base of those that answer from the catalogue."""

    async def answer(self, answer: Answer) -> None:
        """Answer with what was made before; 304 where the client has it."""
        self.set_header("ETag", answer.etag)
        if self.check_etag_header():
            self.set_status(304)
            await self.finish()
            return
        await self.finish(answer.body)


class FlowsHandler(CatalogueHandler):
    """``flows``."""

    @guarded(READ, DESIGNS)
    async def get(self) -> None:
        """Answer with the flows and steps of LibreLane and of the plugins that it finds."""
        librelane = await self.services.provision.librelane(self.get_query_argument("toolchain", None), "Classic", [])
        await self.answer(await self.services.catalogue.flows(librelane))


class VariablesHandler(CatalogueHandler):
    """``flows/{flow}/variables``."""

    @guarded(READ, DESIGNS)
    async def get(self, flow: str) -> None:
        """Answer with the variables of a flow; ``pdk`` and ``scl`` say whose defaults."""
        services, scl = self.services, self.get_query_argument("scl", None)
        pdk = services.examiner.pdk_for_display(self.get_query_argument("pdk", None), scl)
        meta = self._meta(flow)
        listed = meta.get("flow")
        wanted = EXPRESS if listed and any(str(step).startswith("Express.") for step in listed) else flow
        seen = [pdk.root, pdk.root.resolve()] if pdk.root else []
        librelane = await services.provision.librelane(self.get_query_argument("toolchain", None), wanted, seen)
        await self.answer(await services.catalogue.variables(flow, pdk, scl, librelane, meta))

    def _meta(self, flow: str) -> dict[str, Any]:
        """Return LibreLane's ``meta`` of the question, checked as that of a build is; Refusal 422."""
        text = self.get_query_argument("meta", "")
        if not text:
            return {}
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise Refusal(422, "'meta' is no JSON object.", field="meta", remedy="Give LibreLane's meta as JSON.")
        _, meta = read_meta({"meta": given}, flow)
        return meta
