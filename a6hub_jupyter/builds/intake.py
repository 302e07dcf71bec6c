"""Takes builds in: from what a client sent to a checked request on disk, or to a refusal that names each bad field."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..auth import Refusal, Roots
from ..librelane import pdks
from ..librelane.worker import InspectorError, InspectorWorker
from ..toolchains import TOOLCHAINS
from ..toolchains.express import STAGE_STEP
from .fields import MAX_KEY, check_names, typed
from .lock import LockTimeoutError
from .model import DONE, SKIPPED, BuildRequest, new_build_id, now
from .queue import Queue
from .record import Record
from .store import Store

# What the request has fields of its own for: set in the configuration, the record would say one thing and LibreLane
# do another.
RESERVED = {"PDK", "PDK_ROOT", "PDKPATH", "STD_CELL_LIBRARY", "DESIGN_DIR", "meta"}
# LibreLane's prefixes for paths (librelane/config/preprocessor.py).
PATH_PREFIX = re.compile(r"^(?:dir|pdk_dir|scl_dir|cwd|refg?)::")


@dataclass(frozen=True)
class Defaults:
    """What holds where a request is silent, and how far it may go."""

    pdk: str
    pdk_roots: tuple[str, ...]
    timeout: float
    max_timeout: float
    max_queued: int
    grace: float
    cores: int
    memory: int


class Intake:
    """Checks build requests and puts them on record."""

    def __init__(self, store: Store, queue: Queue, roots: Roots, defaults: Defaults, check_timeout: float) -> None:
        self._store = store
        self._queue = queue
        self._roots = roots
        self._defaults = defaults
        self._turn = asyncio.Lock()
        self.on_created: Callable[[Record], None] = lambda _: None
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
        return await self._once(idempotency_key, lambda: self._check(body))

    async def retry(self, record: Record, idempotency_key: str | None) -> tuple[Record, bool]:
        """Return a new build with the request of an ended one, checked anew; Refusal 409 if that has not ended."""
        _must_have_ended(record, "retried")
        body = _body_of(record.request)
        return await self._once(idempotency_key, lambda: self._check(body, retry_of=record.id))

    async def resume(self, record: Record, body: Mapping[str, Any], idempotency_key: str | None) -> tuple[Record, bool]:
        """Return a new build that goes on in the run directory of an ended one; by default at the step that failed."""
        _must_have_ended(record, "resumed")
        unknown = [name for name in body if name not in {"from_step", "to_step", "only", "skip", "timeout"}]
        if unknown:
            raise Refusal(
                422,
                f"'{unknown[0]}' cannot be given when a build is resumed.",
                field=unknown[0],
                remedy="Give from_step, to_step, only, skip or timeout, or start a new build.",
            )
        _must_have_run_directory(record)
        changed = {**_body_of(record.request), "from_step": None, "to_step": None, "skip": [], **body}
        if not changed.get("only") and changed["from_step"] is None:
            changed["from_step"] = _where_to_go_on(record)
        return await self._once(
            idempotency_key,
            lambda: self._check(changed, resumed=record),
            lambda: self._must_be_free(record),
        )

    def _must_be_free(self, record: Record) -> None:
        """Refusal 409 if the run directory of a build cannot be gone on with: at work, or deleted meanwhile."""
        self.must_be_idle(record.request.run_dir)
        _must_have_run_directory(record)

    def must_be_idle(self, run_dir: str) -> None:
        """Refusal 409 if a build is at work in a run directory, or will be."""
        for other in self._store.live.values():
            if other.request.run_dir == run_dir:
                raise Refusal(
                    409,
                    f"The build {other.id} is at work in this run directory.",
                    field="id",
                    remedy="Wait for its end.",
                )

    @contextlib.asynccontextmanager
    async def exclusively(self) -> AsyncIterator[None]:
        """Keep all other servers on this store from making and deleting builds, and know of all they have made.

        Refusal 503 where another server does not let go, 507 where the disk refuses.
        """
        try:
            async with self._store.exclusively():
                self._store.discover()
                yield
        except LockTimeoutError as error:
            raise Refusal(503, str(error), remedy="Try again.", retry_after=5) from error
        except OSError as error:
            sentence = f"The builds' directory cannot be used: {error.strerror}."
            raise Refusal(507, sentence, remedy="Free space on the disk.") from error

    async def delete(self, record: Record, *, run_directory: bool) -> None:
        """Remove an ended build's record, with ``run_directory`` also LibreLane's files; Refusal 409.

        Ending half-way leaves the record until all else is gone, so that it can be asked for again.
        """
        run_dir = Path(record.request.run_dir)
        doomed = run_dir.with_name(f".{run_dir.name}.deleted")
        async with self.exclusively():
            _must_have_ended(record, "deleted")
            if run_directory:
                self.must_be_idle(record.request.run_dir)
                await asyncio.to_thread(_put_aside, run_dir, doomed)
        if run_directory:
            await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)
        await asyncio.to_thread(shutil.rmtree, self._store.forget(record), ignore_errors=True)

    async def _once(
        self,
        idempotency_key: str | None,
        check: Callable[[], Awaitable[BuildRequest]],
        check_last: Callable[[], None] = lambda: None,
    ) -> tuple[Record, bool]:
        if idempotency_key is not None and not 0 < len(idempotency_key) <= MAX_KEY:
            raise Refusal(400, f"The Idempotency-Key must have 1 to {MAX_KEY} characters.")
        if idempotency_key:  # a build that ended while no server ran may not be in the index yet
            await asyncio.to_thread(self._store.wait_until_indexed)
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
            request = await check()
            async with self.exclusively():  # nothing can come between this look and the record, from no server
                if idempotency_key and (known := self._store.by_idempotency_key(idempotency_key)):
                    return known, False
                check_last()
                try:
                    record = self._store.create(request, idempotency_key)
                except OSError as error:
                    raise Refusal(
                        507,
                        f"The build could not be put on record: {error.strerror}.",
                        remedy="Free space on the disk.",
                    ) from error
        self.on_created(record)
        self._queue.poke()
        return record, True

    async def _check(
        self, body: Mapping[str, Any], *, retry_of: str | None = None, resumed: Record | None = None
    ) -> BuildRequest:
        fields = typed(body)
        if fields.get("only"):
            fields["from_step"] = fields["to_step"] = fields["only"]
        design_dir = self._design_dir(fields.get("design_dir"))
        config = dict(fields["config"])
        check_names(config)
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
        weights, basis = self._store.index.step_seconds(str(design_dir), name, flow, pdk.name)
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
            jobs=self._within(fields.get("cores"), "cores", self._defaults.cores, self._queue.limits.cores),
            grace=self._defaults.grace,
            cores=self._within(fields.get("cores"), "cores", self._defaults.cores, self._queue.limits.cores),
            memory=self._within(fields.get("memory"), "memory", self._defaults.memory, self._queue.limits.memory),
            run_tag=resumed.request.tag if resumed else None,
            retry_of=retry_of,
            resume_of=resumed.id if resumed else None,
            weights={s["id"]: round(weights[s["id"]], 3) for s in steps if s["id"] in weights},
            weights_basis=basis,
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
        for name in RESERVED & set(config):
            raise Refusal(
                422,
                f"{name} cannot be set in the configuration.",
                field=f"config.{name}",
                remedy="Use the fields pdk, scl, design_dir and flow of the request.",
            )
        for name, value in config.items():
            self._confine_strings(value, f"config.{name}", design_dir)
        for variable in ("VERILOG_FILES", "VERILOG_INCLUDE_DIRS"):
            files = config.get(variable)
            field = f"config.{variable}"
            if files is None:
                continue
            if not isinstance(files, list) or not all(isinstance(f, str) for f in files):
                raise Refusal(422, f"{variable} is not a list of paths.", field=field, remedy="Give a list of strings.")
            for file in files:
                self._roots.resolve(file.removeprefix("dir::"), field, design_dir)

    def _confine_strings(self, value: Any, field: str, design_dir: Path) -> None:
        """Refuse absolute paths, and paths that go up, where they leave the roots and the PDKs."""
        if isinstance(value, Mapping):
            value = [*value, *value.values()]
        if isinstance(value, list):
            for each in value:
                self._confine_strings(each, field, design_dir)
        elif isinstance(value, str):
            path = PATH_PREFIX.sub("", value)
            known = [str(root) for root in pdks.roots(self._defaults.pdk_roots)]
            inside = os.path.normpath(path).startswith(tuple(f"{root}{os.sep}" for root in known))
            if (path.startswith(("/", "~")) and not inside) or ".." in path.split("/"):
                self._roots.resolve(path, field, design_dir)

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
                "The timeout is out of range.",
                field="timeout",
                remedy=f"Give seconds above 0, at most {self._defaults.max_timeout:g}.",
            )
        return float(given)

    @staticmethod
    def _within(given: int | None, field: str, default: int, most: int) -> int:
        if given is None:
            return min(default, most)
        if not 0 < given <= most:
            raise Refusal(422, f"'{field}' is out of range.", field=field, remedy=f"Give 1 to {most}.")
        return given

    def _outside(self, paths: Mapping[str, list[str]], known: Mapping[str, Any]) -> list[dict[str, str]]:
        """Return an entry for each variable whose path, as LibreLane has resolved it, leads out of where it may."""
        places = [str(root) for root in pdks.roots(self._defaults.pdk_roots)] + [known["pdk_root"] or "", *_packages()]
        errors = []
        for variable, found in paths.items():
            for path in found:
                if f"{os.path.normpath(path)}{os.sep}".startswith(
                    tuple(f"{place}{os.sep}" for place in places if place)
                ):
                    continue
                try:
                    self._roots.resolve(path, f"config.{variable}", Path(known["design_dir"]))
                except Refusal as refusal:
                    entry = {"message": str(refusal.body["message"]), "remedy": str(refusal.body["remedy"])}
                    errors.append({"field": f"config.{variable}", **entry})
                    break
        return errors

    async def _inspect(self, toolchain: str, known: dict[str, Any]) -> list[dict[str, str]]:
        try:
            answer = await self._inspectors[toolchain].ask(known)
        except InspectorError as error:
            raise Refusal(503, str(error), remedy="Try again.", retry_after=5) from error
        errors = answer["errors"] or self._outside(answer["paths"], known)
        if errors:
            first = errors[0]
            more = f" ({len(errors) - 1} more below.)" if len(errors) > 1 else ""
            raise Refusal(422, first["message"] + more, field=first["field"], remedy=first["remedy"], errors=errors)
        return list(answer["steps"])


def _put_aside(run_dir: Path, doomed: Path) -> None:
    """Give a run directory, if it is still there, the name of one that is being deleted; Refusal 409."""
    shutil.rmtree(doomed, ignore_errors=True)  # left by a server that was killed while it deleted
    try:
        run_dir.rename(doomed)
    except FileNotFoundError:
        return
    except OSError as error:
        sentence = f"The run directory cannot be removed: {error.strerror}."
        raise Refusal(409, sentence, field="run_directory", remedy="Mend its permissions.") from error


@functools.lru_cache(maxsize=1)
def _packages() -> list[str]:
    """Return the directories of LibreLane, which has files of its own for some variables, and of ours."""
    specification = importlib.util.find_spec("librelane")
    there = specification.submodule_search_locations if specification else None
    return [str(Path(__file__).parents[1]), *(there or ())]


def _must_have_ended(record: Record, done: str) -> None:
    record.refresh()
    if record.live:
        raise Refusal(
            409,
            f"The build is {record.snapshot.state}; only one that has ended can be {done}.",
            field="id",
            remedy="Wait for its end, or cancel it.",
        )


def _must_have_run_directory(record: Record) -> None:
    if not Path(record.request.run_dir).is_dir():
        raise Refusal(409, "The run directory of this build is gone.", field="id", remedy="Start a new build instead.")


def _body_of(request: BuildRequest) -> dict[str, Any]:
    """Return the request that a client would send for the same build."""
    names = ("name", "design_dir", "config", "flow", "pdk", "scl", "toolchain", "from_step", "to_step", "skip", "tags")
    body = {name: getattr(request, name) for name in names}
    if request.resume_of:  # it began in the middle, where another had been before it
        body["from_step"] = None
    return {**body, "timeout": request.timeout, "cores": request.cores, "memory": request.memory or None}


def _where_to_go_on(record: Record) -> str | None:
    """Return the first step of LibreLane's that is not behind the build."""
    for step in record.snapshot.steps.values():
        if step.state not in {DONE, SKIPPED} and step.id != STAGE_STEP["id"]:
            return step.id
    return None


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
