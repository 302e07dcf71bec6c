"""One pass of the router over a list of nets, compiled by numba: take a net's route out, find a new one, put it in.

Nets, terminals and ways are numbers here; `Ends` lists them. A route is a row of entries in `Routes.pool`, each a
node and what is there: `node * FLAGS + flags`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from a6hub_jupyter.express.maze import Fabric, Reach, Scratch, compiled, shortest_path, start_at, via_cost

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PAD, CUT, PIN_CUT, EXTENSION, FLAGS = 1, 2, 4, 8, 16
"""A via pad; a cut up to the next layer; a cut down to the pin; a node added for area or for an off-grid via."""
WIDER = 4
"""By how much the margin of a search grows each time that nothing is found."""


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
def swap_own(fabric: Fabric, ends: Ends, net: int) -> None:
    """Open the nodes at a net's own pins; called again, close them."""
    for k in range(ends.first_own[net], ends.first_own[net + 1]):
        u = ends.own_node[k]
        fabric.blocked[u], ends.own_free[k] = ends.own_free[k], fabric.blocked[u]


@compiled
def price_scarce(fabric: Fabric, ends: Ends, net: int, by: float) -> None:
    """Raise the price of the few ways to scarce pins, so that other nets keep off them."""
    for terminal in range(ends.first_terminal[net], ends.first_terminal[net + 1]):
        if ends.is_scarce[terminal]:
            for way in range(ends.first_way[terminal], ends.first_way[terminal + 1]):
                fabric.history[ends.node[way]] += by
                if ends.extra[way] >= 0:
                    fabric.history[ends.extra[way]] += by


@compiled
def end_price(fabric: Fabric, ends: Ends, way: int, penalty: float) -> float:
    """What it costs to end at a way, um."""
    price = ends.price[way] + via_cost(fabric, ends.node[way], penalty)
    if ends.extra[way] >= 0:
        price += via_cost(fabric, ends.extra[way], penalty)
    return float(price)


@compiled
def add(scratch: Scratch, stamp: int, count: int, node: int, flags: int) -> int:
    """Add a node, or flags to one that is there, to the `count` nodes of the route being made; their number then."""
    if scratch.member[node] != stamp:
        if count >= scratch.made.shape[0]:
            return count
        scratch.member[node] = stamp
        scratch.flags[node] = flags
        scratch.made[count] = node
        return count + 1
    scratch.flags[node] |= flags
    return count


@compiled
def take_way(ends: Ends, scratch: Scratch, stamp: int, count: int, way: int) -> int:
    """Add what a way to a terminal needs beside the path; the length of the route then."""
    if ends.has_via[way]:
        count = add(scratch, stamp, count, ends.node[way], 1 | 4)
        if ends.extra[way] >= 0:
            count = add(scratch, stamp, count, ends.extra[way], 1 | 8)
    return count


@compiled
def way_at(ends: Ends, terminal: int, node: int) -> int:
    """The way of a terminal that is at a node."""
    for way in range(ends.first_way[terminal], ends.first_way[terminal + 1]):
        if ends.node[way] == node:
            return way
    return -1


@compiled
def join(
    fabric: Fabric,
    ends: Ends,
    scratch: Scratch,
    stamp: int,
    region: tuple[int, int, int, int],
    terminal: int,
    base: int,
    count: int,
    margin: int,
    penalty: float,
) -> int:
    """Search from the tree (or, while it is empty, from the terminal `base`) to a terminal; NOT_FOUND if in vain."""
    columns, plane = fabric.columns, fabric.plane
    low_i, high_i, low_j, high_j = columns, 0, fabric.rows, 0
    layer = ends.node[ends.first_way[terminal]] // plane
    least_end = 1e30
    for way in range(ends.first_way[terminal], ends.first_way[terminal + 1]):
        u = ends.node[way]
        price = end_price(fabric, ends, way, penalty)
        scratch.wanted[u] = stamp
        scratch.end_cost[u] = price
        least_end = min(least_end, price)
        if u // plane != layer:
            layer = fabric.vertical.shape[0]
        j, i = (u % plane) // columns, u % plane % columns
        low_i, high_i, low_j, high_j = min(low_i, i), max(high_i, i), min(low_j, j), max(high_j, j)
    target_i, target_j = (low_i, high_i), (low_j, high_j)
    begin, end = (0, count) if count > 0 else (ends.first_way[base], ends.first_way[base + 1])
    for k in range(begin, end):
        u = scratch.made[k] if count > 0 else ends.node[k]
        j, i = (u % plane) // columns, u % plane % columns
        low_i, high_i, low_j, high_j = min(low_i, i), max(high_i, i), min(low_j, j), max(high_j, j)
    reach = Reach(
        max(region[0], low_i - margin),
        min(region[1], high_i + margin),
        max(region[2], low_j - margin),
        min(region[3], high_j + margin),
        target_i[0],
        target_i[1],
        target_j[0],
        target_j[1],
        layer,
        least_end,
    )
    waiting = 0
    for k in range(begin, end):
        if count > 0:
            waiting = start_at(fabric, scratch, reach, stamp, waiting, scratch.made[k], 0.0)
        else:
            waiting = start_at(
                fabric, scratch, reach, stamp, waiting, ends.node[k], end_price(fabric, ends, k, penalty)
            )
    return int(shortest_path(fabric, scratch, reach, stamp, waiting, penalty))


