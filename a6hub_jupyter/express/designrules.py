"""Design rules of the metals and cuts, from the technology LEF, checked with klayout Regions.

The same check serves the router, which repairs what it finds, and the Express.DRC step on the final GDS.
Rules: width, spacing (also within a net), spacing of wide metal, area; size, spacing and enclosure of cuts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.lef import Layer, Lef

LONG_RUN = 1000
"""Parallel run, nm, from which the widest spacing of a table is asked for."""


@dataclass(frozen=True)
class Violation:
    """One violation: the rule (`met1.space<0.14`), the layer, the kind of rule, and its place."""

    rule: str
    layer: str
    kind: str
    shape: kdb.EdgePair | kdb.Polygon

    @property
    def box(self) -> kdb.Box:
        """Bounding box in database units."""
        return self.shape.bbox()


class RuleCheck:
    """Checks Regions by LEF layer name. `unit` is the database unit in nm."""

    def __init__(self, lef: Lef, layers: list[str], unit: float = 1.0) -> None:
        self._lef = lef
        self._layers = layers
        self._unit = unit

    def _units(self, length: float) -> int:
        return round(length / self._unit)

    def violations(self, regions: Mapping[str, kdb.Region]) -> Iterator[Violation]:
        """All violations, metal by metal, then cut by cut."""
        yield from self.of_metals(regions)
        yield from self.of_cuts(regions)

    def of_metals(self, regions: Mapping[str, kdb.Region]) -> Iterator[Violation]:
        """Width, spacing and area of the metals."""
        for name in self._layers:
            if self._lef.layers[name].kind == "ROUTING":
                yield from self._metal(self._lef.layers[name], regions[name])

    def of_cuts(self, regions: Mapping[str, kdb.Region]) -> Iterator[Violation]:
        """Size, spacing and enclosure of the cuts."""
        for k, name in enumerate(self._layers):
            if self._lef.layers[name].kind == "CUT" and 0 < k < len(self._layers) - 1:
                yield from self._cut(name, regions, self._layers[k - 1], self._layers[k + 1])

    def _metal(self, layer: Layer, region: kdb.Region) -> Iterator[Violation]:
        name, units = layer.name, self._units
        yield from _found(f"{name}.width<{layer.width / 1000:g}", name, "width", region.width_check(units(layer.width)))
        spacing = layer.spacing
        yield from self._spacing(name, region, spacing)
        if layer.area:
            small = region.with_area(0, max(1, round(layer.area / self._unit**2)), False)
            yield from _found(f"{name}.area<{layer.area / 1e6:g}", name, "area", small)
        for least, values in layer.spacing_table[1:]:
            if values[-1] <= spacing:
                continue
            half = units(least / 2) + 1
            wide = region.sized(-half).sized(half) & region
            if wide.is_empty():
                continue
            near = wide.separation_check(
                region - wide, units(values[-1]), False, kdb.Region.Projection, None, units(LONG_RUN)
            )
            rule = f"{name}.space<{values[-1] / 1000:g} (wider than {least / 1000:g})"
            yield from _found(rule, name, "wide space", near)

    def _spacing(self, name: str, region: kdb.Region, spacing: int) -> Iterator[Violation]:
        """Spacing within and between polygons.

        Asked for separately: klayout's `space_check` finds the same, but takes ten times as long on rails
        that join hundreds of shapes.
        """
        rule, distance = f"{name}.space<{spacing / 1000:g}", self._units(spacing)
        yield from _found(rule, name, "space", region.notch_check(distance))
        yield from _found(rule, name, "space", region.isolated_check(distance))

    def _cut(self, name: str, regions: Mapping[str, kdb.Region], lower: str, upper: str) -> Iterator[Violation]:
        layer, cuts = self._lef.layers[name], regions[name]
        size = self._lef.cut_size(name)
        square = cuts.with_bbox_width(self._units(size), False) & cuts.with_bbox_height(self._units(size), False)
        yield from _found(f"{name}.size!={size / 1000:g}", name, "size", cuts - square)
        yield from self._spacing(name, cuts, layer.spacing)
        for metal, side in ((lower, "BELOW"), (upper, "ABOVE")):
            for enclosure in layer.enclosures:
                if enclosure.side not in ("BOTH", side):
                    continue
                a, b = enclosure.first, enclosure.second
                rule = f"{name}.enclosure by {metal}<{a / 1000:g}/{b / 1000:g}"
                yield from _found(rule, name, "enclosure", self._not_enclosed(cuts, regions[metal], a, b))

    def _not_enclosed(self, cuts: kdb.Region, metal: kdb.Region, first: int, second: int) -> kdb.Region:
        """Cuts without metal `first` nm beyond two opposite sides and `second` nm beyond the others, either way."""
        left = cuts
        for dx, dy in dict.fromkeys(((first, second), (second, first))):
            grown = left.sized(self._units(dx), self._units(dy), 2)
            grown.merged_semantics = False
            left = left.inside(grown.not_inside(metal))
        return left


def _found(rule: str, layer: str, kind: str, shapes: kdb.EdgePairs | kdb.Region) -> Iterator[Violation]:
    for shape in shapes.each():
        yield Violation(rule, layer, kind, shape)
