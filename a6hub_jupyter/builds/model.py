"""What a build is: its request, its steps, its state. Plain data, no I/O."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

QUEUED, STARTING, RUNNING = "queued", "starting", "running"
SUCCEEDED, FAILED, CANCELLED, TIMED_OUT, LOST = "succeeded", "failed", "cancelled", "timed_out", "lost"
ENDED = frozenset({SUCCEEDED, FAILED, CANCELLED, TIMED_OUT, LOST})

PENDING, DONE, SKIPPED = "pending", "done", "skipped"  # a step is also RUNNING or FAILED

# Of what comes as JSON: far deeper than any configuration, and far from what Python can walk through.
MAX_DEPTH = 50

BUILD_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]{1,40}-[0-9a-f]{6}")


def now() -> str:
    """Return the present time as ISO 8601, UTC, with milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 does not know the Z


def new_build_id(design_name: str) -> str:
    """Return an id that sorts by time, names the design, and is safe as a file name and as a run tag."""
    slug = re.sub(r"[^a-z0-9]+", "-", design_name.lower()).strip("-")[:40].strip("-") or "design"
    return f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{slug}-{os.urandom(3).hex()}"


def json_safe(value: Any) -> Any:
    """Return ``value`` with the floats that JSON lacks (infinite, not a number) as strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): json_safe(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(v) for v in value]
    return value


def is_too_deep(value: Any) -> bool:
    """Whether lists and mappings are nested more than ``MAX_DEPTH`` deep."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [v for v in level if isinstance(v, (dict, list))]
        if not level:
            return False
        level = [inner for v in level for inner in (v.values() if isinstance(v, dict) else v)]
    return True


@dataclass(frozen=True)
class BuildRequest:
    """What was asked for; written once as ``request.json`` and never changed.

    ``design_dir`` is absolute and resolved. ``config`` holds LibreLane's own variables, in LibreLane's units
    (nanoseconds, micrometres, percent). ``pdk_root`` is None where the PDK is still to be staged. ``steps`` are
    the ids and names that the flow will run, from LibreLane itself. ``timeout`` and ``grace`` are in seconds; the grace
    is what a tool has to end by itself, after each signal. ``cores`` and ``memory`` (bytes, 0 for unknown) are what
    the queue counts the build with. ``weights`` are the seconds that each step is expected to take, and
    ``weights_basis`` says from what. ``provided`` is what exactly the toolchain runs it with (executables, image), and
    ``toolchain_reason`` says why this toolchain, where the request left that open. ``retry_of`` and ``resume_of`` name
    the build that this one repeats or goes on with; only the latter shares its run directory. ``meta`` is what
    LibreLane finds under this name in its configuration: the version of the format and, where they are given, a list of
    steps and substitutions of steps. ``presets`` were laid under what was given, in their order, and ``origins`` says
    where each value of ``config`` is from: ``explicit`` or ``preset <name>``.
    """

    id: str
    created: str
    name: str
    design_dir: str
    config: dict[str, Any]
    flow: str
    pdk: str
    scl: str | None
    pdk_root: str | None
    pdk_note: str | None
    toolchain: str
    executor: str
    steps: list[dict[str, str]]
    timeout: float
    from_step: str | None = None
    to_step: str | None = None
    skip: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    jobs: int = 2
    grace: float = 10.0
    cores: int = 1
    memory: int = 0
    run_tag: str | None = None
    retry_of: str | None = None
    resume_of: str | None = None
    weights: dict[str, float] = field(default_factory=dict)
    weights_basis: str | None = None
    toolchain_reason: str | None = None
    provided: dict[str, str] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=lambda: {"version": 2})
    presets: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """LibreLane's run tag: the build id, or that of the build whose run directory this one goes on with."""
        return self.run_tag or self.id

    @property
    def run_dir(self) -> str:
        """LibreLane's run directory: ``runs/<tag>`` in the design directory."""
        return f"{self.design_dir}/runs/{self.tag}"

    def to_json(self) -> dict[str, Any]:
        """Return the form in which the request is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BuildRequest:
        """Read a stored request; fields that a newer version added are left out."""
        known = cls.__dataclass_fields__
        return cls(**{k: v for k, v in data.items() if k in known})


@dataclass
class Step:
    """One step of the flow. ``offset`` is the byte of the console log where its output begins."""

    id: str
    name: str
    state: str = PENDING
    started: str | None = None
    finished: str | None = None
    seconds: float | None = None
    offset: int | None = None
    directory: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the form that events and responses carry."""
        return dict(vars(self))  # flat: asdict would take most of the time of a long list


