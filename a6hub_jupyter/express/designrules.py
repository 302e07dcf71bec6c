"""Design rules of the metals and cuts, from the technology LEF, checked with klayout Regions.

The same check serves the router, which repairs what it finds, and the Express.DRC step on the final GDS.
Metals: width, greatest width, spacing (also within a net), spacing of wide metal by parallel run, spacing of line
ends, area, enclosed area, off-grid. Cuts: size, spacing, spacing in crowds and arrays, enclosure, enclosure at line
ends, cuts per wide metal, off-grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import klayout.db as kdb

from a6hub_jupyter.express.cutcrowds import array_pairs, crowded_pairs
from a6hub_jupyter.express.lefrules import LayerRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.lef import Enclosure, Layer, Lef


@dataclass(frozen=True)
class Violation:
    """One violation: the rule (`met1.space<0.14`), the layer, the kind of rule, and its place."""

    rule: str
    layer: str
    kind: str
    shape: kdb.EdgePair | kdb.Polygon | kdb.Edge

    @property
    def box(self) -> kdb.Box:
        """Bounding box in database units."""
        return self.shape.bbox()


class Part(NamedTuple):
    """A part of the check: `metal`, `cut` or `grid`; its layer, and for a cut the metals below and above it."""

    kind: str
    layers: tuple[str, ...]


class RuleCheck:
    """Checks Regions by LEF layer name. `unit` is the database unit in nm."""

    def __init__(self, lef: Lef, layers: list[str], unit: float = 1.0) -> None:
        self._lef = lef
        self._layers = layers
        self._unit = unit
        self._rules = {name: LayerRules.of(lef.layers[name]) for name in layers}
        self._wide_parts: dict[str, dict[int, kdb.Region]] = {}

    def _units(self, length: float) -> int:
        return round(length / self._unit)

    def _square_units(self, area: float) -> int:
        return max(1, round(area / self._unit**2))

    def reach(self) -> int:
        """The greatest distance that a rule looks at, in database units."""
        lengths = [0]
        for name, rules in self._rules.items():
            lengths += [self._lef.layers[name].spacing, *(w.spacing for w in rules.wide)]
            lengths += [max(e.spacing, e.within) for e in rules.ends]
            lengths += [max(c.spacing, c.within) for c in rules.crowds] + [a.spacing for a in rules.arrays]
            lengths += [e.enclosure for e in rules.end_enclosures]
            lengths += [max(e.first, e.second) for e in self._lef.layers[name].enclosures]
        return self._units(max(lengths)) + 1

    def margin(self) -> int:
        """How far around a place metal must be known for all that is found there to be right, in database units.

        Shapes with too little area, and holes, are no longer than this; wide metal is known as wide.
        """
        lengths = [0.0]
        for name, rules in self._rules.items():
            layer = self._lef.layers[name]
            if layer.width:
                lengths += [2 * layer.area / layer.width, 2 * rules.hole_area / layer.width + layer.width]
            lengths += [w.width + w.run for w in rules.wide] + [float(c.width) for c in rules.cut_counts]
        return self.reach() + self._units(max(lengths))

    def not_checked(self) -> dict[str, list[str]]:
        """Rules that are not checked, as the LEF writes them, and the layers that have them."""
        found: dict[str, list[str]] = {}
        for name, rules in self._rules.items():
            for rule in rules.not_read:
                found.setdefault(rule, []).append(name)
        return found

    def parts(self) -> list[Part]:
        """The check in parts that can be done apart: metal by metal, cut by cut, then what is off the grid."""
        kinds = [(k, name, self._lef.layers[name].kind) for k, name in enumerate(self._layers)]
        metals = [Part("metal", (name,)) for _, name, kind in kinds if kind == "ROUTING"]
        inner = [(k, name) for k, name, kind in kinds if kind == "CUT" and 0 < k < len(self._layers) - 1]
        cuts = [Part("cut", (name, self._layers[k - 1], self._layers[k + 1])) for k, name in inner]
        return [*metals, *cuts, *(Part("grid", (name,)) for name in self._layers)]

    def of_part(self, part: Part, regions: Mapping[str, kdb.Region]) -> Iterator[Violation]:
        """The violations of one part."""
        name = part.layers[0]
        if part.kind == "metal":
            yield from self._metal(self._lef.layers[name], regions[name])
        elif part.kind == "cut":
            yield from self._cut(name, regions, *part.layers[1:])
        else:
            yield from self._off_grid(name, regions[name])

    def violations(self, regions: Mapping[str, kdb.Region], *kinds: str) -> Iterator[Violation]:
        """All violations in these layers, or those of some kinds of parts, part by part."""
        self._wide_parts.clear()
        for part in self.parts_of(regions, *kinds):
            yield from self.of_part(part, regions)

    def parts_of(self, regions: Mapping[str, kdb.Region], *kinds: str) -> list[Part]:
        """The parts, of some kinds or of all, whose layers are there."""
        return [p for p in self.parts() if (not kinds or p.kind in kinds) and all(name in regions for name in p.layers)]

    def _off_grid(self, name: str, region: kdb.Region) -> Iterator[Violation]:
        """Vertices that are not on the manufacturing grid."""
        grid = self._units(self._lef.manufacturing_grid)
        if grid > 1:
            rule = f"{name}.off the {self._lef.manufacturing_grid / 1000:g} grid"
            yield from _found(rule, name, "grid", region.grid_check(grid, grid))

    # -- metals

    def _metal(self, layer: Layer, region: kdb.Region) -> Iterator[Violation]:
        name, units, rules = layer.name, self._units, self._rules[layer.name]
        yield from _found(f"{name}.width<{layer.width / 1000:g}", name, "width", region.width_check(units(layer.width)))
        yield from self._spacing(name, self._close(region, layer.spacing), layer.spacing)
        if layer.area:
            small = region.with_area(0, self._square_units(layer.area), False)
            yield from _found(f"{name}.area<{layer.area / 1e6:g}", name, "area", small)
        if rules.hole_area:
            small = region.holes().with_area(0, self._square_units(rules.hole_area), False)
            yield from _found(f"{name}.enclosed area<{rules.hole_area / 1e6:g}", name, "enclosed area", small)
        if rules.most_width:
            yield from _found(
                f"{name}.width>{rules.most_width / 1000:g}", name, "width", self._wider(name, region, rules.most_width)
            )
        for wide in rules.wide:
            shapes = self._wider(name, region, wide.width)
            if shapes.is_empty():
                continue
            near = self._near(shapes, region, wide.spacing, wide.run)
            run = f", along {wide.run / 1000:g}" if wide.run else ""
            rule = f"{name}.space<{wide.spacing / 1000:g} (wider than {wide.width / 1000:g}{run})"
            yield from _found(rule, name, "wide space", near)
        for end in rules.ends:
            rule = f"{name}.space<{end.spacing / 1000:g} (line end<{end.width / 1000:g})"
            within, ends = units(end.within), self._ends(region, end.width)
            yield from _found(
                rule, name, "end space", ends.extended(within, within, units(end.spacing), 0, False) & region
            )

    def _spacing(self, name: str, region: kdb.Region, spacing: int) -> Iterator[Violation]:
        """Spacing within and between polygons; `space_check` finds the same, but takes ten times as long."""
        rule, distance = f"{name}.space<{spacing / 1000:g}", self._units(spacing)
        yield from _found(rule, name, "space", region.notch_check(distance))
        yield from _found(rule, name, "space", region.isolated_check(distance))

    def _close(self, region: kdb.Region, spacing: int) -> kdb.Region:
        """The polygons among which all violations of a spacing are.

        Edges find in a moment what polygons find, and a little more where metal is between; polygons of hundreds of
        shapes, such as rails, take twenty times as long.
        """
        distance = self._units(spacing)
        close = kdb.Region()
        for pair in region.edges().space_check(distance).each():
            close.insert(pair.bbox().enlarged(distance, distance))
        return region.interacting(close)

    def _wider(self, name: str, region: kdb.Region, width: int) -> kdb.Region:
        """The parts of a metal that are wider than `width` nm.

        All widths that the rules ask for are found at once, each among what is wider than the one before.
        """
        parts = self._wide_parts.get(name)
        if parts is None:
            rules = self._rules[name]
            asked = {r.width for r in rules.wide} | {r.width for r in rules.cut_counts} | {rules.most_width}
            parts, left = self._wide_parts.setdefault(name, {}), region
            for each in sorted(asked - {0}):
                half = self._units(each / 2) + 1
                left = left.sized(-half).sized(half) & left
                parts[each] = left
        return parts[width]

    def _near(self, wide: kdb.Region, region: kdb.Region, spacing: int, run: int) -> kdb.EdgePairs:
        """Where wide shapes come nearer than `spacing` to others over more than `run` nm."""
        distance, least = self._units(spacing), self._units(run) + 1
        metrics = kdb.Region.Projection if run else kdb.Region.Euclidian
        options = (False, metrics, None, least if run else 1)
        among = wide.space_check(distance, *options)
        return among + region.separation_check(wide, distance, *options)

    def _ends(self, region: kdb.Region, width: int) -> kdb.Edges:
        """Edges shorter than `width` nm between two corners that point outwards."""
        return region.edges(kdb.Region.Convex).with_length(0, self._units(width), False)

    # -- cuts

    def _cut(self, name: str, regions: Mapping[str, kdb.Region], lower: str, upper: str) -> Iterator[Violation]:
        layer, cuts, rules = self._lef.layers[name], regions[name], self._rules[name]
        size = self._lef.cut_size(name)
        square = cuts.with_bbox_width(self._units(size), False) & cuts.with_bbox_height(self._units(size), False)
        yield from _found(f"{name}.size!={size / 1000:g}", name, "size", cuts - square)
        yield from self._spacing(name, cuts, layer.spacing)
        for crowd in rules.crowds:
            close = cuts.isolated_check(self._units(crowd.spacing))
            found = crowded_pairs(cuts, close, crowd.count, self._units(crowd.within))
            rule = f"{name}.space<{crowd.spacing / 1000:g} ({crowd.count} cuts within {crowd.within / 1000:g})"
            yield from _found(rule, name, "space", found)
        for array in rules.arrays:
            close = cuts.isolated_check(self._units(array.spacing))
            rule = f"{name}.space<{array.spacing / 1000:g} (array of {array.count} x {array.count})"
            yield from _found(rule, name, "space", array_pairs(cuts, close, array.count))
        for metal, side in ((lower, "BELOW"), (upper, "ABOVE")):
            allowed = [e for e in layer.enclosures if e.side in ("BOTH", side)]
            if allowed:
                values = " or ".join(f"{e.first / 1000:g}/{e.second / 1000:g}" for e in allowed)
                rule = f"{name}.enclosure by {metal}<{values}"
                yield from _found(rule, name, "enclosure", self._not_enclosed(cuts, regions[metal], allowed))
            for end in rules.end_enclosures:
                inside = self._ends(regions[metal], end.width).extended(0, 0, 0, self._units(end.enclosure), False)
                rule = f"{name}.enclosure by {metal}<{end.enclosure / 1000:g} (line end<{end.width / 1000:g})"
                yield from _found(rule, name, "enclosure", inside & cuts)
            yield from self._too_few(name, metal, "ABOVE" if side == "BELOW" else "BELOW", regions, (lower, upper))

    def _not_enclosed(self, cuts: kdb.Region, metal: kdb.Region, allowed: list[Enclosure]) -> kdb.Region:
        """Cuts without metal `first` nm beyond two opposite sides and `second` nm beyond the others, either way.

        Of several enclosures one is enough.
        """
        left = cuts
        pairs = [pair for e in allowed for pair in ((e.first, e.second), (e.second, e.first))]
        for dx, dy in dict.fromkeys(pairs):
            if left.is_empty():
                break
            grown = left.sized(self._units(dx), self._units(dy), 2)
            grown.merged_semantics = False
            # what sticks out is found for all cuts at once: to ask whether each is inside the metal takes far longer
            # where that is a power net with thousands of corners
            left = left.inside(grown.overlapping(grown - metal))
        return left

    def _too_few(
        self, name: str, metal: str, side: str, regions: Mapping[str, kdb.Region], pair: tuple[str, str]
    ) -> Iterator[Violation]:
        """Cuts that connect wide metal with fewer of them than asked for; `side` is that of the cut from the metal."""
        for wanted in self._rules[metal].cut_counts:
            if wanted.side not in ("BOTH", side):
                continue
            touching = regions[name].interacting(self._wider(metal, regions[metal], wanted.width))
            if touching.is_empty():
                continue
            overlap = (regions[pair[0]] & regions[pair[1]]).interacting(touching)
            few = overlap.interacting(regions[name], 1, wanted.count - 1)
            rule = f"{name}.fewer than {wanted.count} cuts on {metal} wider than {wanted.width / 1000:g}"
            yield from _found(rule, name, "cut count", touching.interacting(few))


def _found(
    rule: str, layer: str, kind: str, shapes: kdb.EdgePairs | kdb.Region | list[kdb.EdgePair]
) -> Iterator[Violation]:
    """In the order of their places: klayout's own differs from run to run."""
    found = [Violation(rule, layer, kind, s) for s in (shapes if isinstance(shapes, list) else shapes.each())]
    yield from sorted(found, key=lambda v: (v.box.left, v.box.bottom, v.box.right, v.box.top))
