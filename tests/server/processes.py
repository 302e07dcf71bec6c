"""Jupyter servers as processes of their own, and a client that follows a build over any number of connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
from jupyter_client.manager import AsyncKernelManager
from tornado.httpclient import HTTPError
from tornado.websocket import WebSocketClientConnection, websocket_connect

from a6hub_jupyter.builds import journal

from ..conftest import DOUBLE, NEEDS

TOKEN = "chaos"
# Whether the long run of chaos has real Express builds among its builds.
REAL = "A6HUB_CHAOS" in os.environ and NEEDS["express"]()
Json = dict[str, Any]

# What a notebook runs to attach to a build; where no server is up just then, somebody runs the cell again.
ATTACH = """
import time
import a6hub_jupyter as a6hub
from a6hub_jupyter.client import ServerNotFoundError
for _ in range(300):
    try:
        build = a6hub.build("{id}")
        break
    except ServerNotFoundError:
        time.sleep(0.2)
print(build.wait(progress=False).state)
"""


class Server:
    """One Jupyter server after the other over the same store, each on a port of its own."""

    def __init__(self, work: Path, state: Path, environment: dict[str, str], **traits: object) -> None:
        self.work, self.state, self.traits = work, state, traits
        self.builds = Path(str(traits["builds_dir"]))
        self._environment = {**os.environ, **environment}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.up = asyncio.Event()

    async def start(self) -> None:
        """Start a server process and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/api/a6hub/"
        extensions = {"a6hub_jupyter": True, "jupyterlab": False, "notebook": False, "jupyter_lsp": False}
        config = {
            "ServerApp": {
                "root_dir": str(self.work),
                "port": port,
                "port_retries": 0,
                "open_browser": False,
                "allow_root": True,
                "jpserver_extensions": {**extensions, "jupyter_server_terminals": False, "notebook_shim": False},
            },
            "IdentityProvider": {"token": TOKEN},
            "A6HubApp": self.traits,
        }
        self.state.mkdir(exist_ok=True)
        (self.state / "config.json").write_text(json.dumps(config))
        environment = {**self._environment, "JUPYTER_CONFIG_DIR": str(self.state), "JUPYTER_PREFER_ENV_PATH": "0"}
        environment["JUPYTER_RUNTIME_DIR"] = environment["JUPYTER_DATA_DIR"] = str(self.state / "data")
        with (self.state / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "jupyter_server", f"--config={self.state / 'config.json'}"]
            self.process = subprocess.Popen(  # noqa: ASYNC220 - a fork takes a moment
                command, stdout=log, stderr=log, env=environment
            )
        for _ in range(400):
            with contextlib.suppress(httpx.HTTPError):
                if (await self.request("GET", "builds?limit=1")).status_code == 200:
                    self.up.set()
                    return
            assert self.process.poll() is None, self.log[-3000:]
            await asyncio.sleep(0.1)
        raise AssertionError(self.log[-3000:])

    @property
    def log(self) -> str:
        return (self.state / "server.log").read_text(errors="replace")

    def kill(self) -> None:
        """End the server as a power cut would."""
        assert self.process is not None
        self.up.clear()
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"token {TOKEN}", **options.pop("headers", {})}
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            return await client.request(method, self.url + path, headers=headers, **options)

    async def insist(self, method: str, path: str, **options: Any) -> Json:
        """Ask until an answer comes, whatever server gives it."""
        while True:
            await self.up.wait()
            with contextlib.suppress(httpx.HTTPError):
                response = await self.request(method, path, **options)
                if response.status_code != 503:
                    assert response.status_code < 300, response.text
                    return dict(response.json())
            await asyncio.sleep(0.1)

    async def until(self, build_id: str, *states: str, seconds: float = 60.0) -> Json:
        """Wait for one of the states, by default for the end."""
        wanted = states or ("succeeded", "failed", "cancelled", "timed_out", "lost")
        for _ in range(int(seconds / 0.05)):
            build = await self.insist("GET", f"builds/{build_id}")
            if build["state"] in wanted:
                return build
            await asyncio.sleep(0.05)
        raise AssertionError(f"still {build['state']}")

    async def connect(self, build_id: str, after: int, offset: int) -> WebSocketClientConnection:
        url = f"ws{self.url[4:]}builds/{build_id}/stream?after={after}&offset={offset}&token={TOKEN}"
        return await websocket_connect(url)

    def marked(self) -> list[psutil.Process]:
        """Processes of builds of this store: those that carry a build's mark, and supervisors."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                words = [process.environ().get(journal.MARK, ""), *process.cmdline()[-1:]]
                if any(w.startswith(f"{self.builds}/") for w in words):
                    found.append(process)
        return found


class Follower:
    """Follows one build to its end by (seq, offset), over as many connections as it takes."""

    def __init__(self, server: Server, build_id: str) -> None:
        self.server, self.id = server, build_id
        self.events: list[Json] = []
        self.text: list[str] = []
        self.take: Callable[[str], None] = self.text.append
        self.after = self.offset = self.connections = 0
        self.end: Json | None = None
        self._socket: WebSocketClientConnection | None = None

    def drop(self) -> None:
        """Cut the connection without a word."""
        if self._socket is not None and self._socket.protocol is not None:
            stream = getattr(self._socket.protocol, "stream", None)
            if stream is not None:
                stream.close()

    async def follow(self) -> None:
        while self.end is None:
            await self.server.up.wait()
            with contextlib.suppress(OSError, HTTPError, asyncio.TimeoutError):
                self._socket = await self.server.connect(self.id, self.after, self.offset)
                self.connections += 1
                try:
                    await self._read(self._socket)
                finally:
                    self._socket.close()
            await asyncio.sleep(0.05)

    async def _read(self, socket: WebSocketClientConnection) -> None:
        first = True
        while (text := await asyncio.wait_for(socket.read_message(), 60)) is not None:
            message = json.loads(text)
            kind = message["type"]
            if kind == "log":
                assert message["data"]["offset"] == self.offset
                self.offset = message["data"]["end"]
                self.take(message["data"]["text"])
            elif kind == "complete":
                self.end = message
            elif not first and message["seq"] > self.after:
                self.after = message["seq"]
                self.events.append(message)
            elif not first:  # a change of the queue or of the state, told as a status without an event of its own
                assert kind == "status", message
            first = False

    def check(self) -> None:
        """Compare with the record: each event and each byte exactly once, in order."""
        directory = self.server.builds / self.id
        recorded = [json.loads(line) for line in (directory / journal.JOURNAL).read_text().splitlines()]
        assert [e["seq"] for e in recorded] == list(range(1, len(recorded) + 1))
        told = [e for e in recorded if e["type"] != "complete"]
        assert [(e["seq"], e["type"]) for e in self.events] == [(e["seq"], e["type"]) for e in told]
        assert [e["data"] for e in self.events if e["type"] != "status"] == [
            e["data"] for e in told if e["type"] != "status"
        ]
        console = directory / journal.CONSOLE
        assert "".join(self.text) == (console.read_bytes() if console.exists() else b"").decode(errors="replace")


class Kernel:
    """A real kernel in which somebody waits for builds, as in a notebook; ``start`` gives another after a kill."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._manager: AsyncKernelManager | None = None
        self._client: Any = None
        self._ready = False

    async def start(self) -> None:
        """Start a kernel process beside the design, and wait until it answers."""
        await self.stop()
        runtime = str(self._server.state / "data")
        self._manager = AsyncKernelManager(kernel_name="python3")
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": runtime}
        await self._manager.start_kernel(cwd=str(self._server.work), env=environment)
        self._client = self._manager.client()
        self._client.start_channels()
        await self._client.wait_for_ready(timeout=120)
        self._ready = True

    async def stop(self) -> None:
        if self._manager is not None:
            self._client.stop_channels()
            await self._manager.shutdown_kernel(now=True)
            self._manager = None

    async def kill(self) -> bool:
        """Kill the kernel process; whether there was one."""
        if self._manager is None or not self._ready:
            return False
        self._ready = False
        await self._manager.signal_kernel(signal.SIGKILL)
        return True

    async def wait_for(self, build_id: str) -> str | None:
        """Wait in the kernel for the end of a build; return its state there, None where the kernel has been killed."""
        code = ATTACH.format(id=build_id)
        if self._manager is None:
            return None
        asked = self._client.execute(code)
        printed = ""
        while True:
            try:
                message = await self._client.get_iopub_msg(timeout=0.5)
            except queue.Empty:
                if not await self._manager.is_alive():
                    return None
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            content = message["content"]
            assert message["msg_type"] != "error", "\n".join(content["traceback"])
            if message["msg_type"] == "stream":
                printed += content["text"]
            elif content.get("execution_state") == "idle":
                return printed.strip()


def end(process: psutil.Process) -> bool:
    """Kill a process; whether it was there."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)
        return True
    return False


def make_server(tmp_path: Path, name: str, pdk_root: Path, tool: Path = DOUBLE, **more: Any) -> Server:
    traits: Json = {"builds_dir": str(tmp_path / "builds"), "cache_dir": str(tmp_path / "cache"), "max_running": 4}
    traits |= {"build_cores": 1, "build_memory": 1 << 20, "cancel_grace": 0.5, "max_cores": 4, "min_free_disk": 0}
    if not REAL:
        traits["pdk_roots"] = [str(pdk_root)]
    return Server(tmp_path / "work", tmp_path / name, {"LIBRELANE_PATH": str(tool)}, **{**traits, **more})