@dataclass
class Snapshot:
    """The present state of a build: what is left when all its journal's events have been applied in order."""

    state: str = QUEUED
    seq: int = 0
    started: str | None = None
    finished: str | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    exit_code: int | None = None
    weights: dict[str, float] = field(default_factory=dict)
    command: dict[str, Any] | None = None

    @classmethod
    def of(cls, request: BuildRequest) -> Snapshot:
        """Return the state of a build of which nothing has been done."""
        return cls(steps={s["id"]: Step(s["id"], s["name"]) for s in request.steps}, weights=dict(request.weights))

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take in the next event of the journal; types that are not known are passed over."""
        self.seq = event["seq"]
        kind, data = event["type"], event["data"]
        if kind == "status":
            self._enter(data["state"], event["timestamp"])
        elif kind == "step":
            views = data.get("views")
            known = Step.__dataclass_fields__
            self.steps[data["id"]] = Step(**{k: v for k, v in data.items() if k in known})
            self.views.update(views or {})
        elif kind == "metric":
            self.metrics.update(data)
        elif kind == "command":
            self.command = data
        elif kind == "complete":
            self._enter(data["state"], event["timestamp"])
            self.error, self.exit_code = data.get("error"), data.get("exit_code")

    def _enter(self, state: str, timestamp: str) -> None:
        self.state = state
        if state == RUNNING and self.started is None:
            self.started = timestamp
        if state in ENDED and self.finished is None:
            self.finished = timestamp

    @property
    def seconds(self) -> float | None:
        """Seconds from LibreLane's start to the end, None where one of them has not been."""
        if self.started is None or self.finished is None:
            return None
        return round((_time(self.finished) - _time(self.started)).total_seconds(), 3)

    @property
    def completed_steps(self) -> list[str]:
        """Ids of the steps that are done, in order."""
        return [s.id for s in self.steps.values() if s.state == DONE]

    @property
    def current_step(self) -> str | None:
        """Id of the step that runs now, if one does."""
        return next((s.id for s in self.steps.values() if s.state == RUNNING), None)

    def weight(self, step: Step) -> float:
        """Return the share of a step: the seconds it is expected to take, or equal shares where nothing is known."""
        if not self.weights:
            return 1.0
        # what was never seen was passed over so far; what takes no time must still count for something
        return max(0.01, self.weights.get(step.id, 0.0))

    @property
    def progress(self) -> int:
        """Percent of the expected time that is behind us; 100 only for a build that succeeded."""
        if self.state == SUCCEEDED:
            return 100
        total = sum(self.weight(s) for s in self.steps.values())
        behind = sum(self.weight(s) for s in self.steps.values() if s.state in {DONE, SKIPPED})
        return min(99, int(100 * behind / total)) if total else 0

    def remaining_seconds(self, at: datetime) -> float | None:
        """Return the seconds expected from ``at`` to the end; None where no times are known or none is running."""
        if not self.weights or self.state not in {STARTING, RUNNING}:
            return None
        seconds = 0.0
        for step in self.steps.values():
            if step.state == PENDING:
                seconds += self.weight(step)
            elif step.state == RUNNING and step.started:
                gone = (at - _time(step.started)).total_seconds()
                seconds += max(0.0, self.weight(step) - gone)
        return seconds

    def to_json(self) -> dict[str, Any]:
        """Return the form that the index keeps."""
        return json_safe(asdict(self))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Snapshot:
        """Read what ``to_json`` gave."""
        snapshot = cls(**{k: v for k, v in data.items() if k in cls.__dataclass_fields__})
        snapshot.steps = {k: Step(**s) for k, s in data["steps"].items()}
        return snapshot

    def expectation(self, at: datetime) -> dict[str, Any]:
        """Return ``progress_data`` with the seconds that are expected from ``at`` to the end, None if not known."""
        remaining = self.remaining_seconds(at)
        return {**self.progress_data(), "eta_seconds": None if remaining is None else round(remaining, 1)}

    def progress_data(self) -> dict[str, Any]:
        """Return the data of a ``progress`` message."""
        return {
            "progress": self.progress,
            "current_step": self.current_step,
            "completed_steps": self.completed_steps,
        }
