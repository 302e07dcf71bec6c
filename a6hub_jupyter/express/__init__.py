"""Express: from RTL to GDSII with tools from Python wheels alone.

This module is light on purpose: a server asks it whether Express can run and how to start it, and imports
nothing of the flow itself.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = Path(__file__).parent
PLUGIN_DIRECTORY = PACKAGE / "plugin"
"""LibreLane finds the flow when this directory is on PYTHONPATH."""
SHIMS = ("yosys", "verilator")
COMPILED = ("maze.py", "routes.py", "rerouting.py", "rewiring.py", "conflicts.py", "spanningtree.py", "wirelength.py")
WHEELS = {
    "librelane": "librelane",
    "pyosys": "pyosys",
    "verilator": "verilator",
    "klayout": "klayout",
    "numpy": "numpy",
    "numba": "numba",
}


def available() -> str | None:
    """None when Express can run in this Python, else one sentence that says why not."""
    if importlib.util.find_spec("coloquinte") is None:
        return (
            "Express needs the placer coloquinte, which has wheels for CPython 3.10 to 3.12 only: "
            "use such a Python and install a6hub-jupyter[express], or choose another toolchain."
        )
    if importlib.util.find_spec("_tkinter") is None:
        return (
            "LibreLane reads PDKs with Tcl, and this Python has no tkinter: "
            "have python3-tk installed (Debian, Ubuntu), or use a Python that has it."
        )
    missing = [wheel for module, wheel in WHEELS.items() if importlib.util.find_spec(module) is None]
    if missing:
        return f"Express needs {', '.join(missing)}: install a6hub-jupyter[express]."
    return None


def cache_directory() -> Path:
    """Where Express keeps what it can make again: compiled code, PDKs, shims."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "a6hub-jupyter"


def bin_directory() -> Path:
    """A directory with executable `yosys` and `verilator`.

    The package's own, unless the installation lost the executable bits: then a copy in the cache.
    """
    own = PACKAGE / "bin"
    if all(os.access(own / name, os.X_OK) for name in SHIMS):
        return own
    copies = cache_directory() / "bin"
    copies.mkdir(parents=True, exist_ok=True)
    for name in SHIMS:
        temporary = copies / f".{name}.{os.getpid()}"
        shutil.copyfile(own / name, temporary)
        temporary.chmod(0o755)
        temporary.replace(copies / name)
    return copies


def environment(python: str, base: Mapping[str, str]) -> dict[str, str]:
    """The environment for `python -m librelane --flow Express`.

    `python` is the interpreter that has the wheels; `base` the environment to start from.
    """
    result = dict(base)
    path = [str(bin_directory()), *([base["PATH"]] if base.get("PATH") else [])]
    modules = [str(PLUGIN_DIRECTORY), *([base["PYTHONPATH"]] if base.get("PYTHONPATH") else [])]
    result["PATH"] = os.pathsep.join(path)
    result["PYTHONPATH"] = os.pathsep.join(modules)
    result["A6HUB_PYTHON"] = python
    result.setdefault("NUMBA_CACHE_DIR", str(cache_directory() / f"numba-{_compiled_sources()}"))
    return result


def _compiled_sources() -> str:
    """A digest of the sources that numba compiles: it does not notice by itself when a function called changes."""
    texts = b"".join((PACKAGE / name).read_bytes() for name in COMPILED)
    return hashlib.sha256(texts).hexdigest()[:12]
