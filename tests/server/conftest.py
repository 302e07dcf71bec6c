"""A real Jupyter server in the test's own event loop, with the extension, on directories of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError

from a6hub_jupyter.api.base import Services

from ..conftest import DOUBLE
from .conformance import CONTRACT
from .processes import Server, end, make_server

pytest_plugins = ["pytest_jupyter.jupyter_server"]

COUNTER = """module counter(input clk, input rst, output reg [3:0] q);
  always @(posedge clk) q <= rst ? 4'd0 : q + 4'd1;
endmodule
"""

# terminals off: its own socket has a handler that jupyter_server warns of, and warnings are errors here
EXTENSIONS = {"a6hub_jupyter": True, "jupyter_server_terminals": False}

Json = dict[str, Any]


@pytest.fixture
def app_traits() -> Json:
    """Traits of A6HubApp that a test sets; override in a test module or class."""
    return {}


@pytest.fixture
def jp_server_config(tmp_path: Path, pdk_root: Path, app_traits: Json) -> Json:
    """Enable the extension, and refuse handlers without authentication as jupyter_server will."""
    return {
        "ServerApp": {"jpserver_extensions": EXTENSIONS, "allow_unauthenticated_access": False},
        "A6HubApp": {
            "builds_dir": str(tmp_path / "builds"),
            "cache_dir": str(tmp_path / "cache"),
            "pdk_roots": [str(pdk_root)],
            "max_running": 2,
            "build_cores": 1,
            "build_memory": 1 << 20,
            "cancel_grace": 0.5,
            **app_traits,
        },
    }


@pytest.fixture
def design_dir(jp_root_dir: Path) -> Path:
    """A design directory below the server's root, with a counter in it."""
    directory = jp_root_dir / "course" / "counter"
    directory.mkdir(parents=True)
    (directory / "counter.v").write_text(COUNTER)
    return directory


def request_for(design_dir: Path, **changes: Any) -> Json:
    """Return a good build request; ``config`` in ``changes`` is merged in."""
    config = {"DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::counter.v"], "CLOCK_PORT": "clk", "CLOCK_PERIOD": 10}
    config.update(changes.pop("config", {}))
    return {"design_dir": str(design_dir), "name": "counter", "config": config, **changes}


class Api:
    """The REST API as a client sees it: ``(status, JSON)`` for every request, each checked against the document."""

    def __init__(self, fetch: Callable[..., Awaitable[Any]]) -> None:
        self._fetch = fetch

    async def raw(self, *path: str, **options: Any) -> Any:
        """Return tornado's response, whatever the status."""
        try:
            response = await self._fetch("api", "a6hub", *path, **options)
        except HTTPClientError as error:
            if error.response is None:  # the connection broke, or time ran out
                raise
            response = error.response
        request = response.request
        CONTRACT.check(request.method, request.url, response.code, response.headers, response.body)
        return response

    async def get(self, *path: str, **options: Any) -> tuple[int, Json]:
        response = await self.raw(*path, **options)
        return response.code, json.loads(response.body)

    async def post(self, *path: str, body: Any = None, **options: Any) -> tuple[int, Json]:
        text = body if isinstance(body, str) else json.dumps(body or {})
        response = await self.raw(*path, method="POST", body=text, **options)
        return response.code, json.loads(response.body)

    async def build(self, design_dir: Path, **changes: Any) -> Json:
        """Start a build that must be taken in."""
        status, build = await self.post("builds", body=request_for(design_dir, **changes))
        assert status == 201, build
        return build

    async def until(self, build_id: str, *states: str, seconds: float = 60.0) -> Json:
        """Wait for one of the states, by default for the end."""
        wanted = states or ("succeeded", "failed", "cancelled", "timed_out", "lost")
        for _ in range(int(seconds / 0.05)):
            _, build = await self.get("builds", build_id)
            if build["state"] in wanted:
                return build
            await asyncio.sleep(0.05)
        raise AssertionError(f"still {build['state']}: {build}")


@pytest.fixture
def api(
    jp_serverapp: ServerApp,
    jp_fetch: Callable[..., Awaitable[Any]],
    librelane_double: Path,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[Api]:
    """The extension, started as a server starts it; whatever still runs at the end of a test is ended."""
    assert librelane_double.exists()
    manager: Any = jp_serverapp.extension_manager
    jp_asyncio_loop.run_until_complete(manager.start_all_extensions())
    yield Api(jp_fetch)
    jp_asyncio_loop.run_until_complete(end_all(jp_serverapp.web_app.settings["a6hub"]))


async def end_all(services: Services) -> None:
    """End what still runs, and wait until it has."""
    for record in list(services.store.live.values()):
        if record.live:
            await services.queue.cancel(record)
    for _ in range(400):
        if not services.queue.running:
            break
        await asyncio.sleep(0.05)


def write_script(design_dir: Path, **script: Any) -> None:
    """Tell the stand-in for LibreLane what to do."""
    (design_dir / "double.json").write_text(json.dumps(script))


def design(work: Path, name: str, **script: Any) -> Path:
    """Make a design directory; without a script it is built for real."""
    directory = work / name
    directory.mkdir(parents=True)
    (directory / "counter.v").write_text(COUNTER)
    if script:
        write_script(directory, **script)
    return directory


@pytest.fixture
def server(tmp_path: Path, pdk_root: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Server]:
    """A server process whose builds run the stand-in where there is a script for it, else LibreLane."""
    tool = tmp_path / "librelane"
    tool.write_text(
        f"#!{sys.executable}\nimport os, sys\ndirectory = sys.argv[sys.argv.index('--design-dir') + 1]\n"
        f"scripted = os.path.exists(os.path.join(directory, 'double.json'))\n"
        f"command = [{str(DOUBLE)!r}] if scripted else [sys.executable, '-m', 'librelane']\n"
        "os.execv(command[0], command + sys.argv[1:])\n"
    )
    tool.chmod(0o755)
    (tmp_path / "work").mkdir()
    made = make_server(tmp_path, "server", pdk_root, tool)
    jp_asyncio_loop.run_until_complete(made.start())
    yield made
    made.stop()
    for process in made.marked():
        end(process)
