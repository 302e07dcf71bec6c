"""LEF files whose cells KLayout takes from their GDS.

A cell that has no FOREIGN statement KLayout draws from its LEF, and one that it reads from a GDS then gets another
name: the macro would be empty in the layout. OpenRAM writes such files.
"""

from __future__ import annotations

import re

from a6hub_jupyter.express.lefcells import MACRO_BLOCK

ORIGIN = re.compile(r"\bORIGIN\s+\(?\s*(\S+)\s+(\S+?)\s*\)?\s*;")
FOREIGN = re.compile(r"\bFOREIGN\s")
HEAD = re.compile(r"MACRO\s+(\S+)[^\n]*\n")


def with_foreign(text: str) -> str:
    """A LEF text in which every cell has a FOREIGN statement, which says that its layout is where its LEF is."""
    return MACRO_BLOCK.sub(lambda match: _with_foreign(match[0]), text)


def _with_foreign(block: str) -> str:
    if FOREIGN.search(block):
        return block
    origin = ORIGIN.search(block)
    x, y = (-float(word) or 0.0 for word in (origin.groups() if origin else ("0", "0")))
    return HEAD.sub(lambda head: f"{head[0]}  FOREIGN {head[1]} {x:g} {y:g} ;\n", block, count=1)
