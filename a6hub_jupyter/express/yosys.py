"""A `yosys` command line for the pyosys wheel: as much of it as LibreLane uses.

python -m a6hub_jupyter.express.yosys [-Q] [-T] [-q] [-p commands] [-s script] [-y script.py] [files] [-- args]
"""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Arguments:
    """What the command line asks for."""

    python_script: str | None = None
    commands: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    script_arguments: list[str] = field(default_factory=list)
    version: bool = False


def parse(words: list[str]) -> Arguments:
    """Read the command line; SystemExit with a sentence for what is not supported."""
    found, rest = Arguments(), list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            found.script_arguments = rest
            break
        if word in ("-V", "--version"):
            found.version = True
        elif word in ("-y", "-p", "-s"):
            if not rest:
                raise SystemExit(f"yosys: {word} needs a value.")
            value = rest.pop(0)
            if word == "-y":
                found.python_script = value
            else:
                found.commands.append(value if word == "-p" else f"script {value}")
        elif word in ("-Q", "-T") or set(word[1:]) == {"q"}:
            continue
        elif word.startswith("-"):
            raise SystemExit(f"yosys: the option {word} is not supported by the shim over the pyosys wheel.")
        else:
            found.files.append(word)
    return found


def main() -> None:
    """Run the command line of this process."""
    arguments = parse(sys.argv[1:])
    if arguments.python_script:
        sys.argv = [arguments.python_script, *arguments.script_arguments]
        sys.path.insert(0, str(Path(arguments.python_script).resolve().parent))
        runpy.run_path(arguments.python_script, run_name="__main__")
        return
    try:
        from pyosys import libyosys  # noqa: PLC0415  its absence is a sentence
    except ImportError:
        raise SystemExit("yosys: this Python has no pyosys wheel: install a6hub-jupyter[express].") from None
    if arguments.version:
        print(getattr(libyosys, "yosys_version_str", "Yosys (pyosys)"))
        return
    design = libyosys.Design()
    for file in arguments.files:
        libyosys.run_pass(f"read_verilog -sv {file}", design)
    for command in arguments.commands:
        libyosys.run_pass(command, design)


if __name__ == "__main__":
    main()
