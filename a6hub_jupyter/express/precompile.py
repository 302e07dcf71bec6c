"""Has numba compile the router, or load what it has compiled before, by routing a few nets of all kinds.

    python -m a6hub_jupyter.express.precompile

numba compiles a function when it is first called, for the types that it is called with: only a routed net knows them
all. What is compiled is kept in NUMBA_CACHE_DIR, with a note beside it that all of it is there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import math
import os
from pathlib import Path

import numba
import numpy as np
from llvmlite import binding as llvm  # type: ignore[import-untyped]

from a6hub_jupyter.express import COMPILED, PACKAGE
from a6hub_jupyter.express.fabric import Net, Terminal
from a6hub_jupyter.express.grid import Grid
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.pinaccess import Access
from a6hub_jupyter.express.router import Router
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.wirelength import steiner_trees

METAL = "TYPE ROUTING ; PITCH .4 ; OFFSET .2 ; WIDTH .16 ; SPACING .16 ; AREA .1 ; DIRECTION {}"
CUT = "TYPE CUT ; WIDTH .16 ; SPACING .16 ; ENCLOSURE 0 0"
SITE = (400, 2800)
DIE = 10_000
"""nm, both ways."""
PASSES = 2


def _technology() -> Technology:
    """Four metals, the lowest for pins."""
    ways = ("VERTICAL", "HORIZONTAL", "VERTICAL", "HORIZONTAL")
    lef = Lef()
    for k, way in enumerate(ways):
        lef.parse(f"LAYER m{k} {METAL.format(way)} ; END m{k} LAYER c{k} {CUT} ; END c{k}")
    return Technology(lef, SITE, "m1", "m3")


def _nets(grid: Grid) -> list[Net]:
    """Nets of two and of more pins; two have a pin at the same place, a conflict that is looked at to the end."""
    random = np.random.default_rng(1)
    nets = []
    for k in range(6):
        ends = [tuple(int(n) for n in random.integers(8, 17, 2)) for _ in range(2 + k % 4)]
        if k < 2:
            ends[0] = 12, 12
        pins = [Terminal("", f"{k}_{n}", {grid.node(0, *end): Access(0.0, None)}) for n, end in enumerate(ends)]
        nets.append(Net(f"n{k}", pins))
    return nets


def exercise() -> None:
    """Route, and go on from what was routed. Prints nothing."""
    with contextlib.redirect_stdout(io.StringIO()):
        grid = Grid(_technology(), DIE, DIE)
        first = Router(grid, _nets(grid))
        first.negotiate(None, PASSES, math.inf)
        second = Router(grid, _nets(grid))
        second.adopt(first)
        second.negotiate(sorted(second.nets), 1, math.inf)
        steiner_trees(grid, second.nets.values())


def _note() -> Path | None:
    """The file that says that all is compiled: for these sources, this numba and this processor."""
    directory = os.environ.get("NUMBA_CACHE_DIR")
    if not directory:
        return None
    sources = [(str(path), path.stat().st_mtime_ns) for path in (PACKAGE / name for name in COMPILED)]
    known = repr((sources, numba.__version__, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()))
    return Path(directory) / f"compiled-{hashlib.sha256(known.encode()).hexdigest()[:16]}"


def is_compiled() -> bool:
    """Whether all of the router is in the cache: then `exercise` takes less than a second."""
    note = _note()
    return note is not None and note.exists()


def is_kept() -> bool:
    """Whether there is a place to keep what is compiled."""
    return _note() is not None


def ready() -> None:
    """Compile what is not compiled yet; where another process does that, wait for it."""
    note = _note()
    if note is None or note.exists():
        return
    print("The router is compiled, once on a machine: this takes half a minute.", flush=True)
    with contextlib.suppress(OSError):  # a cache that cannot be written serves nobody else
        note.parent.mkdir(parents=True, exist_ok=True)
        with note.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not note.exists():
                exercise()
                note.touch()


if __name__ == "__main__":
    ready()
