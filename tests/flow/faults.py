"""For each rule of a technology LEF: shapes that break it by one grid step, and shapes that just keep it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from a6hub_jupyter.express.geometry import Box, Shape, centered
from a6hub_jupyter.express.lef import Layer, Lef
from a6hub_jupyter.express.lefrules import LayerRules

STEP = 5


@dataclass(frozen=True)
class Fault:
    """Shapes (nm) and the rule that they break, named as the check names it; None: no rule."""

    name: str
    rule: str | None
    shapes: tuple[Shape, ...]


def grid(length: float) -> int:
    return math.ceil(length / STEP) * STEP


class FaultMaker:
    """Faults of the layers of one technology, from the lowest routed metal to the topmost."""

    def __init__(self, lef: Lef, lowest: str) -> None:
        self._lef = lef
        stack = [n for n, la in lef.layers.items() if la.kind == "CUT" or (la.kind == "ROUTING" and la.direction)]
        self.stack = stack[stack.index(lowest) :]

    def faults(self) -> Iterator[Fault]:
        for k, name in enumerate(self.stack):
            layer = self._lef.layers[name]
            if layer.kind == "ROUTING":
                yield from self._metal(layer)
            elif 0 < k < len(self.stack) - 1:
                yield from self._cut(layer, self.stack[k - 1], self.stack[k + 1])

    def _side(self, layer: Layer) -> int:
        """A square of this side keeps width and area, and is not wide if possible."""
        return grid(max(layer.width, math.sqrt(layer.area)))

    def _metal(self, layer: Layer) -> Iterator[Fault]:
        name, width, space, rules = layer.name, layer.width, layer.spacing, LayerRules.of(layer)
        side, length = self._side(layer), grid(max(4 * width, layer.area / (width - STEP) + STEP))

        def fault(kind: str, rule: str | None, *boxes: Box) -> Fault:
            return Fault(f"{name} {kind}", rule and f"{name}.{rule}", tuple(Shape(name, box) for box in boxes))

        yield fault("width kept", None, Box(0, 0, width, length))
        yield fault("width", f"width<{width / 1000:g}", Box(0, 0, width - STEP, length))
        needed = f"space<{space / 1000:g}"
        for gap, kept in ((space, True), (space - STEP, False)):
            rule = None if kept else needed
            text = " kept" if kept else ""
            yield fault(f"space{text}", rule, Box(0, 0, side, side), Box(side + gap, 0, 2 * side + gap, side))
            legs = Box(0, 0, width, length), Box(width + gap, 0, 2 * width + gap, length)
            yield fault(f"notch{text}", rule, *legs, Box(0, 0, 2 * width + gap, width))
        if layer.area > width * (width + STEP):
            short = (layer.area - 1) // width // STEP * STEP
            yield fault("area", f"area<{layer.area / 1e6:g}", Box(0, 0, width, short))
        if rules.hole_area:
            hole = (math.isqrt(rules.hole_area) - 1) // STEP * STEP
            outer = hole + 2 * width
            ring = [Box(0, 0, outer, width), Box(0, outer - width, outer, outer), Box(0, 0, width, outer)]
            ring.append(Box(outer - width, 0, outer, outer))
            yield fault("enclosed area", f"enclosed area<{rules.hole_area / 1e6:g}", *ring)
        if rules.most_width:
            most = rules.most_width
            yield fault("width allowed", None, Box(0, 0, most, most))
            yield fault("greatest width", f"width>{most / 1000:g}", Box(0, 0, most + 2 * STEP, most + 2 * STEP))
        for wide in rules.wide:
            run = f", along {wide.run / 1000:g}" if wide.run else ""
            rule = f"space<{wide.spacing / 1000:g} (wider than {wide.width / 1000:g}{run})"
            x, y = wide.width + 2 * STEP, max(wide.run + 2 * STEP, wide.width + 2 * STEP, length)
            beside = x + wide.spacing - STEP
            label = f"space {wide.spacing} of wide {wide.width} along {wide.run}"
            yield fault(label, rule, Box(0, 0, x, y), Box(beside, 0, beside + width, y))
            yield fault(f"{label} kept", None, Box(0, 0, x, y), Box(beside + STEP, 0, beside + STEP + width, y))
            yield fault(f"{label}, with a wire on it", None, Box(0, 0, x, y), Box(x, 0, x + length, width))
            yield fault(f"{label}, two wide", rule, Box(0, 0, x, y), Box(beside, 0, beside + x, y))
        yield fault("off grid", f"off the {self._lef.manufacturing_grid / 1000:g} grid", Box(0, 0, side + 2, side + 2))

    def _cut(self, layer: Layer, lower: str, upper: str) -> Iterator[Fault]:
        name, size, space = layer.name, self._lef.cut_size(layer.name), layer.spacing
        rules, metals = LayerRules.of(layer), (lower, upper)
        room = grid(size + 1000)

        def fault(kind: str, rule: str | None, *cuts: Box, pads: tuple[Shape, ...] | None = None) -> Fault:
            around = tuple(Shape(m, Box(-room, -room, 9 * room, 9 * room)) for m in metals) if pads is None else pads
            return Fault(f"{name} {kind}", rule and f"{name}.{rule}", (*around, *(Shape(name, c) for c in cuts)))

        first = Box(0, 0, size, size)
        few = {m: LayerRules.of(self._lef.layers[m]).cut_counts for m in metals}
        pair = (first, first.moved(0, size + 2 * space))
        yield fault("kept", None, *pair)
        yield fault("size", f"size!={size / 1000:g}", *pair, Box(0, 3000, size, 3000 + size + STEP))
        yield fault("space", f"space<{space / 1000:g}", first, first.moved(size + space - STEP, 0))
        for metal, side in ((lower, "BELOW"), (upper, "ABOVE")):
            allowed = [e for e in layer.enclosures if e.side in ("BOTH", side)]
            if not allowed or max(allowed[0].first, allowed[0].second) == 0:
                continue
            values = " or ".join(f"{e.first / 1000:g}/{e.second / 1000:g}" for e in allowed)
            short, long = sorted((allowed[0].first, allowed[0].second))
            other = next(m for m in metals if m != metal)
            half = size // 2
            cut = centered(0, 0, half, size - half)
            reach = max(half + 500, grid(self._side(self._lef.layers[other]) / 2))
            big = Shape(other, centered(0, 0, reach, reach))
            length = grid(max(long, self._lef.layers[metal].area / size))
            for less, text in ((0, " kept"), (STEP, "")):
                pad = Box(cut.x1 - length, cut.y1 - short, cut.x2 + long - less, cut.y2 + short)
                rule = None if not less else f"enclosure by {metal}<{values}"
                if not less and pad.height < self._lef.layers[metal].width:
                    continue
                yield fault(f"enclosure by {metal}{text}", rule, cut, pads=(Shape(metal, pad), big))
            for count in few[metal]:
                wide = Shape(metal, Box(-count.width, -count.width, count.width, count.width))
                over = Shape(other, centered(0, 0, 400, 400))
                rule = f"fewer than {count.count} cuts on {metal} wider than {count.width / 1000:g}"
                yield fault(f"count on {metal}", rule, cut, pads=(wide, over))
        for crowd in rules.crowds:
            step = size + (space + crowd.spacing) // 2 // STEP * STEP
            many = [first.moved(i * step, j * step) for i in (0, 1, 2) for j in (0, 1, 2)]
            rule = f"space<{crowd.spacing / 1000:g} ({crowd.count} cuts within {crowd.within / 1000:g})"
            yield fault("crowd", rule, *many)
            yield fault("row", None, *many[:2], first.moved(6000, 0))
