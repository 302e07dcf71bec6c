"""Asks the LibreLane of a toolchain which flows and steps it has, and keeps what it answers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from ..isolated import clean_environment
from .base import Probe

PROBE = Path(__file__).parent / "probe" / "librelane_plugin_a6hub_probe.py"
MARK = "a6hub-probe:"
# A container has to start and to import LibreLane, on a busy machine.
PROBE_SECONDS = 120.0


class ProbeError(Exception):
    """The LibreLane of a toolchain did not answer; the text is for people."""


def plugin_probe(argv: list[str], key: str) -> Probe:
    """Return the probe of an executable of which nothing is known but that it is LibreLane."""
    paths = [str(PROBE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**clean_environment(), "PYTHONPATH": os.pathsep.join(paths)}
    return Probe(argv, environment, key, stdin=False)


def facts(probe: Probe, directory: Path) -> dict[str, Any]:
    """Return ``{version, python, flows: {name: {steps, gates, off}}}``; ``directory`` keeps it. ProbeError.

    ``gates`` are the variables that must all be true for a step to run, ``off`` those that are false by default.
    """
    text = PROBE.read_text(encoding="utf-8")
    file = directory / f"{hashlib.sha256(f'{probe.key}{text}'.encode()).hexdigest()[:32]}.json"
    with contextlib.suppress(OSError, ValueError):
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return kept
    found = _ask(probe, text)
    with contextlib.suppress(OSError):  # without a cache it is asked again
        directory.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.name}.{os.getpid()}")
        temporary.write_text(json.dumps(found), encoding="utf-8")
        temporary.replace(file)
    return found


def _ask(probe: Probe, text: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            probe.argv,
            input=text if probe.stdin else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            env=probe.environment,
            cwd="/",  # nothing of a design is to be imported
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeError(f"LibreLane did not say its steps within {PROBE_SECONDS:g} s.") from error
    except OSError as error:
        raise ProbeError(f"'{probe.argv[0]}' could not be run: {error.strerror}.") from error
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            found: dict[str, Any] = json.loads(line.removeprefix(MARK))
            return found
    words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
    raise ProbeError(
        f"'{probe.argv[0]}' did not say what LibreLane it runs (exit code {done.returncode}): {words[:300]}"
    )
