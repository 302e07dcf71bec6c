"""Takes builds in: from what a client sent to a checked request on disk, or to a refusal that names each bad field."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..auth import Refusal, Roots
from ..librelane import pdks
from ..librelane.catalogue import pdk_stamp
from ..librelane.presets import Presets
from ..librelane.worker import InspectorError, InspectorWorker
from ..toolchains import TOOLCHAINS
from ..toolchains.express import STAGE_STEP
from .fields import MAX_KEY, check_names, read_meta, typed
from .lock import LockTimeoutError
from .model import DONE, SKIPPED, BuildRequest, new_build_id, now
from .queue import Queue
from .record import Record
from .store import Store

T = TypeVar("T")

# What the request has fields of its own for: set in the configuration, the record would say one thing and LibreLane
# do another.
RESERVED = {"PDK", "PDK_ROOT", "PDKPATH", "STD_CELL_LIBRARY", "DESIGN_DIR"}
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


@dataclass
class Examination:
    """What is known of a request: what is wrong with it, and, where nothing is, all that a build is made of.

    ``toolchain_errors`` keep it from being built here, but say nothing against its configuration. ``answer`` is the
    inspector's (``librelane.checking.check``).
    """

    errors: list[dict[str, str]] = field(default_factory=list)
    toolchain_errors: list[dict[str, str]] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    pdk: pdks.PDK | None = None
    toolchain: str = ""
    presets: list[str] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)

    def attempt(self, what: Callable[..., T], *arguments: Any) -> T | None:
        """Return what a function returns; None, and entries here, where it refuses."""
        try:
            return what(*arguments)
        except Refusal as refusal:
            if refusal.status != 422:
                raise
            self.add(refusal.entries)
            return None

    def add(self, entries: Iterable[dict[str, str]]) -> None:
        """Add entries for fields that have none yet."""
        named = {e["field"] for e in self.errors}
        self.errors += [e for e in entries if e["field"] not in named]

    def refuse(self) -> None:
        """Refusal 422 with all that is wrong, if anything is."""
        errors = [*self.toolchain_errors, *self.errors]
        if errors:
            first = errors[0]
            more = f" ({len(errors) - 1} more below.)" if len(errors) > 1 else ""
            raise Refusal(422, first["message"] + more, field=first["field"], remedy=first["remedy"], errors=errors)


class Intake:
    """Checks build requests and puts them on record."""

    def __init__(
        self, store: Store, queue: Queue, roots: Roots, defaults: Defaults, check_timeout: float, presets: Presets
    ) -> None:
        self.presets = presets
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

    async def examine(self, body: Mapping[str, Any]) -> Examination:
        """Say all that can be said of a request before anything runs; what is wrong is in the result, not raised."""
        found = Examination()
        fields = found.attempt(typed, body)
        if fields is None:
            return found
        found.fields = fields
        if fields.get("only"):
            fields["from_step"] = fields["to_step"] = fields["only"]
        config: dict[str, Any] = dict(fields["config"])
        design_dir = found.attempt(self._design_dir, fields.get("design_dir"))
        named, meta = found.attempt(read_meta, config, fields.get("flow")) or (fields.get("flow"), {"version": 2})
        found.attempt(check_names, config)
        tried = [found.attempt(self.presets.find, name, design_dir) for name in fields.get("presets") or []]
        presets = [p for p in tried if p is not None]
        flow = named or "Express"
        if meta.get("substituting_steps"):
            meta["flow"] = meta["flow"] or flow
        toolchain = fields.get("toolchain") or _usual_toolchain(flow, meta)
        try:
            _check_toolchain(toolchain, "Express" if (flow, toolchain) == ("Custom", "express") else flow)
        except Refusal as refusal:
            found.toolchain_errors = refusal.entries
        pdk = found.attempt(self._pdk, fields.get("pdk") or self._defaults.pdk, fields.get("scl"), toolchain)
        if design_dir is None:
            return found
        layers: list[dict[str, Any]] = [{"name": p.name, "config": dict(p.config)} for p in presets]
        for part in (config, *(layer["config"] for layer in layers)):
            self._confine(part, design_dir, found)
        found.known = {
            "flow": flow,
            "pdk": pdk.name if pdk else self._defaults.pdk,
            "scl": fields.get("scl") if pdk else None,
            "pdk_root": str(pdk.root) if pdk and pdk.root else None,
            "from_step": fields.get("from_step"),
            "to_step": fields.get("to_step"),
            "skip": fields.get("skip") or [],
            "design_dir": str(design_dir),
            "config": config,
            "meta": meta,
        }
        found.pdk, found.toolchain, found.presets = pdk, toolchain, [p.name for p in presets]
        question = {
            **found.known,
            "kind": "check",
            "presets": layers,
            "pdk_stamp": pdk_stamp(pdk) if pdk else "",
        }
        answer = await self.ask(question, fields.get("toolchain") or "express")
        found.add(answer.pop("errors"))
        found.known["config"] = answer["config"]
        found.answer = answer
        return found

    def _confine(self, config: dict[str, Any], design_dir: Path, found: Examination) -> None:
        """Note down each value that leads out, and take it away: nothing may look there."""
        for name in list(config):
            if found.attempt(self._confine_files, {name: config[name]}, design_dir) is None:
                del config[name]

    async def _check(
        self, body: Mapping[str, Any], *, retry_of: str | None = None, resumed: Record | None = None
    ) -> BuildRequest:
        found = await self.examine(body)
        found.refuse()
        fields, known, pdk, toolchain = found.fields, found.known, found.pdk, found.toolchain
        assert pdk is not None  # noqa: S101 - there would have been an error
        design_dir, flow = known["design_dir"], known["flow"]
        self._check_disk(Path(design_dir))
        name = fields.get("name") or str(known["config"].get("DESIGN_NAME", ""))
        steps = list(found.answer["steps"])
        if pdk.root is None:
            steps.insert(0, STAGE_STEP)
        weights, basis = self._store.index.step_seconds(design_dir, name, flow, pdk.name)
        repeated = resumed or (self._store.get(retry_of) if retry_of else None)
        if repeated is not None:  # its configuration is what the presets had made of it then
            found.presets, found.answer["origins"] = repeated.request.presets, repeated.request.origins
        return BuildRequest(
            **known,
            presets=found.presets,
            origins=found.answer["origins"],
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

    def _confine_files(self, config: Mapping[str, Any], design_dir: Path) -> bool:
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
            if isinstance(files, str):
                files = [files]
            if not isinstance(files, list) or not all(isinstance(f, str) for f in files):
                raise Refusal(422, f"{variable} is not a list of paths.", field=field, remedy="Give a list of strings.")
            for file in files:
                self._roots.resolve(file.removeprefix("dir::"), field, design_dir)
        return True

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

    def pdk_for_display(self, name: str | None, scl: str | None) -> pdks.PDK:
        """Return the PDK whose defaults are shown; Refusal 422 as for a build."""
        return self._pdk(name or self._defaults.pdk, scl, "express")

    def design_dir(self, given: Any) -> Path:
        """Return the design directory that a request names, to read from or write to; Refusal 422."""
        return self._design_dir(given)

    async def ask(self, question: dict[str, Any], toolchain: str = "express") -> dict[str, Any]:
        """Return what LibreLane answers (see ``librelane.inspector``); Refusal 503 when it does not."""
        inspector = self._inspectors.get(toolchain) or self._inspectors["express"]
        try:
            return await inspector.ask(question)
        except InspectorError as error:
            raise Refusal(503, str(error), remedy="Try again.", retry_after=5) from error


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
    names = ("name", "design_dir", "flow", "pdk", "scl", "toolchain", "from_step", "to_step", "skip", "tags")
    body = {name: getattr(request, name) for name in names}
    body["config"] = {**request.config, "meta": request.meta}
    if request.resume_of:  # it began in the middle, where another had been before it
        body["from_step"] = None
    return {**body, "timeout": request.timeout, "cores": request.cores, "memory": request.memory or None}


def _where_to_go_on(record: Record) -> str | None:
    """Return the first step of LibreLane's that is not behind the build."""
    for step in record.snapshot.steps.values():
        if step.state not in {DONE, SKIPPED} and step.id != STAGE_STEP["id"]:
            return step.id
    return None


def _usual_toolchain(flow: str, meta: Mapping[str, Any]) -> str:
    """Return the toolchain of a request that names none; a list of steps goes where its own steps are."""
    listed = meta.get("flow") if flow == "Custom" else None
    own = any(step.startswith("Express.") for step in listed) if isinstance(listed, list) else flow == "Express"
    return "express" if own else "path"


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
