"""Resistance and capacitance of nets: from the routed layout, or from the placement where nothing is routed yet.

Each net becomes a tree rooted at its driver; the delay to each pin is Elmore's (W. C. Elmore, J. Appl. Phys. 19,
1948): the sum over the resistances on the way of the capacitance behind each. Coupling is not told apart from
capacitance to ground. Units: kOhm, pF, ns, um.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from a6hub_jupyter.express.lef import Lef
    from a6hub_jupyter.express.timing.defnets import NetWires, RoutedNets

    Array = np.ndarray[Any, Any]
    Node = tuple[str, int, int]

Terminal = tuple[str, str]
"""(instance, pin), or ("", port)."""


@dataclass
class WireRules:
    """Per layer: kOhm and pF per um of a wire of default width; per cut: kOhm. `sources` says where each is from."""

    metals: dict[str, tuple[float, float]] = field(default_factory=dict)
    cuts: dict[str, float] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        lef: Lef,
        layers_rc: Mapping[str, Mapping[str, float]] | None = None,
        vias_r: Mapping[str, Mapping[str, float]] | None = None,
    ) -> WireRules:
        """From the technology LEF; what it does not give, from LAYERS_RC and VIAS_R of one corner."""
        rules = cls()
        from_lef, from_pdk, nowhere = [], [], []
        for name, layer in lef.layers.items():
            if layer.kind == "ROUTING" and layer.width:
                width = layer.width / 1000
                given = (layers_rc or {}).get(name, {})
                if layer.resistance is not None and layer.capacitance is not None:
                    rules.metals[name] = (
                        layer.resistance / width / 1000,
                        layer.capacitance * width + 2 * layer.edge_capacitance,
                    )
                    from_lef.append(name)
                elif "res" in given and "cap" in given:
                    rules.metals[name] = float(given["res"]), float(given["cap"])
                    from_pdk.append(name)
                else:
                    rules.metals[name] = 0.0, 0.0
                    nowhere.append(name)
            elif layer.kind == "CUT":
                given = (vias_r or {}).get(name, {})
                rules.cuts[name] = float(given.get("res", 0.0)) if layer.resistance is None else layer.resistance / 1000
        for names, source in (
            (from_lef, "the technology LEF"),
            (from_pdk, "LAYERS_RC, as the technology LEF gives none"),
            (nowhere, "nowhere: these wires cost no time"),
        ):
            if names:
                rules.sources.append(f"{', '.join(names)}: {source}")
        if not from_lef and not from_pdk:
            raise ProblemError(
                "Neither the technology LEF nor LAYERS_RC gives resistance and capacitance of the metals: "
                "there is nothing to estimate wire delays from."
            )
        return rules

    def average(self, layers: Sequence[str]) -> tuple[float, float]:
        """Mean kOhm and pF per um over some layers."""
        values = np.array([self.metals[name] for name in layers])
        return float(values[:, 0].mean()), float(values[:, 1].mean())


@dataclass
class RcTree:
    """One net: node 0 is the driver; parents come before their children. `terminals`: the node of each pin."""

    net: str
    parents: list[int]
    resistances: list[float]
    """To the parent, kOhm."""
    capacitances: list[float]
    """Of the wire alone, pF."""
    terminals: dict[Terminal, int]


def grow(
    net: str,
    root: int,
    edges: Iterable[tuple[int, int, float, float]],
    terminals: Mapping[Terminal, int],
    size: int,
) -> tuple[RcTree, list[int]]:
    """A tree from edges (node, node, kOhm, pF) by breadth from the root; also the nodes that were not reached.

    A wire's capacitance goes half to each end (the pi model); resistors that close a loop are left out.
    """
    around: dict[int, list[tuple[int, float]]] = defaultdict(list)
    load = [0.0] * size
    for a, b, resistance, capacitance in edges:
        around[a].append((b, resistance))
        around[b].append((a, resistance))
        load[a] += capacitance / 2
        load[b] += capacitance / 2
    place = {root: 0}
    tree = RcTree(net, [-1], [0.0], [load[root]], {})
    queue = [root]
    for node in queue:
        for other, resistance in around[node]:
            if other not in place:
                place[other] = len(queue)
                queue.append(other)
                tree.parents.append(place[node])
                tree.resistances.append(resistance)
                tree.capacitances.append(load[other])
    tree.terminals = {t: place[n] for t, n in terminals.items() if n in place}
    return tree, [n for n in range(size) if n not in place]


class RoutedTrees:
    """Makes trees from routed nets.

    Wires that touch by their widths alone are tied together at no resistance. `joined` counts pieces farther apart
    than `reach` (nm), which are open in the layout and tied in all the same.
    """

    def __init__(self, routed: RoutedNets, rules: WireRules, stack: Sequence[str], reach: int) -> None:
        self._reach = reach
        self._routed = routed
        self._rules = rules
        self._stack = list(stack)
        self.joined = 0

    def tree(
        self, net: str, driver: Terminal, places: Mapping[Terminal, list[tuple[str, tuple[int, int, int, int]]]]
    ) -> RcTree | None:
        """The tree of a net; None when it has no wires. `places`: layer and box of each pin's metal, nm."""
        wires = self._routed.nets.get(net)
        if wires is None or not (wires.wires or wires.vias):
            return None
        nodes: dict[Node, int] = {}
        edges = self._edges(wires, nodes)
        found = list(nodes)
        terminals = {t: nodes[self._nearest(found, boxes)] for t, boxes in places.items()}
        root = terminals[driver]
        tree, missed = grow(net, root, edges, terminals, len(nodes))
        while missed:
            lost = set(missed)
            here = [found[k] for k in range(len(found)) if k not in lost]
            there = min(
                ((abs(a[1] - b[1]) + abs(a[2] - b[2]), a, b) for a in here for b in (found[k] for k in missed)),
            )
            self.joined += there[0] > self._reach
            edges.append((nodes[there[1]], nodes[there[2]], 0.0, 0.0))
            tree, missed = grow(net, root, edges, terminals, len(nodes))
        return tree

    def _edges(self, wires: NetWires, nodes: dict[Node, int]) -> list[tuple[int, int, float, float]]:
        """Wires cut where something else of the net meets them, and vias."""
        vias = [(*self._via(name, layer), x, y) for name, layer, x, y in wires.vias]
        for lower, _, upper, x, y in vias:
            nodes.setdefault((lower, x, y), len(nodes))
            nodes.setdefault((upper, x, y), len(nodes))
        for layer, x1, y1, x2, y2 in wires.wires:
            nodes.setdefault((layer, x1, y1), len(nodes))
            nodes.setdefault((layer, x2, y2), len(nodes))
        ties = self._overlaps(wires, nodes)
        for ends in ties:
            nodes.setdefault(ends[1], len(nodes))
        columns: dict[tuple[str, int], list[int]] = defaultdict(list)
        rows: dict[tuple[str, int], list[int]] = defaultdict(list)
        for layer, x, y in nodes:
            columns[layer, x].append(y)
            rows[layer, y].append(x)
        edges: dict[tuple[int, int], tuple[float, float]] = {}
        for layer, x1, y1, x2, y2 in wires.wires:
            resistance, capacitance = self._rules.metals.get(layer, (0.0, 0.0))
            if x1 == x2:
                along = sorted({y for y in columns[layer, x1] if min(y1, y2) <= y <= max(y1, y2)})
                points = [nodes[layer, x1, y] for y in along]
            else:
                along = sorted({x for x in rows[layer, y1] if min(x1, x2) <= x <= max(x1, x2)})
                points = [nodes[layer, x, y1] for x in along]
            for k in range(len(along) - 1):
                length = (along[k + 1] - along[k]) / 1000
                edges[points[k], points[k + 1]] = (length * resistance, length * capacitance)
        result = [(a, b, r, c) for (a, b), (r, c) in edges.items()]
        result += [(nodes[a], nodes[b], 0.0, 0.0) for a, b in ties]
        result += [
            (nodes[lower, x, y], nodes[upper, x, y], self._rules.cuts.get(cut, 0.0), 0.0)
            for lower, cut, upper, x, y in vias
        ]
        return result

    def _overlaps(self, wires: NetWires, nodes: Mapping[Node, int]) -> list[tuple[Node, Node]]:
        """Nodes beside a wire whose metal it must touch, each with the point of the wire next to it."""
        most = self._reach // 2
        found = []
        for layer, x, y in nodes:
            for name, x1, y1, x2, y2 in wires.wires:
                if name != layer:
                    continue
                if x1 == x2:
                    near = (layer, x1, min(max(y, min(y1, y2)), max(y1, y2)))
                else:
                    near = (layer, min(max(x, min(x1, x2)), max(x1, x2)), y1)
                if 0 < abs(near[1] - x) + abs(near[2] - y) <= most:
                    found.append(((layer, x, y), near))
        return found

    def _via(self, name: str, layer: str) -> tuple[str, str, str]:
        """Lower metal, cut and upper metal of a via; one that the DEF does not define goes up from `layer`."""
        known = sorted((n for n in self._routed.via_layers.get(name, ()) if n in self._stack), key=self._stack.index)
        if len(known) == 3:
            return known[0], known[1], known[2]
        at = self._stack.index(layer)
        return layer, self._stack[at + 1], self._stack[at + 2]

    @staticmethod
    def _nearest(nodes: list[Node], boxes: list[tuple[str, tuple[int, int, int, int]]]) -> Node:
        """The node nearest to a pin's metal; one on the same layer before any other."""
        if len(nodes) == 1:
            return nodes[0]
        layers = {layer for layer, _ in boxes}
        on_layer = [n for n in nodes if n[0] in layers] or nodes
        best, least = on_layer[0], None
        for node in on_layer:
            layer, x, y = node
            for name, (x1, y1, x2, y2) in boxes:
                if name != layer and layer in layers:
                    continue
                away = max(x1 - x, 0, x - x2) + max(y1 - y, 0, y - y2)
                if least is None or away < least:
                    best, least = node, away
            if least == 0:
                break
        return best


