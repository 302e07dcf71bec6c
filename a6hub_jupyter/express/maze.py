"""Shortest paths on the routing grid (A*), compiled by numba.

`wires` and `vias` count how many other nets have a wire or a via pad at a node; the caller takes the net
that is being routed out of them first. Collision offsets are in node numbers, one row per layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[..., Any])
    Array = np.ndarray[Any, Any]

NOT_FOUND = -1
QUEUE_FULL = -2


def compiled(function: F) -> F:
    """Numba's njit, kept on disk between runs (NUMBA_CACHE_DIR)."""
    return cast("F", njit(cache=True)(function))


@compiled
def via_collisions(
    u: int, layer: int, wires: Array, vias: Array, wire_via: Array, n_wire_via: Array, via_via: Array, n_via_via: Array
) -> float:
    """How many other nets a via pad at node u would collide with."""
    found = 0.0
    for k in range(n_wire_via[layer]):
        found += wires[u + wire_via[layer, k]]
    for k in range(n_via_via[layer]):
        found += vias[u + via_via[layer, k]]
    return found


@compiled
def wire_collisions(
    u: int,
    layer: int,
    wires: Array,
    vias: Array,
    wire_wire: Array,
    n_wire_wire: Array,
    wire_via: Array,
    n_wire_via: Array,
) -> float:
    """How many other nets a wire at node u would collide with."""
    found = 0.0
    for k in range(n_wire_wire[layer]):
        found += wires[u + wire_wire[layer, k]]
    for k in range(n_wire_via[layer]):
        found += vias[u + wire_via[layer, k]]
    return found


@compiled
def push(keys: Array, nodes: Array, count: int, key: float, node: int) -> None:
    """Add to a binary heap that holds `count` entries."""
    at = count
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] > key:
            keys[at] = keys[parent]
            nodes[at] = nodes[parent]
            at = parent
        else:
            break
    keys[at] = key
    nodes[at] = node


@compiled
def pop(keys: Array, nodes: Array, count: int) -> None:
    """Remove the root of a heap that has `count` entries left after that."""
    last_key, last_node = keys[count], nodes[count]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] < last_key:
            keys[at] = keys[child]
            nodes[at] = nodes[child]
            at = child
        else:
            break
    keys[at] = last_key
    nodes[at] = last_node


@compiled
def shortest_path(
    columns: int,
    plane: int,
    vertical: Array,
    sources: Array,
    source_costs: Array,
    targets: Array,
    target_costs: Array,
    box: tuple[int, int, int, int],
    target_box: tuple[int, int, int, int],
    wires: Array,
    vias: Array,
    history: Array,
    blocked: Array,
    penalty: float,
    pitch_x: float,
    pitch_y: float,
    via_price: float,
    wire_wire: Array,
    n_wire_wire: Array,
    wire_via: Array,
    n_wire_via: Array,
    via_via: Array,
    n_via_via: Array,
    layer_price: Array,
    reached: Array,
    cost: Array,
    parent: Array,
    wanted: Array,
    end_cost: Array,
    stamp: int,
    keys: Array,
    nodes: Array,
) -> int:
    """The target node that is cheapest to reach (follow `parent` back), NOT_FOUND, or QUEUE_FULL.

    Costs are in um of wire. `box` bounds the search, `target_box` the targets: (i low, i high, j low, j high).
    `reached`, `cost`, `parent`, `wanted`, `end_cost` are scratch; entries count when they carry `stamp`.
    """
    layers, count = vertical.shape[0], 0
    for k in range(targets.shape[0]):
        wanted[targets[k]] = stamp
        end_cost[targets[k]] = target_costs[k]
    for k in range(sources.shape[0]):
        s = sources[k]
        if reached[s] == stamp and cost[s] <= source_costs[k]:
            continue
        reached[s] = stamp
        cost[s] = source_costs[k]
        parent[s] = -1
        rest = s % plane
        j = rest // columns
        i = rest - j * columns
        ahead_x = max(0, target_box[0] - i, i - target_box[1]) * pitch_x
        ahead_y = max(0, target_box[2] - j, j - target_box[3]) * pitch_y
        push(keys, nodes, count, source_costs[k] + ahead_x + ahead_y, s)
        count += 1
    best, best_node = 1e30, NOT_FOUND
    while count > 0:
        key, u = keys[0], nodes[0]
        count -= 1
        pop(keys, nodes, count)
        if key >= best:
            break
        layer = u // plane
        rest = u - layer * plane
        j = rest // columns
        i = rest - j * columns
        here = cost[u]
        ahead_x = max(0, target_box[0] - i, i - target_box[1]) * pitch_x
        ahead_y = max(0, target_box[2] - j, j - target_box[3]) * pitch_y
        if key > here + ahead_x + ahead_y + 1e-7:
            continue
        if wanted[u] == stamp and here + end_cost[u] < best:
            best = here + end_cost[u]
            best_node = u
        for way in range(4):
            to_i, to_j, to_layer = i, j, layer
            if way < 2:
                if vertical[layer]:
                    to_j = j + 1 - 2 * way
                    length = pitch_y
                else:
                    to_i = i + 1 - 2 * way
                    length = pitch_x
                if to_i < box[0] or to_i > box[1] or to_j < box[2] or to_j > box[3]:
                    continue
                v = layer * plane + to_j * columns + to_i
                if blocked[v] & 1:
                    continue
                there = here + length * (layer_price[layer] + history[v])
                there += penalty * wire_collisions(v, layer, wires, vias, wire_wire, n_wire_wire, wire_via, n_wire_via)
            else:
                to_layer = layer + 5 - 2 * way
                if to_layer < 0 or to_layer >= layers:
                    continue
                v = to_layer * plane + to_j * columns + to_i
                if (blocked[u] & 2) or (blocked[v] & 3):
                    continue
                there = here + via_price * (1.0 + 0.3 * (history[u] + history[v]))
                there += penalty * via_collisions(u, layer, wires, vias, wire_via, n_wire_via, via_via, n_via_via)
                there += penalty * via_collisions(v, to_layer, wires, vias, wire_via, n_wire_via, via_via, n_via_via)
            if reached[v] != stamp or there < cost[v] - 1e-9:
                reached[v] = stamp
                cost[v] = there
                parent[v] = u
                if count >= keys.shape[0] - 2:
                    return QUEUE_FULL
                ahead_x = max(0, target_box[0] - to_i, to_i - target_box[1]) * pitch_x
                ahead_y = max(0, target_box[2] - to_j, to_j - target_box[3]) * pitch_y
                push(keys, nodes, count, there + ahead_x + ahead_y, v)
                count += 1
    return best_node


@compiled
def collisions(
    plane: int,
    net_wires: Array,
    net_vias: Array,
    wires: Array,
    vias: Array,
    wire_wire: Array,
    n_wire_wire: Array,
    wire_via: Array,
    n_wire_via: Array,
    via_via: Array,
    n_via_via: Array,
    found: Array,
) -> int:
    """Write the nodes of one net (taken out of `wires` and `vias`) that collide into `found`; how many."""
    count = 0
    for k in range(net_wires.shape[0]):
        u = net_wires[k]
        if wire_collisions(u, u // plane, wires, vias, wire_wire, n_wire_wire, wire_via, n_wire_via) > 0:
            found[count] = u
            count += 1
    for k in range(net_vias.shape[0]):
        u = net_vias[k]
        if via_collisions(u, u // plane, wires, vias, wire_via, n_wire_via, via_via, n_via_via) > 0:
            found[count] = u
            count += 1
    return count
