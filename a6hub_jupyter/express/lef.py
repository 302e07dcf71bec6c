"""A LEF reader: layers with their rules, via rules, sites and cells, in whole nanometres.

klayout reads LEF geometry but drops DIRECTION, USE, SITE and all layer rules, hence this one.
Source of the syntax: LEF/DEF 5.8 Language Reference.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

MACRO_BLOCK = re.compile(r"^\s*MACRO\s+(?P<name>\S+)\s.*?^\s*END\s+(?P=name)\s*$", re.MULTILINE | re.DOTALL)
LEF58_RULE = re.compile(r'PROPERTY\s+LEF58_(?:EOLENCLOSURE|SPACING)\s+"([^"]*)"\s*;')
"""Rules of LEF 5.8 in properties are read like statements."""
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def nanometres(text: str) -> int:
    """A LEF length (microns) in nm."""
    return round(float(text) * 1000)


def _lengths(words: Iterable[str]) -> list[int]:
    return [nanometres(word) for word in words if NUMBER.fullmatch(word)]


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


@dataclass
class Pin:
    """A pin of a cell."""

    direction: str = "INPUT"
    use: str = "SIGNAL"
    shapes: list[Shape] = field(default_factory=list)
    gate_area: float = 0.0
    """Of the transistors that it drives, um2."""
    diffusion_area: float = 0.0
    """Of the junctions that drain its charge, um2."""

    @property
    def is_signal(self) -> bool:
        """Whether it carries a signal, as against power, ground or a well."""
        return self.use in ("SIGNAL", "CLOCK", "ANALOG", "RESET", "SCAN")

    @cached_property
    def middle(self) -> tuple[int, int] | None:
        """Centre of the largest rectangle, nm from the cell's lower left; None without shapes."""
        if not self.shapes:
            return None
        return max(self.shapes, key=lambda s: (s.box.width * s.box.height, s.box)).box.center


@dataclass
class Macro:
    """A cell: extent in nm, pins, obstructions."""

    name: str
    width: int = 0
    height: int = 0
    kind: str = "CORE"
    pins: dict[str, Pin] = field(default_factory=dict)
    obstructions: list[Shape] = field(default_factory=list)

    @property
    def is_physical_only(self) -> bool:
        """Taps, fillers and decoupling cells: no signal goes in or out."""
        return not any(pin.is_signal for pin in self.pins.values())

    @property
    def is_block(self) -> bool:
        """Whether it is a hard macro, not a standard cell."""
        return self.kind.split()[0] == "BLOCK"

    def pin(self, direction: str) -> str:
        """The first signal pin with this direction."""
        for name, pin in self.pins.items():
            if pin.is_signal and pin.direction == direction:
                return name
        raise ProblemError(f"The cell {self.name} has no {direction.lower()} pin in its LEF: choose another.")


def slabs(points: list[tuple[int, int]]) -> list[Box]:
    """A rectilinear polygon cut into horizontal slabs."""
    closed = list(zip(points, points[1:] + points[:1], strict=True))
    ys = sorted({y for _, y in points})
    boxes = []
    for y1, y2 in pairwise(ys):
        middle = (y1 + y2) / 2
        xs = sorted(a[0] for a, b in closed if a[0] == b[0] and min(a[1], b[1]) < middle < max(a[1], b[1]))
        boxes += [Box(xa, y1, xb, y2) for xa, xb in zip(xs[::2], xs[1::2], strict=True)]
    return boxes


