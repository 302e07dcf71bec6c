"""Rules of a LEF layer that routing keeps by its grid, and only the checks ask for in full.

Source: LEF/DEF 5.8 Language Reference, "Layer (Routing)" and "Layer (Cut)". Lengths in nm, areas in nm2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from a6hub_jupyter.express.lefwords import NUMBER, nanometres

if TYPE_CHECKING:
    from a6hub_jupyter.express.lef import Layer

RULES = ("SPACING", "SPACINGTABLE", "MINENCLOSEDAREA", "MAXWIDTH", "MINIMUMCUT", "ARRAYSPACING", "EOLENCLOSURE")
NEVER_READ = ("MINIMUMDENSITY", "MAXIMUMDENSITY", "MINSTEP", "MINSIZE", "DIAGSPACING", "PROTRUSIONWIDTH", "INFLUENCE")


@dataclass(frozen=True)
class WideSpacing:
    """Shapes wider than `width` that run beside others for more than `run` keep `spacing`."""

    width: int
    run: int
    spacing: int


@dataclass(frozen=True)
class EndSpacing:
    """A line end narrower than `width` keeps `spacing`, looking `within` to both sides."""

    spacing: int
    width: int
    within: int


@dataclass(frozen=True)
class CrowdSpacing:
    """A cut with `count` others closer than `within` keeps `spacing` to all."""

    spacing: int
    count: int
    within: int


@dataclass(frozen=True)
class ArraySpacing:
    """Cuts in arrays of at least `count` x `count` keep `spacing`."""

    spacing: int
    count: int


@dataclass(frozen=True)
class CutCount:
    """Metal wider than `width` is connected by at least `count` cuts; `side` BELOW, ABOVE or BOTH of the metal."""

    count: int
    width: int
    side: str


@dataclass(frozen=True)
class EndEnclosure:
    """A line end narrower than `width` reaches `enclosure` past its cuts."""

    width: int
    enclosure: int


@dataclass
class LayerRules:
    """What a layer's statements say beyond width, spacing, area and enclosure."""

    wide: list[WideSpacing] = field(default_factory=list)
    ends: list[EndSpacing] = field(default_factory=list)
    crowds: list[CrowdSpacing] = field(default_factory=list)
    arrays: list[ArraySpacing] = field(default_factory=list)
    cut_counts: list[CutCount] = field(default_factory=list)
    end_enclosures: list[EndEnclosure] = field(default_factory=list)
    hole_area: int = 0
    most_width: int = 0
    not_read: list[str] = field(default_factory=list)
    """Rules that are not understood, and so not checked, as the LEF writes them."""

    @classmethod
    def of(cls, layer: Layer) -> LayerRules:
        """The rules of a layer."""
        found = cls()
        for words in layer.statements:
            if words[0] in NEVER_READ or (words[0] in RULES and not found._take(words, layer.spacing)):
                found.not_read.append(" ".join(words))
        return found

    def _take(self, words: list[str], spacing: int) -> bool:
        """Read one statement; False when it says something that is not understood."""
        keyword, kinds = words[0], [w for w in words[1:] if not NUMBER.fullmatch(w)]
        values = [nanometres(w) for w in words[1:] if NUMBER.fullmatch(w)]
        if keyword == "SPACINGTABLE":
            return self._table(words, spacing)
        if keyword == "SPACING" and kinds == ["RANGE"]:
            self.wide.append(WideSpacing(values[1], 0, values[0]))
        elif keyword == "SPACING" and kinds == ["ENDOFLINE", "WITHIN"]:
            self.ends.append(EndSpacing(*values[:3]))
        elif keyword == "SPACING" and kinds == ["ADJACENTCUTS", "WITHIN"]:
            self.crowds.append(CrowdSpacing(values[0], int(words[3]), values[2]))
        elif keyword == "SPACING":
            return not kinds
        elif keyword == "MINENCLOSEDAREA" and not kinds:
            self.hole_area = math.ceil(float(words[1]) * 1e6 - 1e-3)
        elif keyword == "MAXWIDTH":
            self.most_width = values[0]
        elif keyword == "MINIMUMCUT" and kinds in (["WIDTH"], ["WIDTH", "FROMBELOW"], ["WIDTH", "FROMABOVE"]):
            self.cut_counts.append(CutCount(int(words[1]), values[1], kinds[1][4:] if len(kinds) > 1 else "BOTH"))
        elif keyword == "ARRAYSPACING" and kinds == ["CUTSPACING", "ARRAYCUTS", "SPACING"]:
            self.arrays.append(ArraySpacing(values[0], int(words[4])))
        elif keyword == "EOLENCLOSURE" and not kinds:
            self.end_enclosures.append(EndEnclosure(values[0], values[1]))
        else:
            return False
        return True

    def _table(self, words: list[str], spacing: int) -> bool:
        """Spacings by width and parallel run that are more than what narrower or shorter ones need."""
        if words[1] != "PARALLELRUNLENGTH" or "INFLUENCE" in words:
            return False
        head, *rows = " ".join(words[2:]).split("WIDTH")
        runs = [nanometres(word) for word in head.split()]
        below = [spacing] * len(runs)
        for row in rows:
            width, *values = [nanometres(word) for word in row.split()]
            before = spacing
            for run, value, less in zip(runs, values, below, strict=False):
                if value > max(less, before):
                    self.wide.append(WideSpacing(width, run, value))
                before = max(before, value)
            below = values
        return True
