"""What LibreLane offers, kept ready by the server: its flows and their variables, as the bytes of an answer."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..auth import Refusal
from .pdks import PDK

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
NO_META: Mapping[str, Any] = {}
MAX_KEPT = 32


@dataclass(frozen=True)
class Answer:
    """JSON, and its ETag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, data: dict[str, Any]) -> Answer:
        """Return the answer with this data."""
        body = json.dumps(data, ensure_ascii=False).encode()
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


def pdk_stamp(pdk: PDK) -> str:
    """Return what changes when a PDK is installed anew: where it is, and how old its LibreLane settings are."""
    if pdk.root is None:
        return ""
    settings = [*(pdk.root / pdk.name / "libs.tech").glob("*lane/config.tcl")]
    settings += (pdk.root / pdk.name / "libs.tech").glob("*lane/*/config.tcl")
    return json.dumps([str(pdk.root), pdk.name, sorted(f.stat().st_mtime_ns for f in settings if f.is_file())])


class Catalogue:
    """Asks an inspector once for each LibreLane, flow, PDK and library."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Answer] = OrderedDict()

    async def flows(self, librelane: tuple[str, Ask]) -> Answer:
        """Return ``{flows, steps}``, those of plugins too; ``librelane`` has a key of its own, and is asked."""
        return await self._answer(librelane, ("flows",), {"kind": "flows"})

    async def variables(
        self,
        flow: str,
        pdk: PDK,
        scl: str | None,
        librelane: tuple[str, Ask],
        meta: Mapping[str, Any] = NO_META,
    ) -> Answer:
        """Return ``{flow, pdk, scl, variables, steps, missing}``; Refusal 404 where there is no such flow.

        ``meta`` is LibreLane's: a list of steps, or substitutions in a flow.
        """
        stamp = pdk_stamp(pdk)
        question = {
            "kind": "variables",
            "flow": flow,
            "meta": dict(meta),
            "pdk": pdk.name,
            "pdk_root": str(pdk.root) if pdk.root else None,
            "scl": scl,
            "pdk_stamp": stamp,
        }
        told = {"flow": flow, "pdk": pdk.name, "scl": scl, "pdk_installed": pdk.root is not None}
        return await self._answer(librelane, (flow, json.dumps(meta), pdk.name, scl or "", stamp), question, told)

    async def _answer(
        self,
        librelane: tuple[str, Ask],
        about: tuple[str, ...],
        question: dict[str, Any],
        told: dict[str, Any] | None = None,
    ) -> Answer:
        key = (librelane[0], *about)
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        data = await librelane[1](question)
        if errors := data.get("errors"):
            first = errors[0]
            raise Refusal(404, first["message"], field=first["field"], remedy=first["remedy"])
        self._kept[key] = answer = Answer.of({**(told or {}), **data})
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return answer