class Macros(Mapping[str, Macro]):
    """Cells by name, each parsed when it is first asked for: a design uses few of a library's cells."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._parsed: dict[str, Macro] = {}

    def add(self, text: str) -> str:
        """Take in all MACRO blocks of a LEF text; returns the text without them."""
        rest, at = [], 0
        for match in MACRO_BLOCK.finditer(text):
            self._texts[match["name"]] = match[0]
            self._parsed.pop(match["name"], None)
            rest.append(text[at : match.start()])
            at = match.end()
        return "".join([*rest, text[at:]])

    def __getitem__(self, name: str) -> Macro:
        if name not in self._parsed:
            try:
                self._parsed[name] = MacroParser(self._texts[name]).macro()
            except (IndexError, ValueError) as error:
                raise ProblemError(f"The cell {name} is malformed in its LEF file ({error}).") from error
        return self._parsed[name]

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def bits(self, cell: str, pin: str) -> list[str]:
        """The bits of a bus of a hard macro, `bus[3]` down to `bus[0]`; empty when the pin is no bus.

        LEF says nothing of the order in which the module declares them: falling, as is the custom, is taken.
        """
        if cell not in self or pin in self[cell].pins:
            return []
        bit = re.compile(rf"{re.escape(pin)}\[(\d+)\]")
        indices = [int(match[1]) for name in self[cell].pins if (match := bit.fullmatch(name))]
        return [f"{pin}[{index}]" for index in sorted(indices, reverse=True)]


class Words:
    """The words of a LEF text, and where reading stands."""

    def __init__(self, text: str) -> None:
        text = LEF58_RULE.sub(r" \1 ", re.sub(r"#.*", "", text))
        text = re.sub(r'"[^"]*"', '""', text)
        self._words = text.replace(";", " ; ").split()
        self._at = 0

    def _statement(self) -> list[str]:
        end = self._words.index(";", self._at)
        words, self._at = self._words[self._at : end], end + 1
        return words

    def _statements(self, *, named: bool = True) -> Iterator[list[str]]:
        """Statements of a flat block up to its END, which has a name except for PORT and OBS."""
        while self._words[self._at] != "END":
            words = self._statement()
            if words:
                yield words
        self._at += 2 if named else 1


class MacroParser(Words):
    """Reads one MACRO block."""

    def macro(self) -> Macro:
        """The cell."""
        macro = Macro(self._words[1])
        self._at = 2
        while True:
            keyword = self._words[self._at]
            if keyword == "END":
                self._at += 2
                return macro
            if keyword == "PIN":
                self._pin(macro)
            elif keyword == "OBS":
                self._at += 1
                self._shapes(macro.obstructions)
            elif keyword == "DENSITY":
                self._at = self._words.index("END", self._at) + 1
            else:
                words = self._statement()
                if words[0] == "SIZE":
                    macro.width, macro.height = nanometres(words[1]), nanometres(words[3])
                elif words[0] == "CLASS":
                    macro.kind = " ".join(words[1:])

    def _pin(self, macro: Macro) -> None:
        pin = macro.pins[self._words[self._at + 1]] = Pin()
        self._at += 2
        while True:
            keyword = self._words[self._at]
            if keyword == "END":
                self._at += 2
                return
            if keyword == "PORT":
                self._at += 1
                self._shapes(pin.shapes)
            else:
                words = self._statement()
                if words[0] == "DIRECTION":
                    pin.direction = words[1]
                elif words[0] == "USE":
                    pin.use = words[1]
                elif words[0] == "ANTENNAGATEAREA":
                    pin.gate_area = max(pin.gate_area, float(words[1]))
                elif words[0] == "ANTENNADIFFAREA":
                    pin.diffusion_area = max(pin.diffusion_area, float(words[1]))

    def _shapes(self, found: list[Shape]) -> None:
        layer = ""
        for words in self._statements(named=False):
            if words[0] == "LAYER":
                layer = words[1]
            elif words[0] == "RECT":
                found.append(Shape(layer, Box(*_lengths(words[-4:]))))
            elif words[0] == "POLYGON":
                values = _lengths(words[1:])
                found += [Shape(layer, b) for b in slabs(list(zip(values[::2], values[1::2], strict=True)))]


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
            keyword, values = words[0], _lengths(words[1:])
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
                    least, *spacings = _lengths(row.split())
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
            values = _lengths(words[1:])
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
