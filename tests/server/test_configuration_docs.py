"""The snippets of the documentation of configuration and presets, executed against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import DOUBLE, ROOT
from .conftest import COUNTER
from .live import LiveServer, live_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pdk_root: Path) -> Iterator[LiveServer]:
    """A server whose root is the working directory of the snippets."""
    with live_server(tmp_path_factory.mktemp("docs"), pdk_root, DOUBLE) as server:
        yield server


@pytest.mark.parametrize(
    ("page", "told"), [("configuration", "FP_CORE_UTL"), ("presets", "presets balanced < minimal")]
)
def test_the_snippets_do_what_the_page_says(server: LiveServer, page: str, told: str) -> None:
    directory = server.root / page
    directory.mkdir()
    (directory / "counter.v").write_text(COUNTER)
    text = (ROOT / "docs" / f"{page}.md").read_text()
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) >= 2
    state = server.root.parent
    environment = {
        **{k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
        **{f"JUPYTER_{n.upper()}_DIR": str(state / n) for n in ("config", "data", "runtime")},
    }
    result = subprocess.run(
        [sys.executable, "-c", "\n".join(snippets)],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert told in result.stdout


def test_the_messages_of_the_troubleshooting_page_are_ours() -> None:
    """Each quoted message, up to what varies in it, is in the code."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    code = "".join(p.read_text() for p in (ROOT / "a6hub_jupyter").rglob("*.py"))
    for words in (
        "is an old name: it is",
        "far more than is usual.",
        "as it is installed here lacks what the flow",
        "which is a program and is never rewritten.",
        "The file has been changed meanwhile.",
        "lies outside the working directory",
        "has no use for",
        "No toolchain here can run the flow",
        "are not all on the PATH",
        "which is no executable file",
        "LibreLane did not check the request within",
        "is a directory of its own, not made by ciel",
    ):
        assert words in text
        assert words in code
