"""A kernel finds the server that it belongs to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from a6hub_jupyter.client.errors import RequestRefusedError, ServerNotFoundError
from a6hub_jupyter.client.server import Address, Server, find_server


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "runtime"
    directory.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(directory))
    for name in ("JPY_PARENT_PID", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_URL"):
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work" / "course"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    return directory


def announce(runtime: Path, pid: int, root: Path, port: int = 8888) -> None:
    info = {"pid": pid, "url": f"http://localhost:{port}/user/al%40b/", "token": "t", "root_dir": str(root)}
    (runtime / f"jpserver-{pid}.json").write_text(json.dumps(info))


def test_the_parent_comes_first(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(runtime, os.getpid(), Path.cwd(), 1)
    announce(runtime, os.getppid(), Path("/nowhere"), 2)
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getppid()))
    assert find_server().url == "http://localhost:2/user/al%40b/"


def test_then_the_server_with_the_longest_root_that_holds_us(runtime: Path) -> None:
    announce(runtime, os.getppid(), Path.cwd().parent, 1)
    announce(runtime, os.getpid(), Path.cwd(), 2)
    assert find_server().url == "http://localhost:2/user/al%40b/"


def test_a_server_that_is_gone_is_none(runtime: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    announce(runtime, gone.pid, Path.cwd())
    (runtime / "jpserver-1.json").write_text("{")
    with pytest.raises(ServerNotFoundError, match="jupyter lab"):
        find_server()


def test_then_the_hubs_own(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:8888/user/ada")
    assert find_server().url == "http://127.0.0.1:8888/user/ada/"
    assert find_server().token == "secret"


def test_a_plain_script_is_told_how_to_start_one(runtime: Path) -> None:
    """What a user of the package sees, from the outside: one sentence at the end, exit code 1."""
    code = "import a6hub_jupyter as a; a.Design('x', verilog_files=['x.v']).build()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "No Jupyter server was found" in last
    assert "jupyter lab" in last


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, {"message": "The build has no layout.", "remedy": "Build again."}, "no layout. Build again."),
        (404, {"message": "Not Found", "reason": None}, "does not offer a6hub-jupyter"),
        (403, {"message": "A config.tcl is a program.", "remedy": "Keep it as config.json."}, "Keep it as"),
        (403, {"message": "Forbidden"}, "does not let this kernel in"),
    ],
)
def test_a_refusal_of_ours_is_told_from_a_server_without_us(
    monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, str], says: str
) -> None:
    monkeypatch.setattr(httpx.Client, "request", lambda *_args, **_options: httpx.Response(status, json=body))
    with pytest.raises(RequestRefusedError, match=says):
        Server(Address("http://localhost:8888/", "t", "/")).get("builds/b1/layers")
