"""One pass of the router over a list of nets, compiled by numba: take a net's route out, find a new one, put it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.maze import Fabric, Reach, Scratch, compiled, shortest_path, start_at, via_cost
from a6hub_jupyter.express.routes import Ends, Routes, put_net

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

ABOVE = 0.5
"""How much dearer the node above a scarce pin gets, as a part of what the way to the pin does."""


@compiled
def swap_own(fabric: Fabric, ends: Ends, net: int) -> None:
    """Open the nodes at a net's own pins; called again, close them."""
    for k in range(ends.first_own[net], ends.first_own[net + 1]):
        u = ends.own_node[k]
        fabric.blocked[u], ends.own_free[k] = ends.own_free[k], fabric.blocked[u]


@compiled
def price_scarce(fabric: Fabric, ends: Ends, net: int, by: float) -> None:
    """Raise the price of the few ways to scarce pins, and of the nodes above, so that other nets keep off them."""
    for terminal in range(ends.first_terminal[net], ends.first_terminal[net + 1]):
        if ends.is_scarce[terminal]:
            for way in range(ends.first_way[terminal], ends.first_way[terminal + 1]):
                fabric.history[ends.node[way]] += by
                if ends.has_via[way]:
                    fabric.history[ends.node[way] + fabric.plane] += ABOVE * by
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
def walk_back(fabric: Fabric, scratch: Scratch, stamp: int, count: int, node: int) -> tuple[int, int]:
    """Add the way that ends at `node` to the route: how many nodes the route has now, and where the way begins."""
    count = add(scratch, stamp, count, node, 0)
    while scratch.parent[node] >= 0:
        before = scratch.parent[node]
        count = add(scratch, stamp, count, before, 0)
        if abs(node - before) >= fabric.plane:
            count = add(scratch, stamp, count, min(node, before), 1 | 2)
            count = add(scratch, stamp, count, max(node, before), 1)
        node = before
    return count, node


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
        count, u = walk_back(fabric, scratch, own, count, reached)
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
