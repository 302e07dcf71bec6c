"""Which steps of a flow will run: the flow's own list, what switches steps off, and from, to and skip applied to it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Finding = dict[str, str]


@dataclass(frozen=True)
class StepList:
    """The steps of one flow as the LibreLane of a toolchain tells them (``toolchains.probing``).

    ``gates`` names the variables that must all be true for a step to run, ``off`` those that are false by default.
    """

    flow: str
    flows: list[str]
    steps: list[dict[str, str]]
    gates: Mapping[str, list[str]]
    off: frozenset[str]

    @classmethod
    def of(cls, facts: Mapping[str, Any], flow: str) -> StepList:
        """Read what a probe has found."""
        known: Mapping[str, Any] = facts["flows"].get(flow, {"steps": [], "gates": {}, "off": []})
        return cls(flow, sorted(facts["flows"]), known["steps"], known["gates"], frozenset(known["off"]))

    def select(self, request: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[Finding]]:
        """Return the steps that a request's from_step, to_step, skip and config leave, or what is wrong."""
        if self.flow not in self.flows:
            return [], [_finding("flow", f"The LibreLane of this toolchain knows no flow '{self.flow}'.", self.flows)]
        ids = [s["id"] for s in self.steps]
        named = [("from_step", request["from_step"]), ("to_step", request["to_step"])]
        named += [("skip", name) for name in request["skip"]]
        errors = [
            _finding(field, f"The flow {self.flow} of this toolchain's LibreLane has no step '{name}'.", ids, name)
            for field, name in named
            if name is not None and name not in ids
        ]
        if errors:
            return [], errors
        first = ids.index(request["from_step"]) if request["from_step"] else 0
        last = ids.index(request["to_step"]) if request["to_step"] else len(ids) - 1
        if first > last:
            message = f"The step {ids[first]} comes after {ids[last]}."
            remedy = "Choose a from_step that is not after to_step."
            return [], [{"field": "from_step", "message": message, "remedy": remedy}]
        config = request["config"]
        off = {name for name in self.off if config.get(name) is not True}
        off |= {name for name, value in config.items() if value is False}
        gated = {step for step, names in self.gates.items() if off & set(names)}
        return [s for s in self.steps[first : last + 1] if s["id"] not in {*request["skip"], *gated}], []


def _finding(field: str, message: str, known: list[str], name: str | None = None) -> Finding:
    close = difflib.get_close_matches(name or "", known, n=3, cutoff=0.6)
    remedy = f"Did you mean {' or '.join(close)}?" if close else f"Choose one of: {', '.join(known[:12])}."
    return {"field": field, "message": message, "remedy": remedy}
