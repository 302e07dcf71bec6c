"""How much of the routing tracks the wires of a placed design will take, by tiles of the die, before any is routed.

Each net's wires are spread evenly over the box around its pins (RUDY: P. Spindler, F. Johannes, DATE 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from a6hub_jupyter.express.technology import Technology

    Array = np.ndarray[Any, Any]

TILE = 10_000
"""Side of a tile, nm."""
FIRST_LAYER = 0.5
"""What pins, rails and ways to pins leave of the first routing layer."""
PIN_DETOUR, MOST_DETOUR = 0.03, 1.8
"""Each pin after the third makes a net so much longer than half its box's perimeter, up to so many times."""
CROWDED = 0.7
"""Above this part of the tracks routing gets hard, and cells should make room."""
NARROWEST, WIDEST = 0.7, 1.5
"""How much room a cell gets at least and at most, relative to others, for the wires around it."""
SETTLED = 20
"""Rounds in which room is taken from some cells as others need all of theirs."""


class Crowding:
    """Tracks taken, by tiles. `usage[row, column]`: the greater of both directions, as a part of what there is."""

    def __init__(self, technology: Technology, width: int, height: int, nets: Array) -> None:
        """`nets` (n, 5): box around the pins of each net (x low, y low, x high, y high; nm), and how many pins."""
        self._shape = -(-height // TILE), -(-width // TILE)
        self._corners = np.clip(nets[:, :4] // TILE, 0, [self._shape[1] - 1, self._shape[0] - 1] * 2)
        detour = np.clip(1 + PIN_DETOUR * (nets[:, 4] - 3), 1, MOST_DETOUR)
        across = self._spread((nets[:, 2] - nets[:, 0]) * detour)
        along = self._spread((nets[:, 3] - nets[:, 1]) * detour)
        room = {True: 0.0, False: 0.0}
        for k, layer in enumerate(technology.layers):
            pitch = technology.pitch_x if layer.vertical else technology.pitch_y
            room[layer.vertical] += TILE * TILE / (pitch * layer.every) * (1 if k else FIRST_LAYER)
        self.usage: Array = np.maximum(across / room[False], along / room[True])

    def _spread(self, lengths: Array) -> Array:
        """Lengths of wire, nm, evenly over the tiles of each net's box."""
        i1, j1, i2, j2 = self._corners.T
        shares = lengths / ((i2 - i1 + 1) * (j2 - j1 + 1))
        steps = np.zeros((self._shape[0] + 1, self._shape[1] + 1))
        for j, i, sign in ((j1, i1, 1), (j1, i2 + 1, -1), (j2 + 1, i1, -1), (j2 + 1, i2 + 1, 1)):
            np.add.at(steps, (j, i), sign * shares)
        spread: Array = steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
        return spread

    @property
    def most(self) -> float:
        """The usage of the worst tile."""
        return float(self.usage.max())

    def at(self, x: Array, y: Array) -> Array:
        """The usage where cells are; x and y in nm."""
        rows, columns = self._shape
        usage: Array = self.usage[np.clip(y // TILE, 0, rows - 1), np.clip(x // TILE, 0, columns - 1)]
        return usage


def room_for(widths: Array, usage: Array, mean: float) -> Array:
    """Widths with the room that cells should have, `mean` times theirs on the whole: more where tracks are taken.

    `usage`: at each cell. No cell gets less than its own width.
    """
    wanted = np.clip(usage / max(float(np.average(usage, weights=widths)), 1e-9), NARROWEST, WIDEST)
    for _ in range(SETTLED):
        wanted = np.maximum(wanted * (mean / np.average(wanted, weights=widths)), 1.0)
    room: Array = np.maximum(np.round(widths * wanted), widths).astype(np.int64)
    return room
