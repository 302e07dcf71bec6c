"""The main job, headless: a Jupyter server, the first notebook executed against it, a chip at the end.

Leaves the executed notebook, an HTML page and the chip's picture in ``.demo``, and prints how long each step took.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "01-first-chip.ipynb"


def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def jupyter_server(work: Path, state: Path) -> Iterator[str]:
    """Run a real Jupyter server on ``work`` with its own data and runtime directories; yield its URL."""
    port, token = free_port(), secrets.token_hex(16)
    os.environ.update(
        JUPYTER_DATA_DIR=str(state / "data"),
        JUPYTER_RUNTIME_DIR=str(state / "runtime"),
        JUPYTER_CONFIG_DIR=str(state / "config"),
    )
    command = [sys.executable, "-m", "jupyter_server", f"--ServerApp.root_dir={work}", f"--ServerApp.port={port}"]
    command += [f"--IdentityProvider.token={token}", "--ServerApp.open_browser=False", "--ServerApp.port_retries=0"]
    if os.geteuid() == 0:
        command.append("--ServerApp.allow_root=True")
    log = state / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(f"{url}api/a6hub/?token={token}", process, log)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the extension answers; SystemExit with the server's last words if it does not."""
    for _ in range(1200):  # two minutes: machines may be busy
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=30):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"The Jupyter server did not come up; {log} says:\n{log.read_text()[-2000:]}")


def latest_build(records: Path) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """Return run directory, result and events of the newest build."""
    directory = max(p for p in records.iterdir() if not p.name.startswith("."))
    request = json.loads((directory / "request.json").read_text())["request"]
    result = json.loads((directory / "result.json").read_text())
    events = [json.loads(line) for line in (directory / "journal.jsonl").read_text().splitlines()]
    return Path(request["design_dir"]) / "runs" / request["id"], result, events


def main() -> None:
    """Run the demonstration; the exit code is 1 if there is no clean chip at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / ".demo")
    output: Path = parser.parse_args().output.resolve()
    shutil.rmtree(output, ignore_errors=True)
    work, state = output / "work", output / "jupyter"
    work.mkdir(parents=True)
    state.mkdir()
    shutil.copy(NOTEBOOK, work)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    begun = time.monotonic()
    with jupyter_server(work, state) as url:
        up = time.monotonic()
        print(f"Jupyter server at {url}, up after {up - begun:.1f} s; executing {NOTEBOOK.name} …", flush=True)
        where = {"metadata": {"path": str(work)}}
        # as JupyterLab saves it: with a widget's state, nbconvert would want a CDN instead of our own page
        NotebookClient(notebook, timeout=600, resources=where, store_widget_state=False).execute()
        executed = time.monotonic()
    nbformat.write(notebook, output / NOTEBOOK.name)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (output / "01-first-chip.html").write_text(page, encoding="utf-8")
    run_dir, result, events = latest_build(state / "data" / "a6hub" / "builds")
    steps = {e["data"]["id"]: e["data"] for e in events if e["type"] == "step"}
    for step in steps.values():
        if step["state"] in {"done", "failed"}:
            print(f"  {step['name']:<50} {step['seconds'] or 0:6.1f} s  {step['state']}")
    picture = next(iter(sorted(run_dir.glob("final/render/*.png"))), None)
    layout = next(iter(sorted(run_dir.glob("final/gds/*.gds"))), None)
    if picture:
        shutil.copy(picture, output / "chip.png")
    errors = result["metrics"].get("design__lvs_error__count")
    print(
        f"Notebook executed in {executed - up:.1f} s; build {result['state']}, layout-versus-netlist errors: {errors}"
    )
    if result["state"] != "succeeded" or layout is None or errors != 0:
        sys.exit(f"There is no clean chip: {result['error']}; look into {state / 'data' / 'a6hub' / 'builds'}.")
    print(f"\nThe chip:     {layout}\nits picture:  {output / 'chip.png'}")
    print(f"the notebook: {output / NOTEBOOK.name}\nas a page:    {output / '01-first-chip.html'}")


if __name__ == "__main__":
    main()
