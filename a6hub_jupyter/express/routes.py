"""Routes as compiled code sees them: what is to be connected, what connects it, and how it counts as collisions.

Nets, terminals and ways are numbers here; `Ends` lists them. A route is a row of entries in `Routes.pool`, each a
node and what is there: `node * FLAGS + flags`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from a6hub_jupyter.express.maze import Fabric, compiled

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PAD, CUT, PIN_CUT, EXTENSION, FLAGS = 1, 2, 4, 8, 16
"""A via pad; a cut up to the next layer; a cut down to the pin; a node added for area or for an off-grid via."""


class Ends(NamedTuple):
    """What is to be connected. `first_*` arrays have one entry more than there are nets, or terminals."""

    first_terminal: Array
    first_way: Array
    node: Array
    extra: Array
    """A second node that the way takes, or -1."""
    has_via: Array
    price: Array
    is_scarce: Array
    """Per terminal: whether there are few ways to it."""
    scarce_price: float
    order: Array
    """Terminals of each net after its first, in the order they are joined (numbers of terminals)."""
    first_own: Array
    own_node: Array
    """Nodes at a net's own pins, blocked for all others."""
    own_free: Array
    """What blocks them for the net itself."""


class Routes(NamedTuple):
    """The routes. `start` and `length` say which row of the pool is a net's route."""

    pool: Array
    start: Array
    length: Array
    chosen: Array
    """Per terminal: the way taken, or -1."""
    complete: Array


@compiled
def put(fabric: Fabric, entry: int, by: int) -> None:
    """Count one entry of a route into (`by` 1) or out of (-1) the collisions."""
    u = entry // 16
    layer = u // fabric.plane
    for k in range(fabric.wire_wire_count[layer]):
        fabric.wire_hits[u + fabric.wire_wire[layer, k]] += by
    for k in range(fabric.wire_via_count[layer]):
        fabric.via_hits[u + fabric.wire_via[layer, k]] += by
    if entry & 1:
        for k in range(fabric.wire_via_count[layer]):
            fabric.wire_hits[u + fabric.wire_via[layer, k]] += by
        for k in range(fabric.via_via_count[layer]):
            fabric.via_hits[u + fabric.via_via[layer, k]] += by


@compiled
def put_net(fabric: Fabric, routes: Routes, net: int, by: int) -> None:
    """Count a whole route into or out of the collisions."""
    for k in range(routes.start[net], routes.start[net] + routes.length[net]):
        put(fabric, routes.pool[k], by)


@compiled
def extents(fabric: Fabric, ends: Ends, routes: Routes, nets: Array, boxes: Array) -> None:
    """Write the box around the ends and the present route of each net into `boxes`: i low, i high, j low, j high."""
    for n in range(nets.shape[0]):
        net = nets[n]
        box = boxes[n]
        box[0], box[1], box[2], box[3] = fabric.columns, 0, fabric.rows, 0
        first_way, last_way = (
            ends.first_way[ends.first_terminal[net]],
            ends.first_way[ends.first_terminal[net + 1]],
        )
        for k in range(last_way - first_way + routes.length[net]):
            if k < last_way - first_way:
                u = ends.node[first_way + k]
            else:
                u = routes.pool[routes.start[net] + k - (last_way - first_way)] // 16
            j, i = (u % fabric.plane) // fabric.columns, u % fabric.plane % fabric.columns
            box[0], box[1], box[2], box[3] = min(box[0], i), max(box[1], i), min(box[2], j), max(box[3], j)


@compiled
def pass_through(fabric: Fabric, routes: Routes, near: Array, nets: Array, bad: Array) -> None:
    """Tell of each net whether its route has a node over a place (node number on the lowest layer) in `near`."""
    for n in range(nets.shape[0]):
        bad[n] = False
        for k in range(routes.start[nets[n]], routes.start[nets[n]] + routes.length[nets[n]]):
            if near[routes.pool[k] // 16 % fabric.plane]:
                bad[n] = True
                break


@compiled
def mark(fabric: Fabric, routes: Routes, nets: Array, places: Array) -> None:
    """Make the places (node numbers on the lowest layer) true that the routes of some nets pass over."""
    for n in range(nets.shape[0]):
        for k in range(routes.start[nets[n]], routes.start[nets[n]] + routes.length[nets[n]]):
            places[routes.pool[k] // 16 % fabric.plane] = True


@compiled
def gather(routes: Routes, pool: Array) -> int:
    """Move all routes to the beginning of a new pool; returns how much of it they take."""
    at = 0
    for net in range(routes.start.shape[0]):
        for k in range(routes.length[net]):
            pool[at + k] = routes.pool[routes.start[net] + k]
        routes.start[net] = at
        at += routes.length[net]
    return at
