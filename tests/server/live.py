"""A Jupyter server in a process of its own, with the extension, and what is said to it byte by byte."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPMessage, parse_headers
from io import BytesIO
from pathlib import Path
from typing import Any

import requests

TOKEN = "live-server"


@dataclass
class LiveServer:
    """The server; ``root`` is its root directory, ``log`` what it has written."""

    port: int
    root: Path
    log: Path
    session: requests.Session

    @property
    def url(self) -> str:
        """The URL of the API, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}/api/a6hub"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make an ordinary request."""
        return self.session.request(method, self.url + path, timeout=30, **options)

    def exchange(
        self, method: str, target: bytes, body: bytes = b"", headers: bytes = b""
    ) -> tuple[int, HTTPMessage, bytes] | None:
        """Send a request as it stands, the path below the API; None if the server closes without an answer."""
        head = b"%s /api/a6hub%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token %s\r\nConnection: close\r\n"
        text = head % (method.encode(), target, TOKEN.encode()) + headers + b"Content-Length: %d\r\n\r\n" % len(body)
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            received = b""
            with contextlib.suppress(ConnectionError):  # the server may refuse before it has read all
                connection.sendall(text + body)
            with contextlib.suppress(ConnectionError):
                while data := connection.recv(1 << 16):
                    received += data
        if not received:
            return None
        file = BytesIO(received)
        status = int(file.readline().split()[1])
        return status, parse_headers(file), file.read()

    def end_builds(self) -> None:
        """Cancel all that has not ended, and wait until it has."""
        for _ in range(300):
            live = []
            for state in ("running", "starting", "queued"):
                live += self.call("GET", f"/builds?limit=100&state={state}").json()["builds"]
            if not live:
                return
            for build in live:
                self.call("POST", f"/builds/{build['id']}/cancel")
            time.sleep(0.1)
        raise AssertionError(f"{len(live)} builds do not end")


@contextlib.contextmanager
def live_server(directory: Path, pdk_root: Path, double: Path | None, **traits: Any) -> Iterator[LiveServer]:
    """Run a server on ``directory``/root until the end of the block; builds run ``double``, or LibreLane itself."""
    root = directory / "root"
    root.mkdir(parents=True, exist_ok=True)
    config = {
        "ServerApp": {
            "jpserver_extensions": {"a6hub_jupyter": True, "jupyter_server_terminals": False},
            "root_dir": str(root),
            "open_browser": False,
            "allow_root": True,
            "port_retries": 0,
        },
        "IdentityProvider": {"token": TOKEN},
        "A6HubApp": {
            "builds_dir": str(directory / "builds"),
            "cache_dir": str(directory / "cache"),
            "pdk_roots": [str(pdk_root)],
            "build_cores": 1,
            "build_memory": 1 << 20,
            "cancel_grace": 0.5,
            **traits,
        },
    }
    (directory / "config").mkdir()
    (directory / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
    names = {f"JUPYTER_{n.upper()}_DIR": str(directory / n) for n in ("config", "data", "runtime")}
    environment = {**os.environ, **names, "LIBRELANE_PATH": str(double or ""), "A6HUB_PYTHON": sys.executable}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = directory / "server.log"
    with log.open("wb") as output, requests.Session() as session:
        session.headers["Authorization"] = f"token {TOKEN}"
        command = [sys.executable, "-m", "jupyter_server", f"--ServerApp.port={port}"]
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=root)
        server = LiveServer(port, root, log, session)
        try:
            _wait(server, process)
            yield server
            server.end_builds()
        finally:
            process.terminate()
            process.wait(20)


def _wait(server: LiveServer, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):  # two minutes: machines may be busy
        with contextlib.suppress(requests.ConnectionError):
            assert server.call("GET", "/").status_code == 200
            return
        assert process.poll() is None, server.log.read_text()[-2000:]
        time.sleep(0.1)
    raise AssertionError(f"the server did not come up: {server.log.read_text()[-2000:]}")
