"""A technology of four metals and the cuts between them, small enough to count tracks by hand."""

from __future__ import annotations

from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.technology import Technology

RULES = "TYPE ROUTING ; PITCH .4 ; OFFSET .2 ; WIDTH .16 ; SPACING .16 ; AREA .02"
CUT = "TYPE CUT ; WIDTH .16 ; SPACING .16 ; ENCLOSURE 0 0"


def four_metals() -> Technology:
    """m0 (for pins) and m2 run along, m1 and m3 across: 25 tracks of each on 10 um."""
    lef = Lef()
    lef.parse(
        "".join(
            f"LAYER m{k} {RULES} ; DIRECTION {'VERTICAL' if k % 2 == 0 else 'HORIZONTAL'} ; END m{k} "
            f"LAYER c{k} {CUT} ; END c{k} "
            for k in range(4)
        )
    )
    return Technology(lef, (400, 2800), "m1", "m3")
