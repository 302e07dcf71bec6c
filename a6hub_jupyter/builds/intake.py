"""Takes builds in: from what a client sent to a checked request on disk, or to a refusal that names each bad field."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ..auth import Refusal
from ..toolchains.express import STAGE_STEP
from ..toolchains.preparations import PREPARATIONS
from .examiner import Defaults, Examiner
from .fields import MAX_KEY
from .lock import LockTimeoutError
from .model import DONE, QUEUED, SKIPPED, BuildRequest, new_build_id, now
from .queue import Queue
from .record import Record
from .store import Store

# How long a request waits for an index that is being brought up to date, and how often it looks.
INDEX_PATIENCE, INDEX_LOOK = 2.0, 0.05


class Intake:
    """Checks build requests and puts them on record."""

    def __init__(self, store: Store, queue: Queue, examiner: Examiner, defaults: Defaults) -> None:
        self._store = store
        self._queue = queue
        self._examiner = examiner
        self._defaults = defaults
        self._turn = asyncio.Lock()
        self._checking = 0  # requests that wait for their check, or are being checked
        self.on_created: Callable[[Record], None] = lambda _: None

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
        if idempotency_key:
            await self._wait_for_index(idempotency_key)
            if known := self._store.by_idempotency_key(idempotency_key):
                return known, False
        async with self._place(), self._turn:  # so that two POSTs with one key cannot both be the first
            if idempotency_key and (known := self._store.by_idempotency_key(idempotency_key)):
                return known, False
            request = await check()
            async with self.exclusively():  # nothing can come between this look and the record, from no server
                if idempotency_key and (known := self._store.by_idempotency_key(idempotency_key)):
                    return known, False
                check_last()
                self._must_have_place(others=0)
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

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Hold a place in the queue while a request is checked; Refusal 429 where none is free."""
        self._must_have_place(others=self._checking)
        self._checking += 1
        try:
            yield
        finally:
            self._checking -= 1

    def _must_have_place(self, others: int) -> None:
        """Refusal 429 if as many builds as may wait do so; ``others`` are requests that have been promised a place."""
        most = self._defaults.max_queued
        queued = self._store.queued()
        if len(queued) + others < most:
            return
        for record in queued:  # another server may have started or cancelled some
            self._queue.look(record)
        waiting = sum(record.snapshot.state == QUEUED for record in queued)
        if waiting >= most:
            remedy = "Wait until some have run, or cancel some."
            raise Refusal(429, f"{waiting} builds are waiting already.", remedy=remedy, retry_after=30)
        if waiting + others >= most:
            sentence = f"{waiting + others} builds are waiting or being checked already."
            raise Refusal(429, sentence, remedy="Try again in a moment.", retry_after=5)

    async def _wait_for_index(self, key: str) -> None:
        """Wait until the index can tell whether there is a build with this key; Refusal 503 where that takes long.

        A build that ended while no server ran is not in the index yet. No thread waits: there are few for all.
        """
        until = time.monotonic() + INDEX_PATIENCE
        while not self._store.indexed and self._store.by_idempotency_key(key) is None:
            if time.monotonic() > until:
                raise Refusal(
                    503,
                    "The index of builds is being made anew; until then nobody knows which keys have been used.",
                    field="Idempotency-Key",
                    remedy="Try again, or leave the Idempotency-Key out.",
                    retry_after=5,
                )
            await asyncio.sleep(INDEX_LOOK)

    async def _check(
        self, body: Mapping[str, Any], *, retry_of: str | None = None, resumed: Record | None = None
    ) -> BuildRequest:
        found = await self._examiner.examine(body)
        found.refuse()
        fields, known, pdk, toolchain = found.fields, found.known, found.pdk, found.toolchain
        assert pdk is not None  # noqa: S101 - there would have been an error
        design_dir, flow = known["design_dir"], known["flow"]
        self._check_disk(Path(design_dir))
        name = fields.get("name") or str(known["config"].get("DESIGN_NAME", ""))
        steps = [*found.preparations, *found.answer["steps"]]
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
            toolchain_reason=found.reason,
            provided=found.provided,
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
        if step.state not in {DONE, SKIPPED} and step.id not in PREPARATIONS:
            return step.id
    return None
