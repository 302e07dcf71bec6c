"""PDKs through the server: the real ciel, against a release host of the test's own on loopback, and against none."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import zstandard

from .conftest import Api, Json

OLD, NEW = "a" * 40, "b" * 40
LIBRARIES = ("sky130_fd_sc_hd", "sky130_fd_sc_hs")
FILLING = 3 << 20  # bytes that do not compress: more than a socket holds


def archive(files: dict[str, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.TarFile(fileobj=plain, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return zstandard.compress(plain.getvalue())


class Host:
    """A release host as ciel's data source static-web wants one, with two versions of a small sky130."""

    def __init__(self) -> None:
        self.hold = threading.Event()  # cleared: archives stop in their middle
        self.hold.set()
        self.downloads: list[str] = []
        common = {f"{v}/libs.tech/librelane/config.tcl": b"set ::env(X) 1\n" for v in ("sky130A", "sky130B")}
        common["sky130A/filling"] = os.urandom(FILLING)
        self.archives = {"common.tar.zst": archive(common)}
        for library in LIBRARIES:
            cells = {f"{v}/libs.ref/{library}/lib/x.lib": b"x" for v in ("sky130A", "sky130B")}
            settings = {f"{v}/libs.tech/librelane/{library}/config.tcl": b"" for v in ("sky130A", "sky130B")}
            self.archives[f"{library}.tar.zst"] = archive({**cells, **settings})
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.answer(self)

            def log_message(self, *_: Any) -> None:
                """Keep the output of the tests clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.rpartition("/")[2]
        if name == "manifest.json" and (OLD in handler.path or NEW in handler.path):
            assets = [
                {"content": file.removesuffix(".tar.zst"), "filename": file, "url": f"{self.url}/{file}"}
                for file in self.archives
            ]
            body = json.dumps({"assets": assets}).encode()
        elif name in self.archives:
            self.downloads.append(name)
            body = self.archives[name]
        else:
            handler.send_error(404)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        try:
            handler.wfile.write(body[: len(body) // 2])
            handler.wfile.flush()
            if len(body) > FILLING:
                self.hold.wait(60)
            handler.wfile.write(body[len(body) // 2 :])
        except OSError:
            return


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host()
    monkeypatch.setenv("CIEL_DATA_SOURCE", f"static-web:{host.url}")
    yield host
    host.hold.set()
    host.server.shutdown()
    host.server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "pdks"


@pytest.fixture
def app_traits(home: Path) -> Json:
    return {"pdk_home": str(home)}


async def install(api: Api, name: str = "sky130A", **body: Any) -> Json:
    status, job = await api.post("pdks", name, "install", body={"libraries": [LIBRARIES[0]], "version": NEW, **body})
    assert status == 202, job
    return job


async def end_of(api: Api, name: str = "sky130A") -> Json:
    for _ in range(1200):
        _, job = await api.get("pdks", name, "install")
        if job["state"] != "running":
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def until_half(api: Api) -> Json:
    """Wait until a held download has come to its middle."""
    for _ in range(1200):
        _, job = await api.get("pdks", "sky130A", "install")
        assert job["state"] == "running", job
        if job["bytes"]:
            return job
        await asyncio.sleep(0.05)
    raise AssertionError("no byte has come")


def left_in(home: Path) -> list[str]:
    """What is in the PDK root, but for locks."""
    return [str(p.relative_to(home)) for p in home.rglob("*") if p.is_file() and not p.name.endswith(".lock")]


async def test_a_pdk_is_installed_and_switched(api: Api, host: Host, home: Path) -> None:
    _, listing = await api.get("pdks")
    families = {f["name"]: f for f in listing["families"]}
    assert {"sky130", "gf180mcu", "ihp-sg13g2"} <= set(families)
    assert families["gf180mcu"]["variants"] == ["gf180mcuA", "gf180mcuB", "gf180mcuC", "gf180mcuD"]
    assert len(families["sky130"]["pinned"]) == 40
    job = await install(api, version=OLD)
    assert (job["state"], job["version"], job["root"]) == ("running", OLD, str(home))
    assert (await api.post("pdks", "sky130B", "install"))[0] == 409  # of the same family
    job = await end_of(api)
    assert job["state"] == "succeeded", job
    assert job["bytes"] == job["total"] > 0
    await install(api)
    assert (await end_of(api))["state"] == "succeeded"
    assert (home / "sky130A").resolve().parent.name == NEW
    fetched = len(host.downloads)
    await install(api, version=OLD)  # which is there
    assert (await end_of(api))["state"] == "succeeded"
    assert len(host.downloads) == fetched
    assert (home / "sky130A").resolve().parent.name == OLD
    await install(api, version=OLD, libraries=[LIBRARIES[1]])  # beside the one that is there
    assert (await end_of(api))["state"] == "succeeded"
    _, listing = await api.get("pdks")
    mine = {(p["name"], p["version"]): p for p in listing["pdks"] if p["root"] == str(home)}
    assert set(mine) == {(v, c) for v in ("sky130A", "sky130B") for c in (OLD, NEW)}
    assert mine["sky130A", OLD]["libraries"] == list(LIBRARIES)
    assert mine["sky130A", OLD]["enabled"]
    assert not mine["sky130A", NEW]["enabled"]
    assert mine["sky130B", OLD]["used"]
    assert mine["sky130B", OLD]["pinned"] is False
    assert not [p for p in home.iterdir() if p.name.startswith(".a6hub") and p.is_dir()]


async def test_a_cancelled_installation_leaves_nothing(api: Api, host: Host, home: Path) -> None:
    host.hold.clear()
    await install(api)
    half = await until_half(api)
    assert 0 < half["bytes"] < half["total"]
    response = await api.raw("pdks", "sky130A", "install", method="DELETE")
    assert json.loads(response.body)["state"] == "cancelled"
    assert left_in(home) == []


async def test_a_killed_installation_leaves_no_pdk_and_the_next_one_clears_up(api: Api, host: Host, home: Path) -> None:
    host.hold.clear()
    await install(api)
    await until_half(api)
    living = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]
    [process] = [p for p in living if "a6hub_jupyter.librelane.ciel" in p.cmdline()]
    os.kill(process.pid, signal.SIGKILL)
    job = await end_of(api)
    assert job["state"] == "failed"
    assert "without a word" in job["message"]
    assert not (home / "sky130A").exists()
    assert not (home / "ciel").exists()
    assert left_in(home)  # what it had fetched
    host.hold.set()
    await install(api)
    assert (await end_of(api))["state"] == "succeeded"
    assert not [p for p in home.iterdir() if p.name.startswith(".a6hub") and p.is_dir()]


@pytest.mark.parametrize(
    ("source", "version", "words"),
    [
        ("static-web:http://127.0.0.1:9", NEW, "could not be reached"),
        ("nothing", NEW, "CIEL_DATA_SOURCE is 'nothing'"),
        (None, "c" * 40, "has no version"),
    ],
)
async def test_what_goes_wrong_is_a_sentence(
    api: Api, host: Host, home: Path, monkeypatch: pytest.MonkeyPatch, source: str | None, version: str, words: str
) -> None:
    if source:
        monkeypatch.setenv("CIEL_DATA_SOURCE", source)
    await install(api, version=version)
    job = await end_of(api)
    assert job["state"] == "failed"
    assert words in job["message"]
    assert left_in(home) == []


async def test_a_directory_of_its_own_is_not_touched(api: Api, host: Host, home: Path) -> None:
    (home / "sky130A").mkdir(parents=True)
    await install(api)
    job = await end_of(api)
    assert job["state"] == "failed"
    assert "a directory of its own" in job["message"]
    assert host.downloads == []


@pytest.mark.parametrize(
    ("name", "body", "status", "field"),
    [
        ("sky999", {}, 404, "name"),
        ("sky130A", {"libraries": ["sky130_fd_sc_xx"]}, 422, "libraries"),
        ("sky130A", {"libraries": ["../.."]}, 422, "libraries"),
        ("sky130A", {"version": "../../x"}, 422, "version"),
        ("sky130A", {"version": "--help"}, 422, "version"),
        ("sky130A", {"source": "github"}, 422, "source"),
        ("gf180mcuD", {"source": "wheel"}, 422, "source"),
        ("sky130A", {"home": "/"}, 422, "home"),
    ],
)
async def test_bad_requests_start_nothing(api: Api, home: Path, name: str, body: Json, status: int, field: str) -> None:
    answer = await api.post("pdks", name, "install", body=body)
    assert (answer[0], answer[1]["field"]) == (status, field)
    assert answer[1]["remedy"]
    assert not home.exists()
    assert (await api.get("pdks", name, "install"))[0] == 404
