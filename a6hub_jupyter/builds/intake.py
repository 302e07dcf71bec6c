"""Takes builds in: from what a client sent to a checked request on disk, or to a refusal that names each bad field."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..auth import Refusal, Roots
from ..librelane import pdks
from ..librelane.worker import InspectorError, InspectorWorker
from ..toolchains import TOOLCHAINS
from ..toolchains.express import STAGE_STEP
from .model import BuildRequest, new_build_id, now
from .queue import Queue
from .store import Record, Store

FIELDS: dict[str, Any] = {
    "name": str,
    "design_dir": str,
    "config": dict,
    "flow": str,
    "pdk": str,
    "scl": str,
    "toolchain": str,
    "from_step": str,
    "to_step": str,
    "skip": list,
    "tags": list,
    "timeout": (int, float),
}
MAX_KEY = 200


@dataclass(frozen=True)
class Defaults:
    """What holds where a request is silent, and how far it may go."""

    pdk: str
    pdk_roots: tuple[str, ...]
    timeout: float
    max_timeout: float
    max_queued: int
    jobs: int
    grace: float


class Intake:
    """Checks build requests and puts them on record."""

    def __init__(self, store: Store, queue: Queue, roots: Roots, defaults: Defaults, check_timeout: float) -> None:
        self._store = store
        self._queue = queue
        self._roots = roots
        self._defaults = defaults
        self._turn = asyncio.Lock()
        self._inspectors = {
            name: InspectorWorker(toolchain.environment(os.environ), check_timeout)
            for name, toolchain in TOOLCHAINS.items()
        }

    async def warm_up(self) -> None:
        """Have LibreLane loaded before the first request."""
        await self._inspectors["express"].warm_up()

    async def close(self) -> None:
        """End the inspectors."""
        for inspector in self._inspectors.values():
            await inspector.close()

    async def take(self, body: Mapping[str, Any], idempotency_key: str | None) -> tuple[Record, bool]:
        """Return the build that the request makes and True, or the one it made before and False; or raise Refusal."""
        if idempotency_key is not None and not 0 < len(idempotency_key) <= MAX_KEY:
            raise Refusal(400, f"The Idempotency-Key must have 1 to {MAX_KEY} characters.")
        async with self._turn:  # so that two POSTs with one key cannot both be the first
            if idempotency_key and (known := self._store.by_idempotency_key(idempotency_key)):
                return known, False
            if len(self._store.queued()) >= self._defaults.max_queued:
                raise Refusal(
                    429,
                    f"{self._defaults.max_queued} builds are waiting already.",
                    remedy="Wait until some have run, or cancel some.",
                    retry_after=30,
                )
            request = await self._check(body)
            try:
                record = self._store.create(request, idempotency_key)
            except OSError as error:
                raise Refusal(
                    507,
                    f"The build could not be put on record: {error.strerror}.",
                    remedy="Free space on the disk.",
                ) from error
        self._queue.poke()
        return record, True

    async def _check(self, body: Mapping[str, Any]) -> BuildRequest:
        fields = _typed(body)
        design_dir = self._design_dir(fields.get("design_dir"))
        config = dict(fields["config"])
        self._confine_files(config, design_dir)
        flow = fields.get("flow") or "Express"
        toolchain = fields.get("toolchain") or ("express" if flow == "Express" else "path")
        _check_toolchain(toolchain, flow)
        pdk = self._pdk(fields.get("pdk") or self._defaults.pdk, fields.get("scl"), toolchain)
        self._check_disk(design_dir)
        name = fields.get("name") or str(config.get("DESIGN_NAME", ""))
        known: dict[str, Any] = {
            "flow": flow,
            "pdk": pdk.name,
            "scl": fields.get("scl"),
            "pdk_root": str(pdk.root) if pdk.root else None,
            "from_step": fields.get("from_step"),
            "to_step": fields.get("to_step"),
            "skip": fields.get("skip") or [],
            "design_dir": str(design_dir),
            "config": config,
        }
        steps = await self._inspect(toolchain, known)
        if pdk.root is None:
            steps.insert(0, STAGE_STEP)
        return BuildRequest(
            **known,
            id=new_build_id(name),
            created=now(),
            name=name,
            pdk_note=pdk.note,
            toolchain=toolchain,
            executor="local",
            steps=steps,
            timeout=self._timeout(fields.get("timeout")),
            tags=fields.get("tags") or [],
            jobs=self._defaults.jobs,
            grace=self._defaults.grace,
        )

    def _design_dir(self, given: str | None) -> Path:
        if given is None:
            raise Refusal(
                422,
                "The design directory is missing.",
                field="design_dir",
                remedy="Give the directory of the design.",
            )
        path = self._roots.resolve(given, "design_dir")
        if not path.is_dir():
            raise Refusal(
                422,
                f"The design directory '{given}' does not exist.",
                field="design_dir",
                remedy="Make it first.",
            )
        if not os.access(path, os.W_OK | os.X_OK):
            raise Refusal(
                422,
                f"The design directory '{given}' is not writable; LibreLane writes its runs there.",
                field="design_dir",
                remedy="Copy the design to a directory of your own.",
            )
        return path

    def _confine_files(self, config: Mapping[str, Any], design_dir: Path) -> None:
        for variable in ("VERILOG_FILES", "VERILOG_INCLUDE_DIRS"):
            files = config.get(variable)
            field = f"config.{variable}"
            if files is None:
                continue
            if not isinstance(files, list) or not all(isinstance(f, str) for f in files):
                raise Refusal(422, f"{variable} is not a list of paths.", field=field, remedy="Give a list of strings.")
            for file in files:
                self._roots.resolve(file.removeprefix("dir::"), field, design_dir)

    def _pdk(self, name: str, scl: str | None, toolchain: str) -> pdks.PDK:
        extra = self._defaults.pdk_roots
        pdk = pdks.find(name, extra)
        if pdk is None or (pdk.root is None and toolchain != "express"):
            there = sorted({*pdks.installed(extra), *(["sky130A"] if toolchain == "express" else [])})
            listed = f"Installed here: {', '.join(there)}. " if there else ""
            raise Refusal(
                422,
                f"The PDK '{name}' is not installed.",
                field="pdk",
                remedy=f"{listed}Others can be installed with 'ciel', or named by PDK_ROOT.",
            )
        if scl is not None and scl not in pdk.libraries:
            raise Refusal(
                422,
                f"The PDK {pdk.name} has no standard-cell library '{scl}'.",
                field="scl",
                remedy=f"It has: {', '.join(pdk.libraries) or 'none'}.",
            )
        if not pdk.libraries:
            raise Refusal(
                422,
                f"The PDK {pdk.name} in {pdk.root} has no standard-cell library that LibreLane can use.",
                field="pdk",
                remedy="Install it again, with its libraries.",
            )
        return pdk

    def _check_disk(self, design_dir: Path) -> None:
        free, needed = self._queue.free_bytes(design_dir), self._queue.limits.min_free_bytes
        if free < needed:
            raise Refusal(
                507,
                f"Only {free // 1_000_000} MB are free on the disk; a build needs {needed // 1_000_000} MB.",
                field="design_dir",
                remedy="Delete old runs (the 'runs' directory of a design), then try again.",
            )

    def _timeout(self, given: float | None) -> float:
        if given is None:
            return self._defaults.timeout
        if not 0 < given <= self._defaults.max_timeout:
            raise Refusal(
                422,
                f"The timeout of {given:g} s is out of range.",
                field="timeout",
                remedy=f"Give seconds above 0, at most {self._defaults.max_timeout:g}.",
            )
        return float(given)

    async def _inspect(self, toolchain: str, known: dict[str, Any]) -> list[dict[str, str]]:
        try:
            answer = await self._inspectors[toolchain].ask(known)
        except InspectorError as error:
            raise Refusal(503, str(error), remedy="Try again.", retry_after=5) from error
        errors = answer["errors"]
        if errors:
            first = errors[0]
            more = f" ({len(errors) - 1} more below.)" if len(errors) > 1 else ""
            raise Refusal(422, first["message"] + more, field=first["field"], remedy=first["remedy"], errors=errors)
        return list(answer["steps"])


def _typed(body: Mapping[str, Any]) -> dict[str, Any]:
    """Check names and types of the fields; Refusal 422 with one entry for each bad one."""
    errors = []
    for name, value in body.items():
        expected = FIELDS.get(name)
        if expected is None:
            errors.append(
                {
                    "field": name,
                    "message": f"There is no field '{name}'.",
                    "remedy": f"Use: {', '.join(FIELDS)}.",
                }
            )
        elif value is not None and (not isinstance(value, expected) or isinstance(value, bool)):
            word = "number" if name == "timeout" else {str: "string", dict: "mapping", list: "list"}[expected]
            errors.append(
                {
                    "field": name,
                    "message": f"The field '{name}' is not a {word}.",
                    "remedy": f"Give a {word}.",
                }
            )
        elif isinstance(value, list) and not all(isinstance(v, str) and len(v) <= MAX_KEY for v in value):
            errors.append({"field": name, "message": f"'{name}' is not a list of names.", "remedy": "Give strings."})
    if body.get("config") is None:
        errors.append(
            {
                "field": "config",
                "message": "The configuration is missing.",
                "remedy": "Give at least DESIGN_NAME and VERILOG_FILES.",
            }
        )
    if errors:
        raise Refusal(422, errors[0]["message"], field=errors[0]["field"], remedy=errors[0]["remedy"], errors=errors)
    return dict(body)


def _check_toolchain(name: str, flow: str) -> None:
    toolchain = TOOLCHAINS.get(name)
    if toolchain is None:
        raise Refusal(
            422,
            f"There is no toolchain '{name}'.",
            field="toolchain",
            remedy=f"Choose one of: {', '.join(TOOLCHAINS)}.",
        )
    reason = toolchain.why_not(flow)
    if reason:
        raise Refusal(422, reason, field="toolchain", remedy="Choose a toolchain that is there.")
