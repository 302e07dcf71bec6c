"""Has our inspector answer questions in another LibreLane, from 2.4 to 3.x, with whatever Python that has.

Where only LibreLane's executable is known, it is a plugin found on PYTHONPATH, and the inspector's modules lie beside
it. In an image it is run by ``toolchains.probing.PROGRAM``, which is given all of them on standard input.
"""

import atexit
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

MARK = "a6hub-answer:"
PACKAGE = "a6hub_inspector"  # not our own name: an image may have an a6hub_jupyter of another version


class Marked:
    """Marks answers, since LibreLane prints things of its own."""

    def __init__(self, out: Any) -> None:
        self._out = out

    def write(self, line: str) -> None:
        """Write one answer, a line."""
        self._out.write("\n" + MARK + line)

    def flush(self) -> None:
        """Send it."""
        self._out.flush()


def serve(directory: str) -> None:
    """Answer until there are no more questions; ``directory`` has the inspector's modules."""
    package: Any = types.ModuleType(PACKAGE)
    package.__path__ = [directory]
    sys.modules[PACKAGE] = package
    from a6hub_inspector import inspector  # type: ignore[import-not-found]  # noqa: PLC0415 - there only now

    answers, sys.stdout = sys.stdout, sys.stderr
    inspector.serve(sys.stdin, Marked(answers))


def serve_given(modules: "dict[str, str]") -> None:
    """Answer with the modules that are given by name."""
    with tempfile.TemporaryDirectory() as directory:
        for name, source in modules.items():
            (Path(directory) / name).write_text(source, encoding="utf-8")
        serve(directory)


if "given" in globals():
    serve_given(globals()["given"]["modules"])
else:  # LibreLane imports its plugins before all of its flows are there
    atexit.register(serve, str(Path(__file__).parents[2] / "librelane"))
