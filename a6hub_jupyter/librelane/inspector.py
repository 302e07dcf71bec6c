"""Asks LibreLane itself: ``python -m a6hub_jupyter.librelane.inspector``, one JSON line each way.

It is a process of its own (see ``worker``), so that the server never loads LibreLane, and its environment is the
toolchain's, so that the plugins found are those that the build will find. A question says its ``kind``; the rest of it,
and the answer, are those of the function that it is for.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from . import checking, flows, reading, variables


class SupportsLines(Protocol):
    """Where answers go."""

    def write(self, line: str, /) -> object:
        """Take a line."""

    def flush(self) -> None:
        """Send it."""


_PDK_SEEN: list[str] = []


def _variables(question: dict[str, Any]) -> dict[str, Any]:
    flow, errors = flows.flow_of(question["flow"], question["meta"])
    if errors:
        return {"errors": errors}
    steps = [{"id": step.id, "name": step.name} for step in getattr(flow, "Steps", None) or []]
    described = variables.describe(flow, question["pdk"], question["pdk_root"], question["scl"])
    return {**described, "steps": steps}


def _analyse(question: dict[str, Any]) -> dict[str, Any]:
    from . import analysis  # noqa: PLC0415 - its parser of Verilog is not in another LibreLane's Python

    return analysis.analyse(question)


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "analyse": _analyse,
    "check": checking.check,
    "read": reading.read_tcl,
    "flows": lambda _: flows.listing(),
    "variables": _variables,
    "preset": lambda question: {"errors": checking.check_names(question["config"])},
}


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one question."""
    variables.forget_changed_pdk(question.get("pdk_stamp", ""), _PDK_SEEN)
    return ANSWERS[question["kind"]](question)


def serve(questions: Iterable[str], answers: SupportsLines) -> None:
    """Answer one line with one line, until there are no more; what we did not think of is ``{failed}``."""
    for line in questions:
        try:
            text = json.dumps(answer(json.loads(line)))
        except Exception as problem:  # noqa: BLE001 - plugins and PDKs are others' code; the next question has its turn
            traceback.print_exc()
            text = json.dumps({"failed": f"{type(problem).__name__}: {problem}"[:500]})
        answers.write(text + "\n")
        answers.flush()


if __name__ == "__main__":
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever LibreLane prints must not get between the answers
    serve(sys.stdin, out)
