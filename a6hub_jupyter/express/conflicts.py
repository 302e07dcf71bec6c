"""Which routes collide, and the rising price of the places that they contest; compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.maze import Fabric, Scratch, compiled
from a6hub_jupyter.express.routes import Routes, put_net

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@compiled
def colliding(fabric: Fabric, routes: Routes, scratch: Scratch, net: int, stamp: int, found: Array) -> int:
    """Write the nodes of a net that collide with others, or whose cuts are too near, into `found`; how many."""
    put_net(fabric, routes, net, -1)
    first, last, count = routes.start[net], routes.start[net] + routes.length[net], 0
    for k in range(first, last):
        u = routes.pool[k] // 16
        scratch.member[u], scratch.flags[u] = stamp, routes.pool[k] & 15
    for k in range(first, last):
        u, flags = routes.pool[k] // 16, routes.pool[k] & 15
        bad = fabric.wire_hits[u] > 0 or (flags & 1 and fabric.via_hits[u] > 0)
        for kind, cut in ((2, u // fabric.plane + 1), (4, 0)):
            if flags & kind:
                for n in range(fabric.near_cuts.shape[1]):
                    v = u + fabric.near_cuts[cut, n]
                    bad = bad or (v != u and scratch.member[v] == stamp and scratch.flags[v] & kind != 0)
        if bad and count < found.shape[0]:
            found[count] = u
            count += 1
    put_net(fabric, routes, net, 1)
    return count


@compiled
def assess(
    fabric: Fabric, routes: Routes, scratch: Scratch, nets: Array, stamp: int, rise: float, found: Array, bad: Array
) -> int:
    """Find what collides and raise the history of those nodes by `rise`, once each.

    Uses two stamps for each net and one more. `bad` gets whether each net collides or is incomplete, `found` the
    contested nodes; returns how many. Where a node that was only added collides, its whole run gets dearer.
    """
    total, seen = 0, stamp + nets.shape[0]
    for n in range(nets.shape[0]):
        net, own = nets[n], stamp + n
        count = colliding(fabric, routes, scratch, net, own, found[total:])
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
