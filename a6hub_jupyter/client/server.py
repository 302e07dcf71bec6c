"""Finds the Jupyter server that a kernel belongs to, and talks to it.

In this order: the server that started this kernel (``JPY_PARENT_PID`` names it, its file in Jupyter's runtime
directory gives URL and token); a running server whose root holds the working directory; a JupyterHub's single-user
server (``JUPYTERHUB_*``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import psutil
from jupyter_core.paths import jupyter_runtime_dir

from .errors import RequestRefusedError, ServerNotFoundError

HOW_TO_START = (
    "Start one with 'jupyter lab' in the directory of your design and run this in a notebook there; "
    "a plain script finds it too while it runs."
)


@dataclass(frozen=True)
class Address:
    """A server: its URL with base path and trailing slash, its token ("" for none), its root directory."""

    url: str
    token: str
    root: str


def find_server() -> Address:
    """Return the server of this kernel; ServerNotFoundError says how to start one."""
    running = list(_running_servers())
    parent = os.environ.get("JPY_PARENT_PID", "")
    for pid, address in running:
        if parent == str(pid):
            return address
    here = Path.cwd().resolve()
    holding = [a for _, a in running if a.root and here.is_relative_to(Path(a.root).resolve())]
    if holding:
        return max(holding, key=lambda a: len(a.root))
    hub = os.environ
    if "JUPYTERHUB_API_TOKEN" in hub and "JUPYTERHUB_SERVICE_URL" in hub:
        return Address(hub["JUPYTERHUB_SERVICE_URL"].rstrip("/") + "/", hub["JUPYTERHUB_API_TOKEN"], "")
    raise ServerNotFoundError(f"No Jupyter server was found that {here} belongs to. {HOW_TO_START}")


def _running_servers() -> Iterator[tuple[int, Address]]:
    """Yield (pid, address) of the servers whose files say that they run, and that do."""
    for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
            pid, url = int(info["pid"]), str(info["url"])
        except (OSError, ValueError, KeyError):
            continue
        if psutil.pid_exists(pid):
            yield pid, Address(url.rstrip("/") + "/", info.get("token") or "", info.get("root_dir") or "")


class Server:
    """HTTP with one server; every method raises RequestRefusedError or ServerNotFoundError, in sentences."""

    def __init__(self, address: Address) -> None:
        self.address = address
        headers = {"Authorization": f"token {address.token}"} if address.token else {}
        self._http = httpx.Client(base_url=address.url, headers=headers, timeout=60.0, trust_env=False)

    def get(self, path: str, /, **params: str) -> Any:
        """Return the JSON at ``api/a6hub/<path>``."""
        return self._send("GET", path, params=params).json()

    def get_bytes(self, path: str, /, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the bytes at ``api/a6hub/<path>``."""
        return self._send("GET", path, headers=headers).content

    def post(self, path: str, /, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """Post JSON to ``api/a6hub/<path>`` and return the JSON that comes back."""
        return self._send("POST", path, json=dict(body), headers={**self._xsrf(), **(headers or {})}).json()

    def put(self, path: str, /, body: Mapping[str, Any], **params: str) -> Any:
        """Put JSON to ``api/a6hub/<path>`` and return the JSON that comes back."""
        return self._send("PUT", path, params=params, json=dict(body), headers=self._xsrf()).json()

    def patch(self, path: str, /, body: Mapping[str, Any]) -> Any:
        """Patch ``api/a6hub/<path>`` with JSON and return the JSON that comes back."""
        return self._send("PATCH", path, json=dict(body), headers=self._xsrf()).json()

    def delete(self, path: str, /, **params: str) -> None:
        """Delete ``api/a6hub/<path>``."""
        self._send("DELETE", path, params=params, headers=self._xsrf())

    def credentials(self, method: str) -> dict[str, str]:
        """Return the headers that let a request in which another client makes."""
        if self.address.token:
            return {"Authorization": f"token {self.address.token}"}
        proof = {} if method == "GET" else self._xsrf()
        return {**proof, "Cookie": f"_xsrf={proof['X-XSRFToken']}"} if proof else {}

    def _xsrf(self) -> dict[str, str]:
        """A server without a token wants the proof that a browser gives: its cookie, echoed."""
        if self.address.token:
            return {}
        if "_xsrf" not in self._http.cookies:
            self._http.get("login", follow_redirects=True)
        return {"X-XSRFToken": self._http.cookies.get("_xsrf") or ""}

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"api/a6hub/{path}", **options)
        except httpx.HTTPError as error:
            raise ServerNotFoundError(
                f"The Jupyter server at {self.address.url} does not answer ({type(error).__name__}). {HOW_TO_START}"
            ) from None
        if response.status_code < 400:
            return response
        try:
            body = response.json()
        except ValueError:
            body = {}
        if "remedy" not in body:  # all refusals of our own have one
            if response.status_code == 404:
                body = {"message": f"The server at {self.address.url} does not offer a6hub-jupyter.", "remedy": _ENABLE}
            elif response.status_code == 403:
                body = {"message": f"The server at {self.address.url} does not let this kernel in.", "remedy": _LET_IN}
        raise RequestRefusedError(response.status_code, body)


_ENABLE = "Install a6hub-jupyter where the server runs, then check with 'jupyter server extension list'."
_LET_IN = "Start it with a token (a server with a password alone has none): set IdentityProvider.token."


@lru_cache(maxsize=4)
def _server_at(address: Address) -> Server:
    server = Server(address)
    server.get("")  # tells at once whether the extension is there, and has LibreLane loaded while the user reads on
    return server


def current_server() -> Server:
    """Return the server of this kernel, looked for anew each time: it may have been started again elsewhere."""
    return _server_at(find_server())
