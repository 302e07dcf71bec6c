"""From routes to metal that keeps the design rules: notches are filled, the rest goes back to the router.

The grid keeps different nets apart, but within one net pads, wires and pins can come too close to each
other. A gap inside a net is filled; after that the whole metal is checked, exactly as the DRC step does,
and nets in what remains are routed again with the place made dear.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import klayout.db as kdb

from a6hub_jupyter.express.designrules import RuleCheck, Violation
from a6hub_jupyter.express.drawing import via_table
from a6hub_jupyter.express.geometry import Box, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from a6hub_jupyter.express.drawing import Drawing
    from a6hub_jupyter.express.technology import Technology

BIN = 4000
FILL_ROUNDS = 5


@dataclass(frozen=True)
class Finding:
    """A violation that filling did not mend: where (nm), and the nets whose metal is there."""

    rule: str
    layer: str
    box: Box
    nets: tuple[str, ...]


class Metal:
    """All metal of a design: what is fixed, and what each net draws. Filling adds patches to the drawings."""

    def __init__(self, technology: Technology, top_layer: str, fixed: Iterable[tuple[str | None, Shape]]) -> None:
        stack = technology.stack
        self._layers = stack[stack.index(technology.pin_layer) : stack.index(top_layer) + 1]
        self._check = RuleCheck(technology.lef, self._layers)
        self._table = via_table(technology)
        self._widths = {layer.name: layer.width for layer in technology.layers}
        self._least = {n: technology.lef.layers[n].width for n in self._layers}
        self._metals = {n for n in self._layers if technology.lef.layers[n].kind == "ROUTING"}
        self._fixed_regions = {n: kdb.Region() for n in self._layers}
        self._fixed_bins: dict[tuple[str, int, int], list[tuple[Box, str | None]]] = defaultdict(list)
        for owner, (layer, box) in fixed:
            if layer in self._fixed_regions:
                self._fixed_regions[layer].insert(kdb.Box(*box))
                for key in _bins(layer, box):
                    self._fixed_bins[key].append((box, owner))
        for region in self._fixed_regions.values():
            region.merge()

    def mend(self, drawings: dict[str, Drawing]) -> list[Finding]:
        """Fill the notches of all nets; returns what is left. Violations within the cells alone are not ours."""
        findings = self._findings(self._check.of_cuts(self._regions(drawings)), drawings, [])
        for turn in range(FILL_ROUNDS + 1):
            patches: list[tuple[str, Shape]] = []
            left = self._findings(self._check.of_metals(self._regions(drawings)), drawings, patches)
            new = [(net, patch) for net, patch in patches if patch not in drawings[net].patches]
            if not new or turn == FILL_ROUNDS:
                break
            for net, patch in new:
                drawings[net].patches.append(patch)
        return findings + left

    def _findings(
        self, violations: Iterable[Violation], drawings: dict[str, Drawing], patches: list[tuple[str, Shape]]
    ) -> list[Finding]:
        """Violations with the nets that have metal there; patches for those that are notches of one net."""
        findings, bins = [], self._bins_of(drawings)
        for violation in violations:
            owners, box = self._owners(violation, bins), violation.box
            nets = tuple(sorted(owner for owner in owners if owner in drawings))
            if not nets:
                continue
            if owners == {nets[0]} and violation.kind in ("space", "width") and violation.layer in self._metals:
                patches.append((nets[0], Shape(violation.layer, self._filling(violation))))
            place = Box(box.left, box.bottom, box.right, box.top)
            findings.append(Finding(violation.rule, violation.layer, place, nets))
        return findings

    def _regions(self, drawings: dict[str, Drawing]) -> dict[str, kdb.Region]:
        """All metal and cuts, merged, by layer."""
        regions = {name: region.dup() for name, region in self._fixed_regions.items()}
        for drawing in drawings.values():
            for layer, box in drawing.shapes(self._table, self._widths):
                regions[layer].insert(kdb.Box(*box))
        for region in regions.values():
            region.merge()
        return regions

    def _bins_of(self, drawings: dict[str, Drawing]) -> dict[tuple[str, int, int], list[tuple[Box, str]]]:
        bins: dict[tuple[str, int, int], list[tuple[Box, str]]] = defaultdict(list)
        for net, drawing in drawings.items():
            for layer, box in drawing.shapes(self._table, self._widths):
                for key in _bins(layer, box):
                    bins[key].append((box, net))
        return bins

    def _owners(self, violation: Violation, bins: dict[tuple[str, int, int], list[tuple[Box, str]]]) -> set[str]:
        """Nets whose metal touches the place; "?" stands for metal that belongs to no signal net."""
        box = violation.box
        place = Box(box.left, box.bottom, box.right, box.top)
        owners: set[str] = set()
        for key in _bins(violation.layer, place):
            for other, net in bins.get(key, ()):
                if _touch(place, other):
                    owners.add(net)
            for other, owner in self._fixed_bins.get(key, ()):
                if _touch(place, other):
                    owners.add(owner or "?")
        return owners

    def _filling(self, violation: Violation) -> Box:
        """The rectangle that closes a gap, or widens a sliver to the minimum width.

        Between edges that face each other it is just as long as they do: it leans on metal on both sides.
        """
        box, least = violation.box, self._least[violation.layer]
        if violation.kind == "space" and isinstance(violation.shape, kdb.EdgePair):
            a, b = violation.shape.first.bbox(), violation.shape.second.bbox()
            left, right = max(a.left, b.left), min(a.right, b.right)
            bottom, top = max(a.bottom, b.bottom), min(a.top, b.top)
            if left < right:
                return Box(left, box.bottom, right, box.top)
            if bottom < top:
                return Box(box.left, bottom, box.right, top)
        (x1, x2), (y1, y2) = _widened(box.left, box.right, least), _widened(box.bottom, box.top, least)
        return Box(x1, y1, x2, y2)


def _widened(low: int, high: int, least: int) -> tuple[int, int]:
    """An interval grown on both sides to at least `least`, on the manufacturing grid of 5 nm."""
    missing = max(0, least - (high - low))
    return (low - (missing + 1) // 2) // 5 * 5, -(-(high + (missing + 1) // 2) // 5) * 5


def _touch(a: Box, b: Box) -> bool:
    return a.x1 <= b.x2 and b.x1 <= a.x2 and a.y1 <= b.y2 and b.y1 <= a.y2


def _bins(layer: str, box: Box) -> Iterator[tuple[str, int, int]]:
    for i in range(box.x1 // BIN, box.x2 // BIN + 1):
        for j in range(box.y1 // BIN, box.y2 // BIN + 1):
            yield layer, i, j