class Wires:
    """All trees of a design at once. Loads of drivers and Elmore delays to pins, for given pin capacitances."""

    def __init__(self, trees: Sequence[RcTree]) -> None:
        self.trees = list(trees)
        parents: list[int] = []
        resistances: list[float] = []
        capacitances: list[float] = []
        depths: list[int] = []
        firsts: list[int] = []
        self._node: dict[Terminal, int] = {}
        for tree in self.trees:
            first = len(parents)
            firsts.append(first)
            depth = [0] * len(tree.parents)
            for k, parent in enumerate(tree.parents):
                if parent >= 0:
                    depth[k] = depth[parent] + 1
            parents += [first + max(p, 0) for p in tree.parents]
            depths += depth
            resistances += tree.resistances
            capacitances += tree.capacitances
            for terminal, k in tree.terminals.items():
                self._node[terminal] = first + k
        self._parent = np.array(parents, np.int64)
        self._resistance = np.array(resistances)
        self._capacitance = np.array(capacitances)
        self._root = {tree.net: first for tree, first in zip(self.trees, firsts, strict=True)}
        depth_of = np.array(depths, np.int64)
        order = np.argsort(depth_of, kind="stable")
        starts = np.searchsorted(depth_of[order], np.arange(1, (max(depths) if depths else 0) + 2))
        self._levels = [order[a:b] for a, b in pairwise(starts)]

    def solve(
        self, capacitance: Mapping[Terminal, tuple[float, float]]
    ) -> tuple[dict[str, Array], dict[Terminal, Array]]:
        """Load of each net (pF) and delay to each terminal (ns), both for (rise, fall)."""
        load = np.repeat(self._capacitance[:, None], 2, axis=1) if len(self._capacitance) else np.zeros((0, 2))
        for terminal, values in capacitance.items():
            node = self._node.get(terminal)
            if node is not None:
                load[node] += values
        for level in reversed(self._levels):
            np.add.at(load, self._parent[level], load[level])
        delay = np.zeros_like(load)
        for level in self._levels:
            delay[level] = delay[self._parent[level]] + self._resistance[level, None] * load[level]
        loads = {net: load[root] for net, root in self._root.items()}
        return loads, {terminal: delay[node] for terminal, node in self._node.items()}
