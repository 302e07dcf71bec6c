"""An idle server is not culled while a build gets on, and is while all that runs is stuck."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from .conftest import Api, Json, design

# One build says something five times a second, the other nothing after its first line.
TOOL = """#!/bin/sh
echo begun
case "$*" in
  *talkative*) while :; do sleep 0.2; echo more; done;;
  *) exec sleep 600;;
esac
"""


@pytest.fixture
def app_traits() -> Json:
    return {"stuck_after": 1.5}


async def test_a_build_that_makes_no_progress_does_not_keep_the_server(
    api: Api, jp_root_dir: Path, jp_serverapp: ServerApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tool"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    monkeypatch.setenv("LIBRELANE_PATH", str(tool))
    stops: list[bool] = []
    monkeypatch.setattr(ServerApp, "stop", lambda *_: stops.append(True))
    jp_serverapp.shutdown_no_activity_timeout = 1
    extension = next(iter(jp_serverapp.extension_manager.extension_apps["a6hub_jupyter"]))
    settings = jp_serverapp.web_app.settings

    async def until(expected: list[str] | None) -> None:
        """Wait until these builds, and no others, count as getting on."""
        for _ in range(600):
            if extension.current_activity() == expected:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(extension.current_activity())

    async def run(name: str) -> Any:
        build = await api.build(design(jp_root_dir, name))
        await until([build["id"]])
        return build["id"]

    silent = await run("silent")
    jp_serverapp.shutdown_no_activity()
    assert stops == []
    await until(None)
    talkative = await run("talkative")
    before = settings["a6hub_last_activity"]
    await asyncio.sleep(2.0)  # longer than the cap
    await until([talkative])
    jp_serverapp.shutdown_no_activity()
    assert stops == []
    assert settings["a6hub_last_activity"] > before
    await api.post("builds", talkative, "cancel")
    await api.until(talkative)
    await until(None)
    assert (await api.get("builds", silent))[1]["state"] == "running"
    for _ in range(200):  # no request of ours counts: each is a GET
        jp_serverapp.shutdown_no_activity()
        if stops:
            break
        await api.get("builds", silent)
        await asyncio.sleep(0.05)
    assert stops
    assert (await api.get("builds", silent))[1]["state"] == "running"
