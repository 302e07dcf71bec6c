"""Nets routed anew within a window of the grid; what they have outside stays. Compiled by numba.

A window holds a few thousand nodes, so a search in it takes a millisecond where one over the whole net would flood the
die for a way around a conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.maze import Fabric, Reach, Scratch, compiled, shortest_path, start_at
from a6hub_jupyter.express.rerouting import (
    end_price,
    lengthen,
    price_scarce,
    swap_own,
    take_way,
    walk_back,
    way_at,
)
from a6hub_jupyter.express.routes import Ends, Routes, put_net

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Window = tuple[int, int, int, int]

LABELS = 3
"""Stamps that a net takes for its parts, beside one for each search."""


@compiled
def is_within(fabric: Fabric, window: Window, u: int, margin: int) -> bool:
    """Whether a node is in the window, and at least `margin` steps from its edge."""
    j, i = (u % fabric.plane) // fabric.columns, u % fabric.plane % fabric.columns
    return bool(
        window[0] + margin <= i <= window[1] - margin and window[2] + margin <= j <= window[3] - margin,
    )


@compiled
def flood(fabric: Fabric, scratch: Scratch, first: int, old: int, new: int, count: int) -> int:
    """Mark all that hangs on a node with `new` where it is `old`; adds it to the `count` nodes of the route made."""
    stack, waiting = scratch.nodes, 1
    stack[0] = first
    scratch.member[first] = new
    while waiting > 0:
        waiting -= 1
        u = stack[waiting]
        scratch.made[count] = u
        count += 1
        layer = u // fabric.plane
        step = fabric.columns if fabric.vertical[layer] else 1
        for v, linked in (
            (u - step, True),
            (u + step, True),
            (u + fabric.plane, scratch.flags[u] & 2 != 0),
            (u - fabric.plane, layer > 0 and scratch.flags[u - fabric.plane] & 2 != 0),
        ):
            if linked and scratch.member[v] == old:
                scratch.member[v] = new
                stack[waiting] = v
                waiting += 1
    return count


@compiled
def cut_out(fabric: Fabric, ends: Ends, routes: Routes, scratch: Scratch, net: int, stamp: int, window: Window) -> int:
    """Take what a net has inside the window out; how many nodes of `made` its first part is.

    That part gets the stamp `stamp`, others with a terminal `stamp + 1`. What is left without one is dropped, and
    so are wires that were only lengthened. Terminals that lost their way have none in `routes.chosen` then.
    """
    rest = stamp + 2
    for k in range(routes.start[net], routes.start[net] + routes.length[net]):
        u, flags = routes.pool[k] // 16, routes.pool[k] & 15
        if is_within(fabric, window, u, 1) or (flags == 8 and is_within(fabric, window, u, 0)):
            continue
        scratch.member[u] = rest
        scratch.flags[u] = flags
    base, end = ends.first_terminal[net], ends.first_terminal[net + 1]
    for terminal in range(base, end):
        way = routes.chosen[terminal]
        if way < 0 or scratch.member[ends.node[way]] != rest:
            routes.chosen[terminal] = -1
        elif ends.extra[way] >= 0 and scratch.member[ends.extra[way]] != rest:
            scratch.member[ends.extra[way]] = rest
            scratch.flags[ends.extra[way]] = 1 | 8
    count = 0
    for terminal in range(base, end):
        way = routes.chosen[terminal]
        if way >= 0 and scratch.member[ends.node[way]] == rest:
            if count == 0:
                count = flood(fabric, scratch, ends.node[way], rest, stamp, count)
            else:
                flood(fabric, scratch, ends.node[way], rest, stamp + 1, count)
    return count


@compiled
def aim(
    fabric: Fabric,
    ends: Ends,
    routes: Routes,
    scratch: Scratch,
    net: int,
    own: int,
    base: int,
    stamp: int,
    window: Window,
    penalty: float,
) -> tuple[int, int, int, int, float]:
    """Mark all that a net has still to join within the window, but for the terminal `base`.

    Returns the box around it (i low, i high, j low, j high; low above high when there is nothing), and the least
    price of an end.
    """
    low_i, high_i, low_j, high_j, least = fabric.columns, -1, fabric.rows, -1, 1e30
    for k in range(routes.start[net], routes.start[net] + routes.length[net]):
        u = routes.pool[k] // 16
        if scratch.member[u] == own + 1 and is_within(fabric, window, u, 0):
            scratch.wanted[u], scratch.end_cost[u], least = stamp, 0.0, 0.0
            j, i = (u % fabric.plane) // fabric.columns, u % fabric.plane % fabric.columns
            low_i, high_i, low_j, high_j = min(low_i, i), max(high_i, i), min(low_j, j), max(high_j, j)
    for terminal in range(ends.first_terminal[net], ends.first_terminal[net + 1]):
        if routes.chosen[terminal] >= 0 or terminal == base:
            continue
        for way in range(ends.first_way[terminal], ends.first_way[terminal + 1]):
            u = ends.node[way]
            if not is_within(fabric, window, u, 0):
                continue
            price = end_price(fabric, ends, way, penalty)
            if scratch.wanted[u] != stamp or price < scratch.end_cost[u]:
                scratch.wanted[u], scratch.end_cost[u] = stamp, price
            least = min(least, price)
            j, i = (u % fabric.plane) // fabric.columns, u % fabric.plane % fabric.columns
            low_i, high_i, low_j, high_j = min(low_i, i), max(high_i, i), min(low_j, j), max(high_j, j)
    return low_i, high_i, low_j, high_j, least


@compiled
def terminal_at(ends: Ends, routes: Routes, net: int, base: int, node: int) -> int:
    """The terminal without a way, other than `base`, that has one at a node."""
    for terminal in range(ends.first_terminal[net], ends.first_terminal[net + 1]):
        if routes.chosen[terminal] < 0 and terminal != base and way_at(ends, terminal, node) >= 0:
            return terminal
    return -1


@compiled
def set_out(
    fabric: Fabric, ends: Ends, scratch: Scratch, reach: Reach, stamp: int, count: int, base: int, penalty: float
) -> int:
    """Start a search from the route so far or, while it is empty, from the terminal `base`; how much waits then."""
    waiting = 0
    window = (reach.low_i, reach.high_i, reach.low_j, reach.high_j)
    for k in range(count):
        if is_within(fabric, window, scratch.made[k], 0):
            waiting = start_at(fabric, scratch, reach, stamp, waiting, scratch.made[k], 0.0)
    if count == 0:
        for way in range(ends.first_way[base], ends.first_way[base + 1]):
            if is_within(fabric, window, ends.node[way], 0):
                price = end_price(fabric, ends, way, penalty)
                waiting = start_at(fabric, scratch, reach, stamp, waiting, ends.node[way], price)
    return waiting


@compiled
def rewire(
    fabric: Fabric,
    ends: Ends,
    routes: Routes,
    scratch: Scratch,
    net: int,
    own: int,
    window: Window,
    penalty: float,
) -> int:
    """Join the parts that `cut_out` leaves of a net by ways within the window: the length of the route; -1 in vain.

    Uses stamps from `own` on: LABELS, and one for each part or terminal.
    """
    count = cut_out(fabric, ends, routes, scratch, net, own, window)
    stamp, base = own + LABELS, -1
    if count == 0:
        base = ends.first_terminal[net]
    while True:
        box = aim(fabric, ends, routes, scratch, net, own, base, stamp, window, penalty)
        if box[0] > box[1]:
            break
        reach = Reach(
            window[0],
            window[1],
            window[2],
            window[3],
            box[0],
            box[1],
            box[2],
            box[3],
            fabric.vertical.shape[0],
            box[4],
        )
        waiting = set_out(fabric, ends, scratch, reach, stamp, count, base, penalty)
        u = shortest_path(fabric, scratch, reach, stamp, waiting, penalty)
        stamp += 1
        if u < 0:
            return -1
        terminal = -1
        if scratch.member[u] == own + 1:
            count = flood(fabric, scratch, u, own + 1, own, count)
        else:
            terminal = terminal_at(ends, routes, net, base, u)
            routes.chosen[terminal] = way_at(ends, terminal, u)
        count, u = walk_back(fabric, scratch, own, count, u)
        if base >= 0:
            routes.chosen[base] = way_at(ends, base, u)
            count = take_way(ends, scratch, own, count, routes.chosen[base])
            base = -1
        if terminal >= 0:
            count = take_way(ends, scratch, own, count, routes.chosen[terminal])
    for terminal in range(ends.first_terminal[net], ends.first_terminal[net + 1]):
        if routes.chosen[terminal] < 0:
            return -1
    return int(lengthen(fabric, scratch, own, count))


@compiled
def rewire_all(
    fabric: Fabric,
    ends: Ends,
    routes: Routes,
    scratch: Scratch,
    nets: Array,
    stamp: int,
    window: Window,
    penalty: float,
    free: int,
) -> tuple[int, int]:
    """Route nets anew within a window, in turn, into the pool from `free` on; a net that finds no way stays as it is.

    Returns the next free stamp and what of the pool is free then.
    """
    for k in range(nets.shape[0]):
        net = nets[k]
        first, end = ends.first_terminal[net], ends.first_terminal[net + 1]
        before = routes.chosen[first:end].copy()
        put_net(fabric, routes, net, -1)
        swap_own(fabric, ends, net)
        price_scarce(fabric, ends, net, -ends.scarce_price)
        count = rewire(fabric, ends, routes, scratch, net, stamp, window, penalty)
        price_scarce(fabric, ends, net, ends.scarce_price)
        swap_own(fabric, ends, net)
        stamp += LABELS + end - first
        if count < 0 or free + count > routes.pool.shape[0]:
            routes.chosen[first:end] = before
        else:
            routes.start[net], routes.length[net] = free, count
            for n in range(count):
                routes.pool[free + n] = scratch.made[n] * 16 + scratch.flags[scratch.made[n]]
            free += count
        put_net(fabric, routes, net, 1)
    return stamp, free
