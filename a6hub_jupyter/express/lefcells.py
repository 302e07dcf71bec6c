"""The cells of a LEF, each read when it is first asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.lefwords import Words, lengths, nanometres
from a6hub_jupyter.express.problem import ProblemError

MACRO_BLOCK = re.compile(r"^\s*MACRO\s+(?P<name>\S+)\s.*?^\s*END\s+(?P=name)\s*$", re.MULTILINE | re.DOTALL)


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
    corner: tuple[int, int] = (0, 0)
    """The lower left corner in the coordinates of the cell's layout, nm; pins and obstructions are counted from it."""

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


class MacroParser(Words):
    """Reads one MACRO block."""

    def macro(self) -> Macro:
        """The cell."""
        macro = Macro(self._words[1])
        self._at = 2
        origin, foreign = (0, 0), None
        while True:
            keyword = self._words[self._at]
            if keyword == "END":
                self._at += 2
                macro.corner = foreign or (-origin[0], -origin[1])
                return macro if origin == (0, 0) else _moved(macro, *origin)
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
                elif words[0] in ("ORIGIN", "FOREIGN"):
                    point = lengths(words[1:] if words[0] == "ORIGIN" else words[2:])
                    if words[0] == "ORIGIN":
                        origin = point[0], point[1]
                    elif point:
                        foreign = point[0], point[1]

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
                found.append(Shape(layer, Box(*lengths(words[-4:]))))
            elif words[0] == "POLYGON":
                values = lengths(words[1:])
                found += [Shape(layer, b) for b in slabs(list(zip(values[::2], values[1::2], strict=True)))]


def _moved(macro: Macro, x: int, y: int) -> Macro:
    """A cell whose shapes are counted from another point than its lower left corner."""
    for shapes in (macro.obstructions, *(pin.shapes for pin in macro.pins.values())):
        shapes[:] = [Shape(layer, box.moved(x, y)) for layer, box in shapes]
    return macro
