"""From routes to metal that keeps the design rules: notches and holes are filled, the rest goes back to the router.

The grid keeps different nets apart, but within one net pads, wires and pins can come too close to each
other, or leave a hole that is too small. A gap or a hole inside a net is filled; after that the whole metal
is checked, exactly as the DRC step does, and nets in what remains are routed again with the place made dear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import klayout.db as kdb

from a6hub_jupyter.express import layerchecks
from a6hub_jupyter.express.cores import cores
from a6hub_jupyter.express.designrules import RuleCheck, Violation
from a6hub_jupyter.express.drawing import via_table
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.metalmap import MetalMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from a6hub_jupyter.express.drawing import Drawing
    from a6hub_jupyter.express.metalmap import Owned
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


@dataclass
class _Drawn:
    """What of a net is in the picture: its drawing, how much of it there was, and its shapes."""

    drawing: Drawing
    extent: tuple[int, int, int]
    shapes: set[Shape]


class Metal:
    """All metal of a design: what is fixed, and what each net draws. Filling adds patches to the drawings.

    The first check looks everywhere, later ones where metal came or went; so it is kept while cells come and go.
    """

    def __init__(self, technology: Technology, top_layer: str, fixed: Iterable[Owned]) -> None:
        stack = technology.stack
        self._layers = stack[stack.index(technology.pin_layer) : stack.index(top_layer) + 1]
        self._check = RuleCheck(technology.lef, self._layers)
        self._reach, self._margin = self._check.reach(), self._check.margin()
        self._table = via_table(technology)
        self._widths = {layer.name: layer.width for layer in technology.layers}
        self._least = {n: technology.lef.layers[n].width for n in self._layers}
        self._metals = {n for n in self._layers if technology.lef.layers[n].kind == "ROUTING"}
        self._map = MetalMap(self._layers)
        self._moved: list[Shape] = []
        self.change([], fixed)
        self._is_checked = False
        self._nets: dict[str, _Drawn] = {}
        self._found: dict[str, list[Finding]] = {"cut": [], "metal": []}
        """By the kind of the part of the rule check; what is drawn is on the grid."""

    def change(self, gone: Iterable[Owned], come: Iterable[Owned]) -> None:
        """Take fixed metal out and put other in; the next check looks where it has changed."""
        went, came = ([(net, s) for net, s in some if s.layer in self._layers] for some in (gone, come))
        self._map.change(went, came)
        self._moved += [shape for _, shape in (*went, *came)]

    def mend(self, drawings: dict[str, Drawing]) -> list[Finding]:
        """Fill the notches and holes of all nets; returns what is left. Violations within the cells are not ours."""
        changed = self._follow(drawings) + self._moved
        self._moved = []
        patches: list[tuple[str, Shape]] = []
        if not self._is_checked:
            regions = self._map.merged(self._layers)
            for kind in self._found:
                violations = layerchecks.violations(self._check, regions, cores(), kind)
                self._found[kind] = self._findings(violations, patches)
            self._is_checked = True
        elif changed:
            self._renew(self._layers, list(self._found), changed, patches)
        for _ in range(FILL_ROUNDS):
            new = [(net, patch) for net, patch in patches if patch not in drawings[net].patches]
            if not new:
                break
            for net, patch in new:
                drawings[net].patches.append(patch)
            self._follow(drawings)
            patches = []
            filled = [patch for _, patch in new]
            self._renew(sorted({patch.layer for patch in filled}), ["metal"], filled, patches)
        return [finding for findings in self._found.values() for finding in findings]

    def _follow(self, drawings: dict[str, Drawing]) -> list[Shape]:
        """Take over what has changed in the drawings; returns the shapes that came or went."""
        gone: list[Owned] = []
        come: list[Owned] = []
        for net, drawing in drawings.items():
            extent, known = (len(drawing.wires), len(drawing.vias), len(drawing.patches)), self._nets.get(net)
            if known and known.drawing is drawing and known.extent == extent:
                continue
            shapes = {s for s in drawing.shapes(self._table, self._widths) if s.layer in self._layers}
            before = known.shapes if known else set()
            gone += [(net, shape) for shape in sorted(before - shapes)]
            come += [(net, shape) for shape in sorted(shapes - before)]
            self._nets[net] = _Drawn(drawing, extent, shapes)
        self._map.change(gone, come)
        return [shape for _, shape in (*gone, *come)]

    def _around(self, shapes: list[Shape]) -> set[tuple[int, int]]:
        """The bins in which a change of these shapes can make or mend a violation."""
        return {at for _, box in shapes for at in _bins(_grown(box, self._reach))}

    def _renew(
        self, layers: list[str], kinds: list[str], changed: list[Shape], patches: list[tuple[str, Shape]]
    ) -> None:
        """Check some layers again where they have changed; adds patches for notches and holes of one net.

        What is nearer to a place than any rule looks is complete; what is made of its border is not among the places.
        """
        places = self._around(changed)
        left: dict[str, list[Finding]] = {kind: [] for kind in kinds}
        boxes = [Box(i * BIN, j * BIN, (i + 1) * BIN, (j + 1) * BIN) for i, j in places]
        for kind in kinds:
            for finding in self._found[kind]:
                if finding.layer in layers and _is_among(finding.box, places):
                    boxes.append(finding.box)  # whose metal may be anywhere in it
                else:
                    left[kind].append(finding)
        regions = self._map.merged(layers, [_grown(box, self._margin) for box in boxes])
        for kind, kept in left.items():
            found = layerchecks.violations(self._check, regions, cores(), kind)
            self._found[kind] = kept + self._findings([v for v in found if _is_among(_place(v), places)], patches)

    def _findings(self, violations: Iterable[Violation], patches: list[tuple[str, Shape]]) -> list[Finding]:
        """Violations with the nets that have metal there; patches for those that are notches of one net."""
        findings = []
        for violation in violations:
            owners = self._map.owners(violation.layer, _place(violation))
            nets = tuple(sorted(owner for owner in owners if owner in self._nets))
            if not nets:
                continue
            if owners == {nets[0]} and violation.layer in self._metals:
                patches += [(nets[0], Shape(violation.layer, box)) for box in self._fillings(violation)]
            findings.append(Finding(violation.rule, violation.layer, _place(violation), nets))
        return findings

    def _fillings(self, violation: Violation) -> list[Box]:
        """What mends a violation within one net; nothing for what metal cannot mend."""
        if violation.kind == "enclosed area" and isinstance(violation.shape, kdb.Polygon):
            pieces = violation.shape.decompose_trapezoids(kdb.Polygon.TD_htrapezoids)
            return [_box(piece.bbox()) for piece in pieces if piece.is_box()]
        return [self._filling(violation)] if violation.kind in ("space", "width") else []

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


def _grown(box: Box, margin: int) -> Box:
    return Box(box.x1 - margin, box.y1 - margin, box.x2 + margin, box.y2 + margin)


def _place(violation: Violation) -> Box:
    return _box(violation.box)


def _box(box: kdb.Box) -> Box:
    return Box(box.left, box.bottom, box.right, box.top)


def _is_among(box: Box, places: set[tuple[int, int]]) -> bool:
    return any(at in places for at in _bins(box))


def _bins(box: Box) -> Iterator[tuple[int, int]]:
    for i in range(box.x1 // BIN, box.x2 // BIN + 1):
        for j in range(box.y1 // BIN, box.y2 // BIN + 1):
            yield i, j
