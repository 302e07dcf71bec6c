"""How long the wires at least have to be, to judge how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.fabric import Net
    from a6hub_jupyter.express.grid import Grid


def half_perimeter(grid: Grid, nets: Iterable[Net]) -> int:
    """The sum over nets of half the perimeter of the box around the points where their pins were reached, nm.

    No route is shorter; with two or three pins one can be as short, with more pins hardly any.
    """
    total = 0
    for net in nets:
        places = [grid.place(t.chosen) for t in net.terminals if t.chosen is not None]
        if places:
            xs, ys = [grid.x(i) for _, i, _ in places], [grid.y(j) for _, _, j in places]
            total += max(xs) - min(xs) + max(ys) - min(ys)
    return total
