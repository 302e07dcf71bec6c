"""kweb, as a page of its own, on the layouts of `layout_viewer.py`: frames that its server sends, as they come.

`pip install kweb uvicorn websockets` (the extra `bench`) brings what it needs. kweb draws on its server, and sends
pictures through a websocket; so the first one is the first that one sees, and the last one before a pause the whole.
"""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, WebSocket

WIDTH, HEIGHT = 1600, 1000
PAUSE = 2.0  # seconds without a frame: what is asked for is there
PATIENCE = 120.0
# Smaller messages are JSON: layers, metadata.
PICTURE = 2000

SERVER = """
import sys, uvicorn
from kweb.browser import get_app
uvicorn.run(get_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""


def missing() -> str:
    """Return a sentence when kweb is not there, "" when it is."""
    needed = ("kweb", "uvicorn", "websockets")
    absent = [name for name in needed if importlib.util.find_spec(name) is None]
    return f"kweb is left out: pip install {' '.join(absent)}." if absent else ""


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[str]:
    """Run kweb on the layouts in a directory; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVER, str(directory), str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # it complains of pages that are closed
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise RuntimeError("kweb does not start here: it needs an older FastAPI (pip install 'fastapi<0.120').")
            try:
                with urllib.request.urlopen(url, timeout=5):
                    break
            except urllib.error.HTTPError:
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def measure(browser: Browser, url: str, layout: Path) -> dict[str, Any]:
    """Return milliseconds to the first and the last picture, of ten wheel steps, and bytes that were sent."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    frames: list[tuple[float, int]] = []

    def listen(opened: WebSocket) -> None:
        opened.on("framereceived", lambda data: frames.append((time.perf_counter(), len(data))))

    page.on("websocket", listen)
    start = time.perf_counter()
    page.goto(f"{url}/view?file={layout.name}")
    first, last = _settle(page, frames, start)
    result: dict[str, Any] = {"first": 1000 * (first - start), "whole": 1000 * (last - start)}
    result["bytes"] = sum(size for _, size in frames)
    frames.clear()
    page.mouse.move(WIDTH / 3, HEIGHT / 2)
    start = time.perf_counter()
    for _ in range(10):
        page.mouse.wheel(0, -120)
        page.wait_for_timeout(50)
    end = time.perf_counter()
    _, last = _settle(page, frames, start)
    result["late"] = max(0.0, 1000 * (last - end))
    result["frames"] = sum(size > PICTURE for _, size in frames)
    page.close()
    return result


def _settle(page: Any, frames: list[tuple[float, int]], start: float) -> tuple[float, float]:
    """Wait for a pause in the pictures; return when the first and the last one came."""
    while time.perf_counter() - start < PATIENCE:
        page.wait_for_timeout(100)
        pictures = [when for when, size in frames if size > PICTURE]
        if pictures and time.perf_counter() - pictures[-1] > PAUSE:
            return pictures[0], pictures[-1]
    raise TimeoutError(f"kweb sent no picture within {PATIENCE:g} s.")
