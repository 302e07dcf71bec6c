"""How the LibreLane of a toolchain is asked about itself: by our inspector, run where that LibreLane is."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..isolated import clean_environment
from .base import Probe

PROBE = Path(__file__).parent / "probe" / "librelane_plugin_a6hub_probe.py"
MARK = b"a6hub-answer:"
# Takes its program, and the modules that this imports, from the first line of its input.
PROGRAM = "import json, sys; given = json.loads(sys.stdin.readline()); exec(given['program'])"
_MODULES = (
    *("checking", "designcheck", "findings", "flows", "inspector"),
    *("layers", "ranges", "reading", "variables", "verilog"),
)


def plugin_probe(argv: list[str], key: str) -> Probe:
    """Return the probe of an executable of which nothing is known but that it is LibreLane."""
    paths = [str(PROBE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**clean_environment(), "PYTHONPATH": os.pathsep.join(paths)}
    return Probe(argv, environment, key)


def program_probe(argv: list[str], key: str) -> Probe:
    """Return the probe of an image, where ``argv`` is its Python with what comes before."""
    directory = Path(__file__).parents[1] / "librelane"
    modules = {f"{name}.py": (directory / f"{name}.py").read_text(encoding="utf-8") for name in _MODULES}
    given = {"program": PROBE.read_text(encoding="utf-8"), "modules": modules}
    return Probe([*argv, "-c", PROGRAM], clean_environment(), key, json.dumps(given).encode() + b"\n")
