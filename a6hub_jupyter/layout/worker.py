"""What the worker processes share: a limit of memory, and one line for people where one fails."""

from __future__ import annotations

import json
import resource
import sys
from typing import TYPE_CHECKING

from a6hub_jupyter.layout.errors import LayoutError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

INSTALL = "Install gdstk and klayout, and give layouts a memory limit of at least 512 MB."


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Let the command line say how much memory there is."""
    parser.add_argument("--memory", type=int, metavar="BYTES", help="limit of the address space")


def run(work: Callable[[], None], name: str, memory: int | None, failed: str, remedy: str) -> int:
    """Do `work` on the file `name` within `memory` bytes; returns the exit code.

    On failure standard output gets one line, `{"message", "remedy"}`: that of a LayoutError, or for whatever else
    a library raises the sentence `failed` (the reason is put in brackets before its full stop) and `remedy`.
    """
    if memory:
        limit_memory(memory)
    try:
        work()
    except LayoutError as error:
        problem = error
    except ImportError as error:
        problem = LayoutError(f"The reader of layouts cannot be loaded ({error}).", INSTALL)
    except MemoryError:
        problem = too_large(name, memory)
    except Exception as error:  # noqa: BLE001 - whatever the libraries raise, people get a sentence
        if "bad_alloc" in str(error):
            problem = too_large(name, memory)
        else:
            problem = LayoutError(f"{failed.rstrip('.')} ({error}).", remedy)
    else:
        return 0
    sys.stdout.write(json.dumps({"message": problem.message, "remedy": problem.remedy}) + "\n")
    return 1


def limit_memory(limit: int) -> None:
    """Keep this process below `limit` bytes of address space, where the system can do so."""
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ValueError, OSError):
        # macOS refuses; there the timeout of the cache is what bounds a conversion.
        return


def too_large(name: str, memory: int | None) -> LayoutError:
    """Return the error for a file that does not fit into the worker's memory of `memory` bytes."""
    limit = f" of {memory >> 20} MB" if memory else ""
    return LayoutError(
        f"The layout {name} needs more memory than the limit{limit}.",
        "Raise the memory limit for layouts, or open a smaller one.",
    )
