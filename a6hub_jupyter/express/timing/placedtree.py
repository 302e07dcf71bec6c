"""Trees of nets that are not routed yet, from where their pins are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from a6hub_jupyter.express.timing.wires import RcTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.timing.wires import Terminal

FEW_PINS = 12
"""For fewer, numpy takes longer to begin than Python needs for the whole."""


def placed_tree(
    net: str, driver: Terminal, points: Mapping[Terminal, tuple[int, int]], per_um: tuple[float, float], via: float
) -> RcTree:
    """A tree from pin positions (nm): the shortest tree of straight connections, grown from the driver (Prim).

    `per_um`: kOhm and pF per um; `via`: kOhm of the vias at each pin.
    """
    names = [driver, *(t for t in points if t != driver)]
    if len(names) == 2:
        (x1, y1), (x2, y2) = points[driver], points[names[1]]
        length = (abs(x1 - x2) + abs(y1 - y2)) / 1000
        half = length * per_um[1] / 2
        return RcTree(net, [-1, 0], [0.0, length * per_um[0] + via], [half, half], {driver: 0, names[1]: 1})
    tree = RcTree(net, [-1], [0.0], [0.0], {driver: 0})
    places = [points[t] for t in names]
    node = {0: 0}
    for k, nearest, away in _few(places) if len(names) <= FEW_PINS else _many(places):
        length = away / 1000
        parent = node[nearest]
        node[k] = len(tree.parents)
        tree.parents.append(parent)
        tree.resistances.append(length * per_um[0] + via)
        half = length * per_um[1] / 2
        tree.capacitances[parent] += half
        tree.capacitances.append(half)
        tree.terminals[names[k]] = node[k]
    return tree


def _few(places: list[tuple[int, int]]) -> Iterator[tuple[int, int, float]]:
    """The spanning tree that grows from the first place: each place, the one it joins, and how far that is, nm."""
    (x, y), count = places[0], len(places)
    away = [abs(u - x) + abs(v - y) for u, v in places]
    nearest = [0] * count
    left = list(range(1, count))
    while left:
        k = min(left, key=away.__getitem__)
        left.remove(k)
        yield k, nearest[k], float(away[k])
        x, y = places[k]
        for j in left:
            distance = abs(places[j][0] - x) + abs(places[j][1] - y)
            if distance < away[j]:
                away[j], nearest[j] = distance, k


def _many(places: list[tuple[int, int]]) -> Iterator[tuple[int, int, float]]:
    """The same tree, by arrays."""
    xy = np.array(places, float)
    away = np.abs(xy - xy[0]).sum(axis=1)
    nearest = np.zeros(len(places), int)
    away[0] = np.inf
    for _ in range(len(places) - 1):
        k = int(np.argmin(away))
        yield k, int(nearest[k]), float(away[k])
        distance = np.abs(xy - xy[k]).sum(axis=1)
        closer = (distance < away) & np.isfinite(away)
        away[closer] = distance[closer]
        nearest[closer] = k
        away[k] = np.inf
