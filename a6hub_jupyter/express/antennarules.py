"""Antenna rules of a LEF layer: how much metal may charge a gate before the layers above connect it.

Source: LEF/DEF 5.8 Language Reference, appendix C, "Calculating and Fixing Process Antenna Violations".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from a6hub_jupyter.express.lef import Layer
    from a6hub_jupyter.express.lefcells import Pin

RATIO = re.compile(r"ANTENNA(CUM)?(DIFF)?(SIDE)?AREARATIO")
NOT_READ = ("ANTENNACUMROUTINGPLUSCUT", "ANTENNAAREAMINUSDIFF", "ANTENNAAREADIFFREDUCEPWL")

JUNCTIONS = {"sky130_fd_sc_hd__diode_2": 0.4347}
"""Area (um2) of the junction of a diode cell whose LEF does not give it: SkyWater's own LEF of this one has none (that
of open_pdks has). It is the diffusion, layer 65/20, of the cell's layout."""

Points = list[tuple[float, float]]
"""(diffusion area in um2, ratio), rising."""


def junction_area(cell: str, pin: Pin) -> float:
    """The diffusion on a signal pin of a cell, um2."""
    return pin.diffusion_area or (JUNCTIONS.get(cell, 0.0) if pin.use == "SIGNAL" else 0.0)


@dataclass
class Limit:
    """The greatest ratio: without diffusion, and by the area of diffusion that the metal is connected to."""

    plain: float | None = None
    with_diffusion: Points = field(default_factory=list)

    def allowed(self, diffusion: float) -> float | None:
        """The limit for metal connected to `diffusion` um2; None where there is none."""
        points = self.with_diffusion
        if not points or (diffusion <= 0 and self.plain is not None):
            return self.plain
        if diffusion <= points[0][0]:
            return points[0][1]
        for (x1, y1), (x2, y2) in pairwise(points):
            if diffusion <= x2:
                return y1 + (y2 - y1) * (diffusion - x1) / (x2 - x1)
        return points[-1][1]

    def least(self) -> float:
        """The least that is allowed, whatever the diffusion; infinite where there is no limit."""
        ratios = [ratio for _, ratio in self.with_diffusion]
        return min([*ratios, *([] if self.plain is None else [self.plain])], default=math.inf)

    def wanted(self, ratio: float) -> float:
        """The least area of diffusion, um2, that makes a ratio allowed; 0 where none is known to."""
        points = self.with_diffusion
        for (x1, y1), (x2, y2) in pairwise(points):
            if y1 < ratio <= y2:
                return x1 + (x2 - x1) * (ratio - y1) / (y2 - y1)
        return points[-1][0] if points and ratio > points[-1][1] else 0.0


@dataclass
class AntennaRules:
    """Of one metal or cut layer. Side areas are perimeter times thickness."""

    area: Limit = field(default_factory=Limit)
    side_area: Limit = field(default_factory=Limit)
    cumulative_area: Limit = field(default_factory=Limit)
    cumulative_side_area: Limit = field(default_factory=Limit)
    area_factor: float = 1.0
    side_area_factor: float = 1.0
    diffusion_as_gate: float = 0.0
    """How much each um2 of diffusion counts as gate (ANTENNAGATEPLUSDIFF)."""
    thickness: float = 0.0
    """In um."""
    not_read: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, layer: Layer) -> AntennaRules:
        """The antenna rules among a layer's statements."""
        found = cls()
        for words in layer.statements:
            keyword = words[0]
            match = RATIO.fullmatch(keyword)
            if match:
                limit = found._limit(cumulative=bool(match[1]), side=bool(match[3]))
                values = [float(w) for w in words[1:] if w not in ("PWL", "(", ")")]
                if not match[2]:
                    limit.plain = values[0]
                elif words[1] == "PWL":
                    limit.with_diffusion = list(zip(values[::2], values[1::2], strict=True))
                else:
                    limit.with_diffusion = [(0.0, values[0])]
            elif keyword == "THICKNESS":
                found.thickness = float(words[1])
            elif keyword == "ANTENNAGATEPLUSDIFF":
                found.diffusion_as_gate = float(words[1])
            elif keyword == "ANTENNAAREAFACTOR":
                found.area_factor = float(words[1])
            elif keyword == "ANTENNASIDEAREAFACTOR":
                found.side_area_factor = float(words[1])
            elif keyword in NOT_READ:
                found.not_read.append(" ".join(words))
        return found

    def _limit(self, *, cumulative: bool, side: bool) -> Limit:
        if cumulative:
            return self.cumulative_side_area if side else self.cumulative_area
        return self.side_area if side else self.area
