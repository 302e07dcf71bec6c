"""Where a build's tools and its LibreLane come from, and what that LibreLane says of a request."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..auth import Refusal
from ..librelane.steplist import StepList
from ..librelane.worker import InspectorError, InspectorWorker
from ..toolchains import AUTO, Toolchain, choose, toolchains
from ..toolchains.base import EXPRESS, Settings
from ..toolchains.probing import ProbeError, facts
from .examination import Examination

# What a design says of itself in the same words to any LibreLane.
OF_EVERY_VERSION = {"config"} | {
    f"config.{n}" for n in ("DESIGN_NAME", "VERILOG_FILES", "VERILOG_INCLUDE_DIRS", "CLOCK_PORT", "CLOCK_PERIOD")
}
STEPS_OF_OURS = "Its steps are those of this server's LibreLane until it is here."


class Provision:
    """The toolchains of this server, and the processes that have LibreLane loaded to answer questions.

    ``check_timeout`` (seconds) bounds each answer; ``probes_dir`` keeps what other LibreLanes have said of themselves.
    """

    def __init__(self, settings: Settings, check_timeout: float, probes_dir: Path) -> None:
        self.toolchains = toolchains(settings)
        self._probes_dir = probes_dir
        plain = InspectorWorker(os.environ, check_timeout)
        express = InspectorWorker(self.toolchains["express"].environment(os.environ), check_timeout)
        self._inspectors = {name: express if name == "express" else plain for name in self.toolchains}

    async def warm_up(self) -> None:
        """Have LibreLane loaded before the first request."""
        await self._inspectors["express"].warm_up()

    async def close(self) -> None:
        """End the inspectors."""
        for inspector in self._inspectors.values():
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
        """Return what LibreLane says of a request, with the steps of the LibreLane that will run it."""
        theirs = None
        if not found.toolchain_errors:
            try:
                theirs = await asyncio.to_thread(self.librelane_facts, self.toolchains[found.toolchain], found.provided)
            except ProbeError as error:
                remedy = "Mend it, or choose another toolchain."
                found.toolchain_errors = [{"field": "toolchain", "message": str(error), "remedy": remedy}]
        if theirs is None or question["meta"].get("flow"):  # ours, or not here yet, or steps of the user's own
            if theirs is None and found.preparations:
                found.reason = f"{found.reason or ''} {STEPS_OF_OURS}".strip()
            return await self.ask(question, inspector)
        steps, errors = StepList.of(theirs, question["flow"]).select(question)
        flow, same = question["flow"], theirs["version"] == importlib.metadata.version("librelane")
        asked = {**question, "flow": "Classic", "from_step": None, "to_step": None, "skip": []}
        if not same or flow != "Classic":  # its variables are others: they are left to the LibreLane that runs
            asked["pdk_root"] = None
        answer = await self.ask(asked, inspector)
        if asked["pdk_root"] is None:
            for kind in ("errors", "warnings"):
                answer[kind] = [e for e in answer[kind] if e["field"] in OF_EVERY_VERSION]
        return {**answer, "steps": steps, "errors": errors + answer["errors"]}

    def librelane_facts(self, toolchain: Toolchain, provided: dict[str, str]) -> dict[str, Any] | None:
        """Return what the LibreLane of a toolchain says of itself (``toolchains.probing``); None where it is ours.

        Takes seconds, once for each LibreLane; ProbeError when it does not answer.
        """
        probe = toolchain.probe(provided)
        return facts(probe, self._probes_dir) if probe else None


def _usual_toolchain(flow: str, meta: Mapping[str, Any]) -> str:
    """Return the toolchain of a request that names none; a list of steps goes where its own steps are."""
    listed = meta.get("flow") if flow == "Custom" else None
    own = any(step.startswith("Express.") for step in listed) if isinstance(listed, list) else flow == "Express"
    return "express" if own else "path"
