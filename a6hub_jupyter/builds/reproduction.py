"""A build's command line for people: as it ran, and as text that runs the same again in a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .model import BuildRequest


def command_event(argv: list[str], directory: str, environment: Mapping[str, str], base: Mapping[str, str]) -> Any:
    """Return the data of a ``command`` event: of the environment what the toolchain has put in, over ``base``."""
    added = {name: value for name, value in sorted(environment.items()) if base.get(name) != value}
    return {"argv": argv, "directory": directory, "environment": added}


def command_json(request: BuildRequest, command: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a recorded command as the API gives it; ``shell`` is text for a POSIX shell."""
    return None if command is None else {**command, "shell": shell_text(request, command)}


def shell_text(request: BuildRequest, command: Mapping[str, Any]) -> str:
    """Return lines that run the same LibreLane on the same configuration, in a run directory of their own.

    A build that went on in the run directory of another can only be repeated there.
    """
    argv = list(command["argv"])
    if request.resume_of is None and "--run-tag" in argv[:-1]:
        at = argv.index("--run-tag") + 1
        argv[at] = f"{argv[at]}-again"
    exports = [f"export {name}={shlex.quote(value)}" for name, value in command["environment"].items()]
    # in parentheses: whoever pastes it keeps a directory and an environment of his own
    lines = [f"cd {shlex.quote(str(Path(command['directory'])))}", *exports, shlex.join(argv)]
    return "(\n" + " &&\n".join(lines) + "\n)"
