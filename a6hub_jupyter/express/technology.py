"""Routing rules of one PDK, derived from its technology LEF; no hand-written tables.

The router works on a uniform grid. What the LEF says in lengths becomes here what the grid needs: how far
wire ends reach, how big via pads are, and at which grid offsets two nets collide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express.geometry import centered, distance
from a6hub_jupyter.express.lef import Layer, Lef
from a6hub_jupyter.express.lefwords import nanometres
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.job import Job

MANUFACTURING_GRID = 5
REACH = 4
"""Collisions are looked for up to so many grid steps away."""
THICKEST = 2.8
"""Layers with a pitch beyond so many times that of the finest two are left to the power grid."""

Half = tuple[int, int]
"""Half extents (x, y) of a box around a grid point, nm."""
Offset = tuple[int, int]
"""A grid offset: steps in x, steps in y."""


def nearest_on_grid(wanted: int, low: int, high: int) -> int:
    """The point of [low, high] nearest to `wanted`, or its middle where it is empty, on the manufacturing grid; nm."""
    if low > high:
        low = high = (low + high) // 2
    return round(min(max(wanted, low), high) / MANUFACTURING_GRID) * MANUFACTURING_GRID


def up_to_grid(length: float) -> int:
    """The next multiple of the manufacturing grid, nm."""
    return math.ceil(length / MANUFACTURING_GRID - 1e-6) * MANUFACTURING_GRID


@dataclass(frozen=True)
class Cut:
    """The cut below a routing layer; `lower` and `upper` are the allowed pads. All in nm."""

    name: str
    size: int
    spacing: int
    lower: tuple[Half, ...]
    upper: tuple[Half, ...]


@dataclass(frozen=True)
class RoutingLayer:
    """What the router must know of one metal. Lengths in nm, area in nm2."""

    name: str
    vertical: bool
    width: int
    spacing: int
    area: int
    extension: int
    """How far a wire end reaches past its grid point."""
    pad: Half
    """Half extents of the largest via pad."""
    every: int
    """Only every n-th grid track is used."""
    least_steps: int
    """Length of the shortest wire, in grid steps, that has the minimum area."""
    least_steps_at_via: int
    """The same for a wire with a via pad on it."""
    shift_along: int
    shift_across: int
    """How far a pin via may lie off its grid point."""
    wire_wire: tuple[Offset, ...]
    wire_via: tuple[Offset, ...]
    via_via: tuple[Offset, ...]

    def wire_half(self) -> Half:
        """Half extents of the metal that a wire has around each of its grid points."""
        return (self.width // 2, self.extension) if self.vertical else (self.extension, self.width // 2)


class Technology:
    """The grid, the routing layers from the pin layer's neighbour up, and the cuts below each.

    `stack` names all metals and cuts in LEF order; `pin_layer` is the metal below the first routing layer.
    """

    def __init__(self, lef: Lef, site: tuple[int, int], lowest: str, highest: str) -> None:
        self.lef = lef
        self.site = site
        self.stack = [n for n, la in lef.layers.items() if la.kind == "CUT" or (la.kind == "ROUTING" and la.direction)]
        metals = [n for n in self.stack if lef.layers[n].kind == "ROUTING"]
        for name in (lowest, highest):
            if name not in metals:
                raise ProblemError(f"The layer {name} is no routing layer of the technology LEF.")
        first, last = metals.index(lowest), metals.index(highest)
        if first == 0 or last <= first:
            raise ProblemError(f"Routing from {lowest} to {highest} is not possible: pins need a metal below.")
        self.pin_layer = metals[first - 1]
        used = [lef.layers[n] for n in metals[first : last + 1]]
        finest_vertical = next(la for la in used if la.direction == "VERTICAL")
        finest_horizontal = next(la for la in used if la.direction == "HORIZONTAL")
        self.pitch_x = (finest_vertical.pitch or (0, 0))[0]
        self.pitch_y = (finest_horizontal.pitch or (0, 0))[1]
        self.offset_x = finest_vertical.offset[0] % self.pitch_x
        self.offset_y = finest_horizontal.offset[1] % self.pitch_y
        below = [None] + [la.direction == "VERTICAL" for la in used]
        self.cuts = [
            self._cut(metals[first - 1 + k], la.name, below[k], la.direction == "VERTICAL") for k, la in enumerate(used)
        ]
        self.layers = [self._routing_layer(k, la) for k, la in enumerate(used)]

    @classmethod
    def of(cls, job: Job) -> Technology:
        """The technology of a job: its LEF files, layer settings and tracks."""
        lef = Lef(*job.lefs, *job.macro_lefs)
        if job.site not in lef.sites:
            raise ProblemError(f"PLACE_SITE names '{job.site}', which the LEF files do not define.")
        metals = [n for n, la in lef.layers.items() if la.kind == "ROUTING" and la.pitch]
        for name in (job.lowest_layer, job.highest_layer, job.strap_layer):
            if name not in metals:
                raise ProblemError(f"The layer {name} is no routing layer of the technology LEF.")
        first = metals.index(job.lowest_layer)
        top = min(metals.index(job.highest_layer), metals.index(job.strap_layer))
        pitch = {n: max(lef.layers[n].pitch or (0, 0)) for n in metals}
        finest = min(pitch[n] for n in metals[first : first + 2])
        last = max(k for k in range(first, top + 1) if pitch[metals[k]] <= THICKEST * finest)
        technology = cls(lef, lef.sites[job.site], metals[first], metals[last])
        if job.tracks:
            technology.use_tracks(Path(job.tracks).read_text().splitlines())
        return technology

    def use_tracks(self, lines: Iterable[str]) -> None:
        """Take the grid offsets from a `tracks.info` file: layer, X or Y, offset, pitch (microns)."""
        offsets = {}
        for line in lines:
            words = line.split()
            if len(words) == 4:
                offsets[words[0], words[1]] = nanometres(words[2])
        for layer in self.layers[:2]:
            if layer.vertical and (layer.name, "X") in offsets:
                self.offset_x = offsets[layer.name, "X"] % self.pitch_x
            elif not layer.vertical and (layer.name, "Y") in offsets:
                self.offset_y = offsets[layer.name, "Y"] % self.pitch_y

    def index(self, name: str) -> int:
        """Position of a routing layer by name; ProblemError when the router does not use it."""
        for k, layer in enumerate(self.layers):
            if layer.name == name:
                return k
        used = ", ".join(layer.name for layer in self.layers)
        raise ProblemError(f"I/O pins cannot be on {name}: Express routes on {used}. Change IO_PIN_[HV]_LAYER.")

    def _cut(self, lower: str, upper: str, lower_vertical: bool | None, upper_vertical: bool) -> Cut:
        """Via pads from the cut's ENCLOSURE, the long side along the wire (both ways on the pin layer)."""
        name = self.stack[self.stack.index(lower) + 1]
        layer, rule, size = self.lef.layers[name], self.lef.cut_rule(name), self.lef.cut_size(name)
        overhang: dict[str, tuple[int, int]] = {}
        for enclosure in layer.enclosures:
            for side in ("BELOW", "ABOVE") if enclosure.side == "BOTH" else (enclosure.side,):
                overhang.setdefault(side, (enclosure.first, enclosure.second))
        for side, metal in (("BELOW", lower), ("ABOVE", upper)):
            if side not in overhang:
                values = rule[metal].enclosure if rule and metal in rule else None
                if values is None:
                    raise ProblemError(f"The technology LEF gives no enclosure of {name} by {metal}.")
                overhang[side] = values

        def pad(side: str, vertical: bool) -> Half:
            short, long = (up_to_grid(size / 2 + v) for v in (min(overhang[side]), max(overhang[side])))
            return (short, long) if vertical else (long, short)

        ways = (True, False) if lower_vertical is None else (lower_vertical,)
        lower_pads = tuple(sorted({pad("BELOW", vertical) for vertical in ways}))
        return Cut(name, size, layer.spacing, lower_pads, (pad("ABOVE", upper_vertical),))

    def _routing_layer(self, k: int, layer: Layer) -> RoutingLayer:
        vertical = layer.direction == "VERTICAL"
        width, spacing, area = layer.width, layer.spacing_for(0, long=False), layer.area
        along, across = (self.pitch_y, self.pitch_x) if vertical else (self.pitch_x, self.pitch_y)
        cuts = self.cuts[k : k + 2]
        pads = [*cuts[0].upper, *(cuts[1].lower if len(cuts) > 1 else ())]
        half_x, half_y = max(p[0] for p in pads), max(p[1] for p in pads)
        pad_along, pad_across = (half_y, half_x) if vertical else (half_x, half_y)
        pad_across = max(pad_across, width // 2)
        every = next(n for n in range(1, 50) if n * across - width // 2 - pad_across >= spacing)
        extension = max(width // 2, pad_along)
        grown = up_to_grid((area / width - along) / 2)
        if extension < grown and 2 * along - 2 * grown >= spacing:
            extension = grown  # a slightly longer wire end saves a step
        steps = next(n for n in range(1, 100) if (n * along + 2 * extension) * width >= area)
        steps_at_via = 0 if 4 * pad_along * pad_across >= area else steps
        free = next(n for n in range(1, 50) if n * along - 2 * extension >= spacing)
        wire = (width // 2, extension) if vertical else (extension, width // 2)
        pad = (pad_across, pad_along) if vertical else (pad_along, pad_across)

        def too_near(a: Half, b: Half, at: Offset) -> bool:
            x, y = at[0] * self.pitch_x, at[1] * self.pitch_y
            return at == (0, 0) or distance(centered(0, 0, *a), centered(x, y, *b)) < spacing

        def cuts_too_near(at: Offset) -> bool:
            x, y = at[0] * self.pitch_x, at[1] * self.pitch_y
            return any(math.hypot(max(abs(x) - c.size, 0), max(abs(y) - c.size, 0)) < c.spacing for c in cuts)

        steps_around = range(-REACH, REACH + 1)
        around = [(i, j) for i in steps_around for j in steps_around if (i if vertical else j) % every == 0]
        wire_wire = {at for at in around if too_near(wire, wire, at)}
        wire_via = wire_wire | {at for at in around if too_near(wire, pad, at)}
        via_via = wire_via | {at for at in around if too_near(pad, pad, at) or cuts_too_near(at)}
        return RoutingLayer(
            name=layer.name,
            vertical=vertical,
            width=width,
            spacing=spacing,
            area=area,
            extension=extension,
            pad=pad,
            every=every,
            least_steps=steps,
            least_steps_at_via=steps_at_via,
            shift_along=max(0, min(along // 2, (free * along - 2 * extension - spacing) // 2)),
            shift_across=max(0, across * every - pad_across - width // 2 - spacing),
            wire_wire=tuple(sorted(wire_wire)),
            wire_via=tuple(sorted(wire_via)),
            via_via=tuple(sorted(via_via)),
        )
