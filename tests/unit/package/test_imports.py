"""What is loaded when: a server must not pay for tools, nor either side for the other."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import a6hub_jupyter

PACKAGE = Path(a6hub_jupyter.__file__).parent
SERVER_SIDE = {"api", "builds", "executors", "toolchains", "librelane", "layout", "app", "auth"}
CLIENT_SIDE = {"client", "widgets"}


def modules_after(code: str) -> set[str]:
    listing = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    )


@pytest.mark.parametrize(
    "code",
    [
        "import a6hub_jupyter",
        "import a6hub_jupyter.app, a6hub_jupyter.api",
    ],
)
def test_a_server_loads_no_tools(code: str) -> None:
    heavy = {"gdstk", "klayout", "librelane", "numba", "numpy", "pandas", "pyosys", "pyslang", "coloquinte", "IPython"}
    assert modules_after(code) & heavy == set()


SERVER = "import jupyter_server.serverapp, jupyter_server.extension.application"


def test_loading_the_extension_loads_little_beyond_the_server_itself() -> None:
    """What is for a single request, a search, a wrong name or a live build is imported when that comes."""
    added = modules_after(f"{SERVER}\nimport a6hub_jupyter.app, a6hub_jupyter.api") - modules_after(SERVER)
    late = {"psutil", "difflib", "jsonschema", "yaml", "ruamel", "openapi_core", "sqlite3", "csv", "zipfile", "regex"}
    late |= {
        "statistics",
        "importlib.metadata",
        "traceback",
        "ctypes",
        "pty",
        "requests",
        "httpx",
        "importlib.resources",
    }
    assert added & late == set()
    assert {m for m in added if m.startswith(("a6hub_jupyter.client", "a6hub_jupyter.widgets"))} == set()


def test_a_supervisor_loads_little() -> None:
    """Each build waits for its imports, then for what it imports when LibreLane is gone."""
    loaded = modules_after("import a6hub_jupyter.builds.supervisor")
    late = {"psutil", "importlib.metadata", "traceback", "logging", "secrets", "hashlib", "sqlite3", "csv", "asyncio"}
    assert loaded & late == set()
    ways = {m for m in loaded if m.startswith("a6hub_jupyter.toolchains.")}
    assert ways == {"a6hub_jupyter.toolchains.base"}


def test_importing_the_package_alone_loads_neither_side() -> None:
    loaded = {m.split(".")[1] for m in modules_after("import a6hub_jupyter") if m.startswith("a6hub_jupyter.")}
    assert loaded == {"_version"}


def imports_of(path: Path) -> set[str]:
    """Return the rooms of this package that a module imports."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            depth = len(path.relative_to(PACKAGE).parts)
            if node.level == depth:  # relative to the package's root
                rooms |= {node.module.split(".")[0]} if node.module else {a.name for a in node.names}
            elif node.level == 0 and (node.module or "").startswith("a6hub_jupyter."):
                rooms.add((node.module or "").split(".")[1])
    return rooms


@pytest.mark.parametrize(("side", "other"), [(CLIENT_SIDE, SERVER_SIDE), (SERVER_SIDE, CLIENT_SIDE)])
def test_the_two_sides_know_each_other_only_by_http(side: set[str], other: set[str]) -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in side:
            assert imports_of(path) & other == set(), path


def test_public_names_are_what_the_documentation_says() -> None:
    assert set(a6hub_jupyter.__all__) >= {"Design", "Build", "build", "builds", "layout", "lint", "__version__"}
    for name in a6hub_jupyter.__all__:
        assert getattr(a6hub_jupyter, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = a6hub_jupyter.nothing
