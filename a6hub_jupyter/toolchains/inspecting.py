"""The server's handle on the inspector: started on first use, kept warm, killed when it does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from ..isolated import clean_environment, module_command
from .base import Probe
from .probing import MARK

# The largest answer is the list of a flow's variables (200 kB); a line past this is not from our inspector.
MAX_ANSWER = 8 << 20
# An answer takes a fraction of a second.
MAX_WAITING = 100

# Another LibreLane, in a container perhaps, is not kept in memory longer than a form is being filled in.
IDLE_SECONDS = 300.0
# A child of a process that was ended may hold on to its output.
CLOSING_SECONDS = 2.0


class InspectorError(Exception):
    """The inspector died or did not answer in time; the text is for people."""


class InspectorWorker:
    """Sends requests to one inspector process, one at a time.

    ``probe`` says how to start it in another LibreLane than this Python's; where it is, it ends when it has been idle.
    """

    def __init__(self, environment: Mapping[str, str], timeout: float, probe: Probe | None = None) -> None:
        self._environment = clean_environment(environment)
        self._timeout = timeout
        self._probe = probe
        self.key = probe.key if probe else ""
        self._bedtime: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def warm_up(self) -> None:
        """Start the process ahead of the first request, so that LibreLane is loaded by then."""
        async with self._turn:
            await self._start()

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the inspector's answer; InspectorError when there is none, or when too many wait for theirs."""
        if self._waiting >= MAX_WAITING:
            raise InspectorError(f"{self._waiting} requests wait for LibreLane's answer already.")
        self._waiting += 1
        try:
            return await self._ask(request)
        finally:
            self._waiting -= 1

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        async with self._turn:
            self._stay_up()
            process = await self._start()
            assert process.stdin is not None  # noqa: S101 - both are pipes, see _start
            assert process.stdout is not None  # noqa: S101
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n")
                await process.stdin.drain()
                answer = json.loads(await asyncio.wait_for(self._read(process.stdout), self._timeout))
            except (OSError, ValueError, asyncio.TimeoutError) as problem:
                await self._stop()
                raise InspectorError(
                    f"LibreLane did not check the request within {self._timeout:g} s or stopped while it did; "
                    "the Jupyter server's log has its output."
                ) from problem
            if "failed" in answer:
                raise InspectorError(f"LibreLane could not look at this: {answer['failed']}.")
            return dict(answer)

    async def _read(self, stdout: asyncio.StreamReader) -> bytes:
        """Return the next line that is an answer; empty where there will be none."""
        mark = MARK if self._probe else b""
        while line := await stdout.readline():
            if line.startswith(mark):
                return line.removeprefix(mark)
        return b""

    def _stay_up(self) -> None:
        if self._probe is None:
            return
        if self._bedtime is not None:
            self._bedtime.cancel()
        self._bedtime = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._sleep)

    def _sleep(self) -> None:
        self._ending = asyncio.get_running_loop().create_task(self.close())

    async def close(self) -> None:
        """End the process."""
        if self._bedtime is not None:
            self._bedtime.cancel()
        async with self._turn:
            await self._stop()

    async def _start(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            await self._stop()
            probe = self._probe
            self._process = await asyncio.create_subprocess_exec(
                *(probe.argv if probe else module_command("a6hub_jupyter.librelane.inspector")),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environment,
                limit=MAX_ANSWER,
                cwd="/" if probe else None,  # nothing of a design is to be imported
            )
            if probe and self._process.stdin:
                self._process.stdin.write(probe.greeting)
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        # also of one that has ended by itself: its pipes are open until both ends are seen to be closed
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(process.communicate(), CLOSING_SECONDS)
