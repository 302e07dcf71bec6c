"""LibreLane's flows as they will run: by name, by a list of steps, with steps substituted. Runs in the inspector."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import lru_cache
from typing import Any

from librelane.flows import Flow, SequentialFlow
from librelane.steps import Step

from .findings import Finding, finding, nearest

_make: Any = getattr(SequentialFlow, "Make", None) or getattr(SequentialFlow, "make")  # noqa: B009 - LibreLane 2's
CUSTOM = "Custom"
"""What a list of steps is called where a flow has a name."""


def flow_of(name: str, meta: Mapping[str, Any]) -> tuple[Any, list[Finding]]:
    """Return the flow class for a name and LibreLane's ``meta`` (flow, substituting_steps), or None and what is wrong.

    The result has the steps in the order in which LibreLane will run them.
    """
    flow, errors = _listed(meta["flow"]) if isinstance(meta.get("flow"), list) else _named(name)
    substitutions = meta.get("substituting_steps")
    if flow is None or not substitutions:
        return flow, errors
    pairs = list(substitutions.items()) if isinstance(substitutions, Mapping) else substitutions
    if not issubclass(flow, SequentialFlow):
        message = f"The flow {name} is no sequence of steps, so that none of them can be substituted."
        return None, [finding("config.meta.substituting_steps", message, "Choose another flow.")]
    return _substituted(flow, json.dumps(pairs))


def _named(name: str) -> tuple[Any, list[Finding]]:
    flow = Flow.factory.get(name)
    if flow is None:
        message = f"LibreLane knows no flow '{name}'."
        return None, [finding("flow", message, nearest(name, sorted(Flow.factory.list())))]
    return flow, []


def _listed(ids: Sequence[str]) -> tuple[Any, list[Finding]]:
    known = sorted(Step.factory.list())
    errors = [_unknown_step("config.meta.flow", id_, known) for id_ in ids if Step.factory.get(id_) is None]
    return (None, errors[:1]) if errors else (_make(list(ids)), [])


def _unknown_step(field: str, name: str, known: Sequence[str]) -> Finding:
    return finding(field, f"LibreLane knows no step '{name}'.", nearest(name, known))


@lru_cache(maxsize=64)  # each substitution makes a class
def _substituted(flow: Any, pairs: str) -> tuple[Any, list[Finding]]:
    field = "config.meta.substituting_steps"
    for key, replacement in json.loads(pairs):
        ids = [step.id for step in flow.Steps]
        target = key.lstrip("+-") if key[:1] in {"+", "-"} else key
        if not any(fnmatch(id_.lower(), target.lower()) for id_ in ids):
            message = f"The flow has no step '{target}' to be substituted."
            return None, [finding(field, message, nearest(target, ids))]
        if replacement is None and target != key:
            message = f"'{key}' inserts a step, but names none."
            return None, [finding(field, message, f"Give a step, or write '{target}': null to remove that one.")]
        if replacement is not None and Step.factory.get(replacement) is None:
            return None, [_unknown_step(field, replacement, sorted(Step.factory.list()))]
        flow = flow.Substitute({key: replacement})
    return flow, []


def steps_of(flow: Any, request: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[Finding]]:
    """Return the steps that will run (id, name), in order, with from, to and skip applied; or what is wrong."""
    steps = [{"id": s.id, "name": s.name} for s in flow.Steps]
    ids = [s["id"] for s in steps]
    errors = [
        finding(key, f"The flow {request['flow']} has no step '{name}'.", nearest(name, ids))
        for key, names in (
            ("from_step", [request["from_step"]]),
            ("to_step", [request["to_step"]]),
            ("skip", request["skip"]),
        )
        for name in names
        if name is not None and name not in ids
    ]
    if errors:
        return [], errors
    first = ids.index(request["from_step"]) if request["from_step"] else 0
    last = ids.index(request["to_step"]) if request["to_step"] else len(ids) - 1
    if first > last:
        message = f"The step {ids[first]} comes after {ids[last]}."
        return [], [finding("from_step", message, "Choose a from_step that is not after to_step.")]
    left = [s for s in steps[first : last + 1] if s["id"] not in request["skip"]]
    if not left:
        return [], [finding("skip", "No step is left to run.", "Skip fewer steps.")]
    return left, []


def gated(flow: Any, values: Mapping[str, Any]) -> set[str]:
    """Return the ids of the steps that the configuration switches off (LibreLane's ``gating_config_vars``)."""
    off = [
        pattern
        for pattern, names in getattr(flow, "gating_config_vars", {}).items()
        if any(values.get(name) is False for name in names)
    ]
    return {step.id for step in flow.Steps if any(fnmatch(step.id, pattern) for pattern in off)}


def all_flows() -> list[Any]:
    """Return the flow classes, by name."""
    return [Flow.factory.get(name) for name in sorted(Flow.factory.list())]


def listing() -> dict[str, Any]:
    """Return ``{flows, steps}``: all that LibreLane and the plugins it found here offer."""
    flows = [_describe(name, Flow.factory.get(name)) for name in sorted(Flow.factory.list())]
    steps = [_step(id_, Step.factory.get(id_)) for id_ in sorted(Step.factory.list())]
    return {"flows": flows, "steps": steps}


def _describe(name: str, flow: Any) -> dict[str, Any]:
    return {
        "name": name,
        "summary": _first_paragraph(flow),
        "source": _source(flow),
        "sequential": issubclass(flow, SequentialFlow),
        "steps": list(_step_names(flow)),
    }


def _step_names(flow: Any) -> Iterator[dict[str, str]]:
    steps = getattr(flow, "Steps", None)
    for step in steps if isinstance(steps, list) else []:
        yield {"id": step.id, "name": step.name}


def _step(id_: str, step: Any) -> dict[str, str]:
    name = getattr(step, "name", None)
    shown = name if isinstance(name, str) else id_
    return {"id": id_, "name": shown, "summary": _first_paragraph(step), "source": _source(step)}


def _first_paragraph(thing: Any) -> str:
    text = (thing.__doc__ or "").strip()
    return " ".join(text.partition("\n\n")[0].split())


def _source(thing: Any) -> str:
    """Return the package that a flow or step comes from."""
    return str(thing.__module__).partition(".")[0]