@compiled
def lengthen(fabric: Fabric, scratch: Scratch, stamp: int, count: int) -> int:
    """Extend runs that are short of the minimum area; the length of the route then."""
    for k in range(count):
        u = scratch.made[k]
        layer = u // fabric.plane
        step = fabric.columns if fabric.vertical[layer] else 1
        low = high = u
        while scratch.member[low - step] == stamp:
            low -= step
        while scratch.member[high + step] == stamp:
            high += step
        wanted = fabric.least_steps[layer]
        if low == high and scratch.flags[low] & 1:
            wanted = fabric.least_steps_at_via[layer]
        while (high - low) // step < wanted:
            best, best_price = -1, 1e30
            for beyond in (high + step, low - step):
                price = fabric.wire_hits[beyond] + 0.5 * fabric.history[beyond]
                if not fabric.blocked[beyond] & 1 and price < best_price:
                    best, best_price = beyond, price
            if best < 0:
                break
            count = add(scratch, stamp, count, best, 8)
            low, high = min(low, best), max(high, best)
    return count


@compiled
def route_net(
    fabric: Fabric,
    ends: Ends,
    routes: Routes,
    scratch: Scratch,
    net: int,
    stamp: int,
    region: tuple[int, int, int, int],
    margin: int,
    last_margin: int,
    penalty: float,
) -> int:
    """Connect the terminals of a net, each to the tree so far; how many nodes of `made` are its route.

    Stamps from `stamp` on must be new, as many as `stamps_of` says; `routes.complete` tells whether all were joined.
    """
    base, end = ends.first_terminal[net], ends.first_terminal[net + 1]
    for terminal in range(base, end):
        routes.chosen[terminal] = -1
    routes.complete[net] = True
    count, own = 0, stamp
    if end - base == 1:
        routes.chosen[base] = ends.first_way[base]
        count = add(scratch, own, count, ends.node[ends.first_way[base]], 0)
        count = take_way(ends, scratch, own, count, ends.first_way[base])
    for k in range(base + 1, end):
        terminal, reached, now = ends.order[k], -1, margin
        while reached < 0:
            stamp += 1
            reached = join(fabric, ends, scratch, stamp, region, terminal, base, count, now, penalty)
            if now >= last_margin:
                break
            now = min(now * 4, last_margin)
        if reached < 0:
            routes.complete[net] = False
            continue
        routes.chosen[terminal] = way_at(ends, terminal, reached)
        u = reached
        count = add(scratch, own, count, u, 0)
        while scratch.parent[u] >= 0:
            v = scratch.parent[u]
            count = add(scratch, own, count, v, 0)
            if abs(u - v) >= fabric.plane:
                count = add(scratch, own, count, min(u, v), 1 | 2)
                count = add(scratch, own, count, max(u, v), 1)
            u = v
        if routes.chosen[base] < 0:
            routes.chosen[base] = way_at(ends, base, u)
            count = take_way(ends, scratch, own, count, routes.chosen[base])
        count = take_way(ends, scratch, own, count, routes.chosen[terminal])
    return int(lengthen(fabric, scratch, own, count))


@compiled
def reroute(
    fabric: Fabric,
    ends: Ends,
    routes: Routes,
    scratch: Scratch,
    nets: Array,
    stamps: Array,
    margins: Array,
    region: tuple[int, int, int, int],
    last_margin: int,
    penalty: float,
    free: int,
    limit: int,
) -> tuple[int, int]:
    """Route nets anew, one after the other, into the pool from `free` to `limit`.

    `stamps`: the first of the stamps that each may use. Returns how many nets were done before the pool was full,
    and what of the pool is free then.
    """
    for k in range(nets.shape[0]):
        net = nets[k]
        put_net(fabric, routes, net, -1)
        swap_own(fabric, ends, net)
        price_scarce(fabric, ends, net, -ends.scarce_price)
        count = route_net(
            fabric, ends, routes, scratch, net, stamps[k], region, margins[k], max(last_margin, margins[k]), penalty
        )
        price_scarce(fabric, ends, net, ends.scarce_price)
        swap_own(fabric, ends, net)
        if free + count > limit:
            put_net(fabric, routes, net, 1)
            return k, free
        routes.start[net], routes.length[net] = free, count
        for n in range(count):
            routes.pool[free + n] = scratch.made[n] * 16 + scratch.flags[scratch.made[n]]
        free += count
        put_net(fabric, routes, net, 1)
    return nets.shape[0], free


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
def gather(routes: Routes, pool: Array) -> int:
    """Move all routes to the beginning of a new pool; returns how much of it they take."""
    at = 0
    for net in range(routes.start.shape[0]):
        for k in range(routes.length[net]):
            pool[at + k] = routes.pool[routes.start[net] + k]
        routes.start[net] = at
        at += routes.length[net]
    return at
