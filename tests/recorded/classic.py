"""What LibreLane's flow Classic wants to see before it is replayed: tools and a whole PDK, of which nothing is used."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.conftest import SHARED

RUN = SHARED / "recorded" / "classic-spm-ihp-sg13g2.tar.xz"
PDK = "ihp-sg13g2"


def surroundings(directory: Path) -> dict[str, str]:
    """Return the environment of a server in which Classic can be asked for; ``directory`` holds what it names."""
    tools = directory / "tools"
    tools.mkdir()
    for tool in ("yosys", "verilator", "openroad", "klayout", "magic", "netgen"):
        (tools / tool).write_text("#!/bin/sh\n")
        (tools / tool).chmod(0o755)
    return {"PATH": f"{tools}:{os.environ['PATH']}", "PDK_ROOT": str(completed_pdk(directory))}


def completed_pdk(tmp_path: Path) -> Path:
    """The shared PDK with the files that Express does not need: empty, for nothing reads them here."""
    ours, theirs = tmp_path / "pdk" / PDK, SHARED / "pdk" / PDK
    tech = ours / "libs.tech" / "librelane"
    shutil.copytree(theirs / "libs.tech" / "librelane", tech)
    for path in (theirs / "libs.ref", *(p for p in (theirs / "libs.tech").iterdir() if p.name != "librelane")):
        (ours / path.relative_to(theirs)).symlink_to(path)
    empty = tmp_path / "empty"
    empty.touch()
    names = ("MAGICRC", "MAGIC_TECH", "MAGIC_PDK_SETUP", "NETGEN_SETUP")
    lines = [f'set ::env({name}) "{empty}"' for name in names] + [f'set ::env(RCX_RULESETS) "nom_* {empty}"']
    (tech / "config.tcl").chmod(0o644)
    with (tech / "config.tcl").open("a") as file:
        file.write("\n" + "\n".join(lines) + "\n")
    return tmp_path / "pdk"
