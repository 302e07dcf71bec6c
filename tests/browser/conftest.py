"""A real JupyterLab under a base URL that needs quoting, and a real Chromium in front of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from tests.conftest import CHROMIUM, ROOT

PATIENCE = 90_000
"""How long a page may take: machines may be busy; ms."""
expect.set_options(timeout=PATIENCE)

BASE_URL = "/user/al%40b/"
TOKEN = "a-token-for-tests"
OUTPUT = ROOT / ".test-output"
# No request may leave the machine: the browser's own go nowhere, and the page's are counted (see `page`).
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

COUNTER = """module counter(input wire clk, input wire rst, output reg [7:0] count);
  always @(posedge clk) count <= rst ? 8'd0 : count + 8'd1;
endmodule
"""


@dataclass
class Lab:
    """A running JupyterLab."""

    url: str
    work: Path
    state: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str] = field(default_factory=dict)

    def page_url(self, path: str, app: str = "lab/tree") -> str:
        """Return the URL that opens a file."""
        return f"{self.url}{app}/{path}?token={TOKEN}&reset"  # without the tabs of the test before

    def api(self, path: str, body: Any = None) -> Any:
        """Return the JSON that the extension answers with."""
        request = urllib.request.Request(
            f"{self.url}api/a6hub/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def jupyter(self, path: str, method: str = "GET") -> Any:
        """Return the JSON that the server's API answers with; None for none."""
        headers = {"Authorization": f"token {TOKEN}"}
        data = b"" if method == "POST" else None
        request = urllib.request.Request(f"{self.url}api/{path}", data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def end_kernels(self) -> None:
        """End all kernels, and what they are busy with."""
        for session in self.jupyter("sessions"):
            self.jupyter(f"sessions/{session['id']}", "DELETE")

    @contextlib.contextmanager
    def without(self, extension: str) -> Iterator[None]:
        """Have pages that are opened meanwhile do without an extension."""
        config = self.state / "config" / "labconfig" / "page_config.json"
        config.write_text(json.dumps({"disabledExtensions": {extension: True}}))
        yield
        config.unlink()

    def until(self, build_id: str, *states: str, seconds: float = 240) -> Any:
        """Wait until a build is in one of the states."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            build = self.api(f"builds/{build_id}")
            if build["state"] in states:
                return build
            time.sleep(0.1)
        raise AssertionError(f"the build is still {build['state']}")

    @contextlib.contextmanager
    def paused(self, build_id: str) -> Iterator[None]:
        """Have a build that has begun stand still meanwhile: a page that is opened late still sees it run."""
        self.until(build_id, "running")
        known = json.loads(next(self.state.rglob(f"{build_id}/supervisor.json")).read_text())
        supervisor = psutil.Process(known["pid"])
        for _ in range(1200):
            if supervisor.children():
                break
            time.sleep(0.1)
        stopped: set[psutil.Process] = set()
        while new := set(supervisor.children(recursive=True)) - stopped:  # and what was started in between
            for process in new:
                with contextlib.suppress(psutil.Error):
                    process.suspend()
            stopped |= new
        try:
            yield
        finally:
            for process in stopped:
                with contextlib.suppress(psutil.Error):
                    process.resume()

    def start(self) -> None:
        """Start the server; AssertionError with its last words if it does not come up."""
        port = self.url.split(":")[2].split("/")[0]
        command = [sys.executable, "-m", "jupyterlab", "--ServerApp.open_browser=False", "--ServerApp.allow_root=True"]
        command += [f"--ServerApp.root_dir={self.work}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
        command += [f"--ServerApp.base_url={BASE_URL}", f"--IdentityProvider.token={TOKEN}"]
        command += ["--LabApp.expose_app_in_browser=True"]  # for its commands: a theme, saving
        environment = {
            **os.environ,
            **self.environment,
            "JUPYTER_CONFIG_DIR": str(self.state / "config"),
            "JUPYTER_DATA_DIR": str(self.state / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.state / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.state / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.state / "workspaces"),
            "IPYTHONDIR": str(self.state / "ipython"),
        }
        log = self.state / "server.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        for _ in range(1200):  # two minutes: machines may be busy
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                self.api("")
                return
            assert self.process.poll() is None, log.read_text()[-3000:]
            time.sleep(0.1)
        raise AssertionError(f"JupyterLab did not come up: {log.read_text()[-3000:]}")

    def stop(self, *, kill: bool = False) -> None:
        """Stop the server."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for all browser tests, with the course's notebooks in its root."""
    with running_lab(tmp_path_factory, {}) as running:
        yield running


@contextlib.contextmanager
def running_lab(
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    **traits: Any,
) -> Iterator[Lab]:
    """Run a JupyterLab, and at its end cancel what its builds still do."""
    state = tmp_path_factory.mktemp("jupyter")
    (state / "config" / "labconfig").mkdir(parents=True)
    (state / "config" / "jupyter_server_config.json").write_text(json.dumps({"A6HubApp": traits}))
    work = tmp_path_factory.mktemp("work")
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, work)
    settings = state / "settings" / "@jupyterlab"
    (settings / "apputils-extension").mkdir(parents=True)
    (settings / "apputils-extension" / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Lab(f"http://127.0.0.1:{port}{BASE_URL}", work, state, None, environment)  # type: ignore[arg-type]
    running.start()
    yield running
    for build in running.api("builds")["builds"]:
        if build["finished"] is None:
            running.api(f"builds/{build['id']}/cancel", {})
            running.until(build["id"], "cancelled", "succeeded", "failed", "lost")
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def begin(lab: Lab) -> dict[str, Any]:
    """Begin a real build of a counter."""
    (lab.work / "counter.v").write_text(COUNTER)
    config = {
        "DESIGN_NAME": "counter",
        "VERILOG_FILES": ["dir::counter.v"],
        "CLOCK_PORT": "clk",
        "CLOCK_PERIOD": 10,
    }
    build: dict[str, Any] = lab.api("builds", {"design_dir": str(lab.work), "name": "counter", "config": config})
    return build


@pytest.fixture(scope="session")
def built(lab: Lab) -> dict[str, Any]:
    """A real build that has succeeded, for tests that change nothing of it."""
    build: dict[str, Any] = lab.until(begin(lab)["id"], "succeeded", seconds=200)
    return build


@pytest.fixture
def start(lab: Lab) -> Iterator[Callable[[], dict[str, Any]]]:
    """Starts a real build without any kernel; ended with the test."""
    begun: list[str] = []

    def start_build() -> dict[str, Any]:
        build = begin(lab)
        begun.append(build["id"])
        return build

    yield start_build
    known = {build["id"] for build in lab.api("builds")["builds"]}
    for build_id in known.intersection(begun):
        lab.api(f"builds/{build_id}/cancel", {})
        lab.until(build_id, "cancelled", "succeeded", "failed")


@dataclass
class Watch:
    """What went wrong in a page."""

    outside: list[str]
    errors: list[str]


@pytest.fixture
def watch() -> Watch:
    """Collects requests to elsewhere and errors on the console, for `page`."""
    return Watch([], [])


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    """A browser profile for each server, by URL: what its pages have in the cache is loaded once."""
    known: dict[str, BrowserContext] = {}
    yield known
    for context in known.values():
        context.close()


@pytest.fixture
def page(browser: Browser, contexts: dict[str, BrowserContext], lab: Lab, watch: Watch) -> Iterator[Page]:
    """A page whose requests and errors are watched; the test fails on any that it does not expect."""
    if lab.process.poll() is not None:  # a test that kills it has failed
        lab.start()
    if lab.url not in contexts:
        contexts[lab.url] = browser.new_context(viewport={"width": 1400, "height": 1000})
        contexts[lab.url].set_default_timeout(PATIENCE)
    opened = contexts[lab.url].new_page()
    origin = lab.url.split("/user/")[0]

    def on_request(request: Request) -> None:
        if not request.url.startswith((origin, "data:", "blob:")):
            watch.outside.append(request.url)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            watch.errors.append(f"{message.text} {message.location.get('url', '')}")

    opened.on("request", on_request)
    opened.on("console", on_console)
    opened.on("pageerror", lambda error: watch.errors.append(f"{error} {error.stack}"))
    yield opened
    opened.close()
    lab.end_kernels()
    assert watch.outside == []
    assert watch.errors == []


def screenshot(page: Page, name: str) -> Path:
    """Keep a picture of the page among the test's outputs, to be looked at."""
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}.png"
    page.screenshot(path=path)
    return path


def until_drawn(canvas: Locator) -> None:
    """Wait until a layout is on screen."""
    for _ in range(300):
        if colours(canvas) > 20:
            return
        time.sleep(0.1)
    raise AssertionError("the layout is not drawn")


def colours(canvas: Locator) -> int:
    """Count the colours that can be seen in an element: a blank canvas has one."""
    pixels = np.asarray(Image.open(BytesIO(canvas.screenshot())).convert("RGB")).reshape(-1, 3)
    return len(np.unique(pixels, axis=0))
