"""What LibreLane offers: flows, their steps, their variables."""

from __future__ import annotations

from ..auth import DESIGNS, READ
from ..librelane.catalogue import Answer
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
        await self.answer(await self.services.catalogue.flows())


class VariablesHandler(CatalogueHandler):
    """``flows/{flow}/variables``."""

    @guarded(READ, DESIGNS)
    async def get(self, flow: str) -> None:
        """Answer with the variables of a flow; ``pdk`` and ``scl`` say whose defaults."""
        examiner = self.services.examiner
        pdk = examiner.pdk_for_display(self.get_query_argument("pdk", None), self.get_query_argument("scl", None))
        scl = self.get_query_argument("scl", None)
        await self.answer(await self.services.catalogue.variables(flow, pdk, scl))
