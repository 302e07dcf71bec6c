"""Each command in the documentation of tools and PDKs is run, or says why it cannot be here."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from .conftest import Api, Json

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"(?:<!-- skip: (?P<why>[^\n]+) -->\n)?```(?P<language>sh|python)\n(?P<code>.*?)```", re.DOTALL)
SECONDS = 240


def blocks() -> list[Any]:
    """All commands of the three pages; those of Python build on the ones before them, as a reader would."""
    found = []
    for page in ("toolchains.md", "pdks.md", "troubleshooting.md"):
        before = ""
        for number, match in enumerate(BLOCK.finditer((DOCS / page).read_text())):
            code, why = match["code"], match["why"]
            marks = [pytest.mark.skip(reason=why)] if why else []
            whole = before + code if match["language"] == "python" else code
            found.append(pytest.param(match["language"], whole, id=f"{page}-{number}", marks=marks))
            if match["language"] == "python" and not why:
                before = whole
    return found


@pytest.fixture
def app_traits(tmp_path: Path) -> Json:
    return {"pdk_home": str(tmp_path / "pdks")}


@pytest.mark.parametrize(("language", "code"), blocks())
@pytest.mark.needs("express")
async def test_a_documented_command_runs(
    api: Api, jp_serverapp: ServerApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, code: str
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    jp_serverapp.write_server_info_file()
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    command = ["sh", "-ec", code] if language == "sh" else [sys.executable, "-c", code]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, output.decode(errors="replace")
    jp_serverapp.remove_server_info_file()
