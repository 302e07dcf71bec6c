"""A crowd of nets, routed in all ways that the router knows: at once, conflict by conflict, and on from old routes."""

from __future__ import annotations

import numpy as np

from a6hub_jupyter.express.fabric import Net, Terminal
from a6hub_jupyter.express.grid import Grid
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.pinaccess import Access
from a6hub_jupyter.express.router import Router
from a6hub_jupyter.express.technology import Technology


def crowd() -> None:
    """Route it."""
    lef = Lef()
    for k in range(4):
        way = "VERTICAL" if k % 2 == 0 else "HORIZONTAL"
        lef.parse(
            f"LAYER m{k} TYPE ROUTING ; PITCH .4 ; OFFSET .2 ; WIDTH .16 ; SPACING .16 ; AREA .09 ; DIRECTION {way} ; "
            f"END m{k} LAYER c{k} TYPE CUT ; WIDTH .16 ; SPACING .16 ; ENCLOSURE 0 0 ; END c{k}"
        )
    technology = Technology(lef, (400, 2800), "m1", "m3")

    def nets(count: int) -> tuple[Grid, list[Net]]:
        taken: set[tuple[int, int]] = set()
        grid, random = Grid(technology, 20000, 20000), np.random.default_rng(7)
        found = []
        for k in range(count):
            i, j = (int(n) for n in random.integers(8, 42, 2))
            ends = {
                (i + int(random.integers(-6, 7)), j + int(random.integers(-6, 7))) for _ in range(2 + k % 5)
            } - taken
            taken |= ends
            pins = [
                Terminal("", f"n{k}_{n}", {grid.node(0, *at): Access(0.0, None)}) for n, at in enumerate(sorted(ends))
            ]
            found.append(Net(f"n{k}", pins))
        return grid, found

    first = Router(*nets(24))
    first.negotiate(None, 5, float("inf"))
    second = Router(*nets(25))
    second.negotiate(second.adopt(first), 2, float("inf"))
