"""Where a build's tools and its LibreLane come from, and what that LibreLane says of a request."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..auth import Refusal
from ..librelane.catalogue import Ask
from ..toolchains import AUTO, choose, toolchains
from ..toolchains.base import EXPRESS, Settings
from ..toolchains.images import directories
from ..toolchains.inspecting import InspectorError, InspectorWorker
from .examination import Examination

# What our inspector alone can say: it has a parser of Verilog.
OF_THE_VERILOG = {f"config.{n}" for n in ("DESIGN_NAME", "VERILOG_FILES", "CLOCK_PORT")}
# A container has to start and to import LibreLane, on a busy machine.
PROBE_SECONDS = 120.0
MAX_ELSEWHERE = 3
# Which toolchain a flow would get holds for so long (s) when it is only about what is shown.
CHOICE_SECONDS = 15.0
MAX_CHOSEN = 64
STEPS_OF_OURS = "Its steps are those of this server's LibreLane until it is here."


class Provision:
    """The toolchains of this server, and the processes that have LibreLane loaded to answer questions.

    ``check_timeout`` (seconds) bounds each answer.
    """

    def __init__(self, settings: Settings, check_timeout: float) -> None:
        self.toolchains = toolchains(settings)
        self._chosen: dict[tuple[str, ...], tuple[float, InspectorWorker | None]] = {}
        self._elsewhere: dict[tuple[str, ...], InspectorWorker] = {}
        plain = InspectorWorker(os.environ, check_timeout)
        express = InspectorWorker(self.toolchains["express"].environment(os.environ), check_timeout)
        self._inspectors = {name: express if name == "express" else plain for name in self.toolchains}

    async def warm_up(self) -> None:
        """Have LibreLane loaded before the first request."""
        await self._inspectors["express"].warm_up()

    async def close(self) -> None:
        """End the inspectors."""
        for inspector in [*self._inspectors.values(), *self._elsewhere.values()]:
            await inspector.close()

    async def ask(self, question: dict[str, Any], toolchain: str = "express") -> dict[str, Any]:
        """Return what LibreLane answers (see ``librelane.inspector``); Refusal 503 when it does not."""
        inspector = self._inspectors.get(toolchain) or self._inspectors["express"]
        try:
            return await inspector.ask(question)
        except InspectorError as error:
            raise Refusal(503, str(error), remedy="Try again.", retry_after=5) from error

    async def find_toolchain(self, name: str, flow: str, meta: Mapping[str, Any], found: Examination) -> None:
        """Note down the toolchain of this name, or the first that can run the flow and why; or what is in the way."""
        found.toolchain = _usual_toolchain(flow, meta)
        wanted = EXPRESS if found.toolchain == "express" or (flow, name) == ("Custom", "express") else flow
        if name == AUTO:
            choice = await asyncio.to_thread(choose, wanted, self.toolchains)
            if isinstance(choice, list):
                none = f"No toolchain here can run the flow {flow}."
                ways = [(none, "Mend what is in the way of one of these.")]
                ways += [(f"{other}: {obstacle.reason}", obstacle.remedy) for other, obstacle in choice]
                found.toolchain_errors = [{"field": "toolchain", "message": m, "remedy": r} for m, r in ways]
                return
            chosen, found.reason = choice
        elif name not in self.toolchains:
            remedy = f"Choose one of: {', '.join([AUTO, *self.toolchains])}."
            message = f"There is no toolchain '{name}'."
            found.toolchain_errors = [{"field": "toolchain", "message": message, "remedy": remedy}]
            return
        else:
            chosen = self.toolchains[name]
            found.toolchain = name
            obstacle = await asyncio.to_thread(chosen.why_not, wanted)
            if obstacle:
                found.toolchain_errors = [{"field": "toolchain", "message": obstacle.reason, "remedy": obstacle.remedy}]
                return
        found.toolchain = chosen.name
        found.provided = await asyncio.to_thread(chosen.provide)
        found.preparations = await asyncio.to_thread(chosen.preparations, found.provided)

    async def answer(self, question: dict[str, Any], inspector: str, found: Examination) -> dict[str, Any]:
        """Return what the LibreLane that will run says of a request; what of its Verilog, ours, which can read it."""
        theirs = None
        if not found.toolchain_errors:
            root = question["pdk_root"]
            seen = directories(question["design_dir"], root, question["config"]) if root else []
            theirs = await self.elsewhere(found.toolchain, found.provided, seen)
        if theirs is None:  # ours, or not here yet
            if found.preparations:
                found.reason = f"{found.reason or ''} {STEPS_OF_OURS}".strip()
            return await self.ask(question, inspector)
        try:
            answer = await theirs.ask(question)
        except InspectorError as error:
            remedy = "Mend it, or choose another toolchain."
            found.toolchain_errors = [{"field": "toolchain", "message": str(error), "remedy": remedy}]
            return await self.ask(question, inspector)
        plain = {**question, "flow": "Classic", "meta": {"version": 2}, "pdk_root": None}
        plain.update(from_step=None, to_step=None, skip=[], config=answer["config"], presets=[])
        ours = await self.ask(plain, inspector)
        named = {e["field"] for e in answer["errors"]}
        more = [e for e in ours["errors"] if e["field"] in OF_THE_VERILOG - named]
        return {**answer, "errors": [*answer["errors"], *more]}

    async def librelane(self, name: str | None, flow: str, seen: Sequence[Path]) -> tuple[str, Ask]:
        """Return the LibreLane that will run a flow by the toolchain of this name: a key for it, and how to ask it.

        Without a name it is the toolchain that a build would take; where there is none, this server's own LibreLane.
        The choice holds for a moment, so that a warm answer asks no engine. Refusal 422 for a strange name.
        """
        if name not in {None, AUTO, *self.toolchains}:
            remedy = f"Choose one of: {', '.join([AUTO, *self.toolchains])}."
            raise Refusal(422, f"There is no toolchain '{name}'.", field="toolchain", remedy=remedy)
        key = (name or AUTO, flow, *map(str, seen))
        chosen = self._chosen.get(key)
        if chosen is None or time.monotonic() - chosen[0] > CHOICE_SECONDS:
            worker = await self._elsewhere_for(name or AUTO, flow, seen)
            while len(self._chosen) >= MAX_CHOSEN:
                self._chosen.pop(next(iter(self._chosen)))
            self._chosen[key] = chosen = time.monotonic(), worker
        worker = chosen[1]
        if worker is None:
            return "", self.ask

        async def ask(question: dict[str, Any]) -> dict[str, Any]:
            try:
                return await worker.ask(question)
            except InspectorError as error:
                raise Refusal(
                    503, str(error), remedy="Mend the toolchain, or choose another.", retry_after=5
                ) from error

        return worker.key, ask

    async def _elsewhere_for(self, name: str, flow: str, seen: Sequence[Path]) -> InspectorWorker | None:
        if name == AUTO:
            choice = await asyncio.to_thread(choose, flow, self.toolchains)
            if isinstance(choice, list):
                return None
            name = choice[0].name
        elif await asyncio.to_thread(self.toolchains[name].missing):
            return None
        provided = await asyncio.to_thread(self.toolchains[name].provide)
        return await self.elsewhere(name, provided, seen)

    async def elsewhere(
        self, toolchain: str, provided: Mapping[str, str], seen: Sequence[Path]
    ) -> InspectorWorker | None:
        """Return the inspector in the LibreLane of a toolchain; None where it is this Python's, or not here yet."""
        probe = await asyncio.to_thread(self.toolchains[toolchain].probe, provided, seen)
        if probe is None:
            return None
        key = (probe.key, *probe.argv)
        worker = self._elsewhere.pop(key, None) or InspectorWorker(probe.environment, PROBE_SECONDS, probe)
        self._elsewhere[key] = worker
        while len(self._elsewhere) > MAX_ELSEWHERE:
            await self._elsewhere.pop(next(iter(self._elsewhere))).close()
        return worker


def _usual_toolchain(flow: str, meta: Mapping[str, Any]) -> str:
    """Return the toolchain of a request that names none; a list of steps goes where its own steps are."""
    listed = meta.get("flow") if flow == "Custom" else None
    own = any(step.startswith("Express.") for step in listed) if isinstance(listed, list) else flow == "Express"
    return "express" if own else "path"
