"""Fetches an image, telling how far it is: ``python -m a6hub_jupyter.toolchains.pull ENGINE IMAGE [FILE]``.

With FILE, ENGINE is Apptainer and makes that file of the image, whole or not at all. Without a terminal the engines
say one line for each layer, which a log can hold; with one they redraw the screen.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

_LAYER = re.compile(r"([0-9a-f]{12}): (Pulling fs layer|Already exists|Pull complete)")


def main(engine: str, image: str, file: str | None = None) -> int:
    """Exit code 0 when the image is there; else the last line says in one sentence why not."""
    partial = f"{file}.{os.getpid()}.part" if file else None
    sys.stdout.write(f"Fetching {image}, some GB, once.\n")
    sys.stdout.flush()
    argv = [engine, "pull", "--force", partial, image] if file and partial else [engine, "pull", image]
    try:
        if file:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        code, last = _pull(argv)
        if code == 0 and file and partial:
            Path(partial).replace(file)
    except OSError as error:
        code, last = 1, f"{error.filename}: {error.strerror}"
    finally:
        if partial:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
    if code != 0:
        sys.stdout.write(
            f"The image {image} could not be fetched ({last}). Check its name and the network, or fetch it by hand.\n"
        )
    return code


def _pull(argv: list[str]) -> tuple[int, str]:
    """Run the engine; return its exit code and the last line that it said."""
    last, known, done = "it gave no reason", set[str](), set[str]()
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for raw in process.stdout:
            line = raw.strip()
            if not line:
                continue
            last = line[:300]
            if match := _LAYER.match(line):
                known.add(match[1])
                if match[2] == "Pulling fs layer":
                    continue
                done.add(match[1])
                line = f"{len(done)} of {len(known)} layers are here"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return process.returncode, last


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
