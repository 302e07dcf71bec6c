"""Which routes collide, and the rising price of the places that they contest; compiled by numba.

Where it is known that no others collide, only some nodes are looked at: `near` says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.maze import Fabric, Scratch, compiled
from a6hub_jupyter.express.routes import Routes, put

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BESIDE, LOOKED_AT = 1, 2
"""In `near`, by node: what is near enough to one that is looked at to collide with it; and those themselves."""


@compiled
def is_looked_at(routes: Routes, near: Array, net: int) -> bool:
    """Whether a net has a node that is looked at."""
    k, end = routes.start[net], routes.start[net] + routes.length[net]
    while k < end and not near[routes.pool[k] // 16] & 2:
        k += 1
    return bool(k < end)


@compiled
def put_beside(fabric: Fabric, routes: Routes, near: Array, net: int, by: int) -> None:
    """Count what of a net is beside nodes that are looked at into or out of the collisions."""
    for k in range(routes.start[net], routes.start[net] + routes.length[net]):
        if near[routes.pool[k] // 16]:
            put(fabric, routes.pool[k], by)


@compiled
def colliding(fabric: Fabric, routes: Routes, scratch: Scratch, net: int, stamp: int, found: Array, near: Array) -> int:
    """Write the nodes of a net that collide with others, or whose cuts are too near, into `found`; how many."""
    if not is_looked_at(routes, near, net):
        return 0
    put_beside(fabric, routes, near, net, -1)
    first, last, count = routes.start[net], routes.start[net] + routes.length[net], 0
    for k in range(first, last):
        u = routes.pool[k] // 16
        scratch.member[u], scratch.flags[u] = stamp, routes.pool[k] & 15
    for k in range(first, last):
        u, flags = routes.pool[k] // 16, routes.pool[k] & 15
        if not near[u] & 2:
            continue
        bad = fabric.wire_hits[u] > 0 or (flags & 1 and fabric.via_hits[u] > 0)
        for kind, cut in ((2, u // fabric.plane + 1), (4, 0)):
            if flags & kind:
                for n in range(fabric.near_cuts.shape[1]):
                    v = u + fabric.near_cuts[cut, n]
                    bad = bad or (v != u and scratch.member[v] == stamp and scratch.flags[v] & kind != 0)
        if bad and count < found.shape[0]:
            found[count] = u
            count += 1
    put_beside(fabric, routes, near, net, 1)
    return count


@compiled
def assess(
    fabric: Fabric,
    routes: Routes,
    scratch: Scratch,
    nets: Array,
    stamp: int,
    rise: float,
    found: Array,
    bad: Array,
    near: Array,
) -> int:
    """Find what collides and raise the history of those nodes by `rise`, once each.

    Uses two stamps for each net and one more. `bad` gets whether each net collides or is incomplete, `found` the
    contested nodes; returns how many. Where a node that was only added collides, its whole run gets dearer.
    """
    total, seen = 0, stamp + nets.shape[0]
    for n in range(nets.shape[0]):
        net, own = nets[n], stamp + n
        count = colliding(fabric, routes, scratch, net, own, found[total:], near)
        bad[n] = count > 0 or not routes.complete[net]
        for k in range(total, total + count):
            u = found[k]
            if scratch.flags[u] & 8:
                layer = u // fabric.plane
                step = fabric.columns if fabric.vertical[layer] else 1
                for way in (step, -step):
                    v = u + way
                    while scratch.member[v] == own:
                        fabric.history[v] += rise
                        v += way
        total += count
    unique = 0
    for k in range(total):
        u = found[k]
        if scratch.wanted[u] != seen:
            scratch.wanted[u] = seen
            fabric.history[u] += rise
            found[unique] = u
            unique += 1
    return unique
