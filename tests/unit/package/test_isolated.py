"""A file beside a student's Verilog is never run in place of a library's, and no secret reaches a tool."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from a6hub_jupyter import isolated


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A directory whose modules shadow what json.tool imports."""
    for name in ("argparse", "json", "random", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the working directory was run')\n")
    return tmp_path


@pytest.mark.parametrize("bootstrap", [False, True])
def test_nothing_of_the_working_directory_is_imported(
    trap: Path, monkeypatch: pytest.MonkeyPatch, bootstrap: bool
) -> None:
    if bootstrap:  # the way of Python 3.10
        monkeypatch.setattr("sys.version_info", (3, 10))
    elif sys.version_info < (3, 11):
        pytest.skip("Python 3.10 has no -P")
    command = isolated.module_command("json.tool", "--compact")
    done = subprocess.run(command, input='{"a": 1}', cwd=trap, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, '{"a":1}'), done.stderr


def test_secrets_stay_with_the_server() -> None:
    base = {
        "PATH": "/bin",
        "PDK_ROOT": "/pdk",
        "JUPYTER_TOKEN": "x",
        "JUPYTERHUB_API_TOKEN": "x",
        "JPY_API_TOKEN": "x",
        "JPY_PARENT_PID": "1",
        "CONFIGPROXY_AUTH_TOKEN": "x",
        "JUPYTERHUB_COOKIE_SECRET": "x",
        "JUPYTER_PATH": "/share",
    }
    assert isolated.clean_environment(base) == {"PATH": "/bin", "PDK_ROOT": "/pdk", "JUPYTER_PATH": "/share"}
