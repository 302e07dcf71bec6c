"""PDKs: what is installed, and installing more."""

from __future__ import annotations

import re
from typing import Any

from ..auth import EXECUTE, PDKS, READ, Refusal
from ..librelane.pdkjobs import CIEL, WHEEL
from .base import A6HubHandler, guarded

# A commit of the PDK's repository, as ciel names versions; nothing else may become a path or an argument.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")
_LIBRARY = re.compile(r"[A-Za-z0-9_]{1,80}")
MAX_LIBRARIES = 50


class PDKsHandler(A6HubHandler):
    """``pdks``."""

    @guarded(READ, PDKS)
    async def get(self) -> None:
        """Answer with what is installed, what can be, and the installations since the server started."""
        await self.finish(await self.services.pdk_jobs.listing())


class InstallHandler(A6HubHandler):
    """``pdks/{name}/install``: the installation of a PDK."""

    @guarded(READ, PDKS)
    async def get(self, name: str) -> None:
        """Answer with how far it is, or how it ended."""
        await self.finish((await self.services.pdk_jobs.find(name)).to_json())

    @guarded(EXECUTE, PDKS)
    async def post(self, name: str) -> None:
        """Start it: 202. What is there already is switched to, without a download."""
        version, libraries, source = _read(self.json_body())
        job = await self.services.pdk_jobs.start(name, version, libraries, source)
        self.set_status(202)
        await self.finish(job.to_json())

    @guarded(EXECUTE, PDKS)
    async def delete(self, name: str) -> None:
        """Cancel it; nothing of it is left. One that has ended is left as it is."""
        await self.finish((await self.services.pdk_jobs.cancel(name)).to_json())


def _read(body: dict[str, Any]) -> tuple[str | None, list[str], str]:
    unknown = [name for name in body if name not in {"version", "libraries", "source"}]
    if unknown:
        raise Refusal(
            422,
            f"There is no field '{unknown[0][:80]}'.",
            field=unknown[0][:80],
            remedy="Use version, libraries, source.",
        )
    version, libraries, source = body.get("version"), body.get("libraries") or [], body.get("source") or CIEL
    if version is not None and not (isinstance(version, str) and _VERSION.fullmatch(version)):
        raise Refusal(
            422, "This is no version of a PDK.", field="version", remedy="Give one as 'ciel ls-remote' lists them."
        )
    if (
        not isinstance(libraries, list)
        or len(libraries) > MAX_LIBRARIES
        or not all(isinstance(n, str) and _LIBRARY.fullmatch(n) for n in libraries)
    ):
        raise Refusal(422, "The libraries are no list of names.", field="libraries", remedy="Give a list of names.")
    if source not in {CIEL, WHEEL}:
        raise Refusal(422, "There is no such source.", field="source", remedy=f"Use '{CIEL}' or '{WHEEL}'.")
    return version, libraries, source
