"""Pictures of the clock tree and of what the final check found, as PNG files beside the step's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from a6hub_jupyter.express.buffering import pin_center

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.lefcells import Macro

EXTENT = 1000
"""Pixels along the longer side."""
MARGIN = 20
GROUND, CELL, DIE = "#ffffff", "#dde3ea", "#5b6770"
LEVELS = ("#c0392b", "#e67e22", "#2980b9", "#16a085", "#8e44ad")
MARKER = "#d32f2f"
LEAST_MARKER = 5


class Sheet:
    """A drawing of a die of width x height, in any unit; y upwards."""

    def __init__(self, left: float, bottom: float, width: float, height: float) -> None:
        self._left, self._bottom = left, bottom
        self._scale = EXTENT / max(width, height, 1)
        size = round(width * self._scale) + 2 * MARGIN, round(height * self._scale) + 2 * MARGIN
        self._image = Image.new("RGB", size, GROUND)
        self._height = size[1]
        self.draw = ImageDraw.Draw(self._image)
        self.box(left, bottom, left + width, bottom + height, outline=DIE)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        return (x - self._left) * self._scale + MARGIN, self._height - MARGIN - (y - self._bottom) * self._scale

    def box(self, x1: float, y1: float, x2: float, y2: float, *, fill: str | None = None, outline: str = DIE) -> None:
        """A rectangle."""
        (left, bottom), (right, top) = self.at(x1, y1), self.at(x2, y2)
        self.draw.rectangle((left, top, right, bottom), fill=fill, outline=outline)

    def save(self, path: Path) -> None:
        """Write as PNG."""
        self._image.save(path)


def clock_tree(path: Path, database: Database, macros: Mapping[str, Macro], clocks: Iterable[str]) -> None:
    """Cells in grey; from each clock's port, lines to what it drives, one colour a level of buffers."""
    sheet = Sheet(0, 0, database.width, database.height)
    places = {c.name: c for c in database.cells()}
    for component in database.everything():
        macro = macros[component.cell]
        x, y = component.x, component.y
        sheet.box(
            x, y, x + macro.width, y + macro.height, fill=CELL if component.name in places else None, outline=CELL
        )
    ports = {port.net: port.point(database.width, database.height) for port in database.ports}
    driven = {pins: net for net, ends in database.netlist.nets.items() for pins in ends}
    for clock in clocks:
        level = [(clock, ports.get(clock, (0, 0)))]
        for colour in LEVELS:
            following = []
            for net, start in level:
                for instance, pin in database.netlist.nets.get(net, ()):
                    component = places[instance]
                    macro = macros[component.cell]
                    if macro.pins[pin].direction != "INPUT":
                        continue
                    x, y = pin_center(macro, pin)
                    end = component.x + x, component.y + y
                    sheet.draw.line((*sheet.at(*start), *sheet.at(*end)), fill=colour)
                    outputs = [n for n, p in macro.pins.items() if p.is_signal and p.direction == "OUTPUT"]
                    if instance.startswith("clkbuf") and outputs:
                        following.append((driven[instance, outputs[0]], end))
            level = following
    sheet.save(path)


def violations(
    path: Path, die: tuple[float, float, float, float], boxes: Iterable[tuple[float, float, float, float]]
) -> None:
    """The die (left, bottom, right, top) and a mark at each box, never too small to see."""
    left, bottom, right, top = die
    sheet = Sheet(left, bottom, right - left, top - bottom)
    for x1, y1, x2, y2 in boxes:
        x, y = sheet.at((x1 + x2) / 2, (y1 + y2) / 2)
        sheet.box(x1, y1, x2, y2, fill=MARKER, outline=MARKER)
        sheet.draw.ellipse((x - LEAST_MARKER, y - LEAST_MARKER, x + LEAST_MARKER, y + LEAST_MARKER), outline=MARKER)
    sheet.save(path)
