"""Shortest paths on the routing grid (A*), compiled by numba.

`Fabric` is what all searches share: the grid, what is on it and what it costs. Two counts for each node say how
many nets a wire, or a via pad, would collide with there; they are kept up to date as routes come and go, so that
a search need not look around. The net that is being routed is taken out of them first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[..., Any])
    Array = np.ndarray[Any, Any]

MORE = 0.2
"""How much each further collision at a node counts, beside the first."""
NOT_FOUND = -1
QUEUE_FULL = -2
GREED = 1.1
"""A path may cost so many times the cheapest: the search is much shorter for it."""
HISTORY_AT_VIA = 0.5
"""How much the history of a node counts for a via pad on it, in um."""


def compiled(function: F) -> F:
    """Numba's njit, kept on disk between runs (NUMBA_CACHE_DIR); threads may run it at the same time."""
    return cast("F", njit(cache=True, nogil=True)(function))


class Fabric(NamedTuple):
    """The grid as compiled code sees it. Arrays without another word have an entry for each node.

    Collision offsets are in node numbers, one row per layer, with the length of each row beside them.
    """

    columns: int
    rows: int
    plane: int
    pitch_x: float
    pitch_y: float
    via_price: float
    vertical: Array
    layer_price: Array
    """Per layer: what a wire costs, relative to its length."""
    vias_ahead: Array
    """[target layer, layer, horizontal way left, vertical way left]: the fewest vias on the rest of the way.

    The row after the last layer holds zeros: for targets on several layers."""
    blocked: Array
    history: Array
    wire_hits: Array
    via_hits: Array
    wire_wire: Array
    wire_wire_count: Array
    wire_via: Array
    wire_via_count: Array
    via_via: Array
    via_via_count: Array
    least_steps: Array
    least_steps_at_via: Array
    near_cuts: Array
    """[cut, k]: offsets at which two cuts of one net are too close; 0 ends the row."""


class Scratch(NamedTuple):
    """Memory of searches. `reached`, `wanted` and `member` say for each node which search or net wrote its entries.

    Threads that work on separate parts of the grid share all but the heap (`keys`, `nodes`) and `made`.
    """

    reached: Array
    cost: Array
    parent: Array
    wanted: Array
    end_cost: Array
    member: Array
    flags: Array
    keys: Array
    nodes: Array
    made: Array
    """The nodes of the route that is being made."""


class Reach(NamedTuple):
    """Where a search may go and where it is headed: (i low, i high, j low, j high) twice, and the targets' layer."""

    low_i: int
    high_i: int
    low_j: int
    high_j: int
    target_low_i: int
    target_high_i: int
    target_low_j: int
    target_high_j: int
    layer: int
    least_end: float
    """The least of what it costs to end at a target."""


def fewest_vias(vertical: list[bool]) -> Array:
    """The table `vias_ahead`: vias from a layer to a target layer by way of the directions still needed."""
    count = len(vertical)
    table = np.zeros((count + 1, count, 2, 2))
    for target in range(count):
        for layer in range(count):
            for across in (0, 1):
                for along in (0, 1):
                    ways = []
                    for low in range(min(layer, target) + 1):
                        for high in range(max(layer, target), count):
                            seen = vertical[low : high + 1]
                            if (across and all(seen)) or (along and not any(seen)):
                                continue
                            ways.append(2 * (high - low) - abs(layer - target))
                    table[target, layer, across, along] = min(ways, default=0)
    return table


@compiled
def crowd(hits: int) -> float:
    """How bad a number of collisions is: one wire that passes by collides at several of its nodes, but is one wire."""
    return 1.0 - MORE + MORE * hits if hits > 0 else 0.0


@compiled
def via_cost(fabric: Fabric, u: int, penalty: float) -> float:
    """What a via pad at node u costs for its collisions and the history of the place, um."""
    return float(penalty * crowd(fabric.via_hits[u]) + HISTORY_AT_VIA * fabric.history[u])


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
def way_ahead(fabric: Fabric, reach: Reach, layer: int, i: int, j: int) -> float:
    """What the way to the targets costs at least, um, made a little larger: the distance, the vias, the end."""
    across = max(0, reach.target_low_i - i, i - reach.target_high_i)
    along = max(0, reach.target_low_j - j, j - reach.target_high_j)
    vias = fabric.vias_ahead[reach.layer, layer, min(across, 1), min(along, 1)]
    distance: float = across * fabric.pitch_x + along * fabric.pitch_y
    distance += vias * fabric.via_price
    total: float = GREED * distance + reach.least_end
    return total


@compiled
def start_at(fabric: Fabric, scratch: Scratch, reach: Reach, stamp: int, count: int, source: int, cost: float) -> int:
    """Put a source into the heap of `count` entries; how many it has then."""
    if scratch.reached[source] == stamp and scratch.cost[source] <= cost:
        return count
    scratch.reached[source] = stamp
    scratch.cost[source] = cost
    scratch.parent[source] = -1
    layer = source // fabric.plane
    rest = source - layer * fabric.plane
    j = rest // fabric.columns
    i = rest - j * fabric.columns
    push(scratch.keys, scratch.nodes, count, cost + way_ahead(fabric, reach, layer, i, j), source)
    return count + 1


@compiled
def shortest_path(fabric: Fabric, scratch: Scratch, reach: Reach, stamp: int, count: int, penalty: float) -> int:
    """The target node that is cheapest to reach (follow `parent` back), NOT_FOUND, or QUEUE_FULL.

    Before: sources by `start_at` (`count` of them), and targets by `wanted` and `end_cost`, with the same stamp.
    Costs are in um of wire.
    """
    columns, plane, via_price = fabric.columns, fabric.plane, fabric.via_price
    blocked, history, wire_hits = fabric.blocked, fabric.history, fabric.wire_hits
    reached, costs, keys, nodes = scratch.reached, scratch.cost, scratch.keys, scratch.nodes
    layers = fabric.vertical.shape[0]
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
        here = costs[u]
        if key > here + way_ahead(fabric, reach, layer, i, j) + 1e-7:
            continue
        if scratch.wanted[u] == stamp and here + scratch.end_cost[u] < best:
            best = here + scratch.end_cost[u]
            best_node = u
        for way in range(4):
            to_i, to_j, to_layer = i, j, layer
            if way < 2:
                if fabric.vertical[layer]:
                    to_j = j + 1 - 2 * way
                    length = fabric.pitch_y
                else:
                    to_i = i + 1 - 2 * way
                    length = fabric.pitch_x
                if to_i < reach.low_i or to_i > reach.high_i or to_j < reach.low_j or to_j > reach.high_j:
                    continue
                v = layer * plane + to_j * columns + to_i
                if blocked[v] & 1:
                    continue
                there = here + length * (fabric.layer_price[layer] + history[v]) + penalty * crowd(wire_hits[v])
            else:
                to_layer = layer + 5 - 2 * way
                if to_layer < 0 or to_layer >= layers:
                    continue
                v = to_layer * plane + to_j * columns + to_i
                if (blocked[u] & 2) or (blocked[v] & 3):
                    continue
                there = here + via_price + via_cost(fabric, u, penalty) + via_cost(fabric, v, penalty)
            if reached[v] != stamp or there < costs[v] - 1e-9:
                reached[v] = stamp
                costs[v] = there
                scratch.parent[v] = u
                if count >= keys.shape[0] - 2:
                    return QUEUE_FULL
                push(keys, nodes, count, there + way_ahead(fabric, reach, to_layer, to_i, to_j), v)
                count += 1
    return best_node
