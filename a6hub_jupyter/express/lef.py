"""A LEF reader: layers with their rules, via rules and sites, in whole nanometres; the cells are in `lefcells.py`.

klayout reads LEF geometry but drops DIRECTION, USE, SITE and all layer rules, hence this one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from a6hub_jupyter.express.geometry import Box
from a6hub_jupyter.express.lefcells import Macros
from a6hub_jupyter.express.lefwords import Words, lengths, nanometres
from a6hub_jupyter.express.problem import ProblemError


@dataclass
class Enclosure:
    """Metal around a cut: `side` is ABOVE, BELOW or BOTH; overhangs in nm."""

    side: str
    first: int
    second: int


@dataclass
class Layer:
    """A routing or cut layer and its rules; lengths in nm, `area` in nm2."""

    name: str
    kind: str = ""
    direction: str = ""
    pitch: tuple[int, int] | None = None
    offset: tuple[int, int] = (0, 0)
    width: int = 0
    spacing: int = 0
    area: int = 0
    spacing_table: list[tuple[int, list[int]]] = field(default_factory=list)
    enclosures: list[Enclosure] = field(default_factory=list)
    statements: list[list[str]] = field(default_factory=list)
    """All statements as words, for rules that only checks ask for."""
    resistance: float | None = None
    """Ohm per square of a metal, ohm of a cut; None when the LEF does not say."""
    capacitance: float | None = None
    """To ground, pF per um2."""
    edge_capacitance: float = 0.0
    """Of each edge, pF per um."""

    def spacing_for(self, width: int, *, long: bool) -> int:
        """Spacing in nm where the wider shape is `width` nm wide; `long`: they run in parallel far."""
        needed = self.spacing
        for least, values in self.spacing_table:
            if width > least or least == 0:
                needed = max(needed, values[-1] if long else values[0])
        return needed


@dataclass
class ViaRuleLayer:
    """What a VIARULE GENERATE says of one of its layers; nm."""

    enclosure: tuple[int, int] | None = None
    box: Box | None = None
    spacing: tuple[int, int] | None = None


class Lef(Words):
    """All of a technology LEF and its cell LEFs.

    Raises ProblemError when a file cannot be read or ends within a block.
    """

    def __init__(self, *paths: str | Path) -> None:
        self.layers: dict[str, Layer] = {}
        self.via_rules: dict[str, dict[str, ViaRuleLayer]] = {}
        self.sites: dict[str, tuple[int, int]] = {}
        self.macros = Macros()
        self.manufacturing_grid = 0
        for path in paths:
            try:
                self.parse(Path(path).read_text(errors="replace"))
            except OSError as error:  # noqa: PERF203  the message names the file
                raise ProblemError(f"The LEF file {path} cannot be read: {error.strerror}.") from error
            except (IndexError, ValueError) as error:
                raise ProblemError(f"The LEF file {path} is cut short or malformed ({error}).") from error

    def parse(self, text: str) -> None:
        """Add the content of one LEF file."""
        super().__init__(self.macros.add(text))
        while self._at < len(self._words):
            self._top_level()

    def _top_level(self) -> None:
        keyword = self._words[self._at].upper()
        blocks = {"LAYER": self._layer, "VIARULE": self._via_rule, "SITE": self._site}
        if keyword == "END":
            self._at += 2
        elif keyword == "MACRO":
            raise ValueError("a MACRO without its END")
        elif keyword in ("UNITS", "PROPERTYDEFINITIONS"):
            self._at += 1
            for _ in self._statements():
                pass
        elif keyword in blocks or keyword == "VIA":
            name = self._words[self._at + 1]
            self._at += 2
            while keyword != "LAYER" and self._words[self._at] in ("DEFAULT", "GENERATE"):
                self._at += 1
            if keyword == "VIA":
                for _ in self._statements():
                    pass
            else:
                blocks[keyword](name)
        else:
            words = self._statement()
            if words and words[0].upper() == "MANUFACTURINGGRID":
                self.manufacturing_grid = nanometres(words[1])

    def _site(self, name: str) -> None:
        for words in self._statements():
            if words[0] == "SIZE":
                self.sites[name] = (nanometres(words[1]), nanometres(words[3]))

    def _layer(self, name: str) -> None:
        layer = self.layers[name] = Layer(name)
        for words in self._statements():
            keyword, values = words[0], lengths(words[1:])
            layer.statements.append(words)
            if keyword == "TYPE":
                layer.kind = words[1]
            elif keyword == "DIRECTION":
                layer.direction = words[1]
            elif keyword == "PITCH":
                layer.pitch = (values[0], values[-1])
            elif keyword == "OFFSET":
                layer.offset = (values[0], values[-1])
            elif keyword == "WIDTH":
                layer.width = values[0]
            elif keyword == "AREA":
                layer.area = math.ceil(float(words[1]) * 1e6 - 1e-3)
            elif keyword == "SPACING" and len(words) == 2:
                layer.spacing = values[0]
            elif keyword == "SPACINGTABLE" and words[1] == "PARALLELRUNLENGTH":
                for row in " ".join(words).split("WIDTH")[1:]:
                    least, *spacings = lengths(row.split())
                    layer.spacing_table.append((least, spacings))
                layer.spacing = layer.spacing_table[0][1][0]
            elif keyword == "RESISTANCE":
                layer.resistance = float(words[-1])
            elif keyword == "CAPACITANCE":
                layer.capacitance = float(words[-1])
            elif keyword == "EDGECAPACITANCE":
                layer.edge_capacitance = float(words[-1])
            elif keyword == "ENCLOSURE":
                side = words[1] if words[1] in ("ABOVE", "BELOW") else "BOTH"
                layer.enclosures.append(Enclosure(side, values[0], values[1]))

    def _via_rule(self, name: str) -> None:
        rule = self.via_rules.setdefault(name, {})
        layer = ViaRuleLayer()
        for words in self._statements():
            values = lengths(words[1:])
            if words[0] == "LAYER":
                layer = rule.setdefault(words[1], ViaRuleLayer())
            elif words[0] == "ENCLOSURE":
                layer.enclosure = (values[0], values[1])
            elif words[0] == "RECT":
                layer.box = Box(*values)
            elif words[0] == "SPACING":
                layer.spacing = (values[0], values[1])

    def cut_size(self, cut: str) -> int:
        """Side of the square cut on this layer, nm. Raises ProblemError when the LEF does not say."""
        if self.layers[cut].width:
            return self.layers[cut].width
        rule = self.cut_rule(cut)
        if rule is None:
            raise ProblemError(f"The technology LEF gives no size for cuts on {cut} (no WIDTH, no VIARULE).")
        box = rule[cut].box
        return box.width if box else 0

    def cut_rule(self, cut: str) -> dict[str, ViaRuleLayer] | None:
        """The first VIARULE that generates this cut."""
        return next((r for r in self.via_rules.values() if cut in r and r[cut].box is not None), None)
