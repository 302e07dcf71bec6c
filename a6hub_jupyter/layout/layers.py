"""Names, colours, order and visibility of layers: from KLayout's `.lyp` files, or a palette of our own."""

from __future__ import annotations

import colorsys
import re
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from a6hub_jupyter.layout.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# The largest of the open PDKs' files is 0.24 MB; an .lyp of this size is none.
LYP_LIMIT = 8 << 20

_SOURCE = re.compile(r"(?P<name>.*?)\s*\b(?P<layer>\d+)/(?P<datatype>\d+)(?:@\d+)?\s*$")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_STIPPLE_ROW = re.compile(r"[*.]{1,32}")
# Golden ratio: successive layer numbers land far apart on the colour circle, however many there are.
_GOLDEN = 0.618033988749895


@dataclass(frozen=True)
class Layer:
    """One layer as it is listed and drawn; colours are `#rrggbb`.

    `stipple` is what the filling looks like: rows, the uppermost first, of `*` (inked) and `.`; None leaves the
    choice to the viewer.
    """

    layer: int
    datatype: int
    name: str
    fill: str
    frame: str
    visible: bool
    stipple: tuple[str, ...] | None = None

    def json(self) -> dict[str, object]:
        """Return the layer in the form that goes to the browser."""
        return asdict(self)


def palette(layer: int, datatype: int) -> Layer:
    """Return a layer in a colour of our own: the hue from the layer, the tone from the datatype."""
    hue = (layer * _GOLDEN + datatype * 0.031) % 1.0
    lightness = (0.62, 0.52, 0.72, 0.44)[datatype % 4]
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, 0.75))
    colour = f"#{red:02x}{green:02x}{blue:02x}"
    return Layer(layer, datatype, f"{layer}/{datatype}", colour, colour, True)


def read_lyp(path: Path) -> list[Layer]:
    """Return the layers of a KLayout layer properties file in its order, which is bottom first.

    Of several entries for one (layer, datatype) the first counts; entries that name no single layer (groups,
    `*/*`) are left out. Raises LayoutError when the file is missing, too large or no layer properties file.
    """
    try:
        size = path.stat().st_size
        text = path.read_bytes() if size <= LYP_LIMIT else b""
    except OSError as error:
        raise LayoutError(f"{path.name} cannot be read ({error.strerror}).") from error
    if size > LYP_LIMIT:
        raise LayoutError(f"{path.name} is {size >> 20} MB, too large for a layer properties file.")
    # A .lyp has no document type; entities, the way to make XML explode, live only there.
    if b"<!DOCTYPE" in text:
        raise LayoutError(f"{path.name} is no KLayout layer properties file (it has a document type).")
    try:
        root = ET.fromstring(text)  # noqa: S314 - bounded, and without a document type
    except ET.ParseError as error:
        raise LayoutError(f"{path.name} is no KLayout layer properties file ({error}).") from error
    stipples = _stipples(root)
    found: dict[tuple[int, int], Layer] = {}
    for layer in _entries(root, "properties", True, stipples):
        found.setdefault((layer.layer, layer.datatype), layer)
    return list(found.values())


def _stipples(root: ET.Element) -> dict[str, tuple[str, ...]]:
    """Return the stipples that can be told by name; of KLayout's own (I…) only solid and hollow."""
    stipples: dict[str, tuple[str, ...]] = {"I0": ("*",), "I1": (".",)}
    for index, custom in enumerate(root.findall("custom-dither-pattern")):
        rows = tuple(_text(line, ".") for line in custom.findall("pattern/line"))
        if 0 < len(rows) <= 32 and all(_STIPPLE_ROW.fullmatch(row) for row in rows):
            stipples[f"C{index}"] = rows
    return stipples


def _entries(parent: ET.Element, tag: str, shown: bool, stipples: dict[str, tuple[str, ...]]) -> Iterator[Layer]:
    for entry in parent.iter(tag) if tag == "properties" else parent.findall(tag):
        visible = shown and _text(entry, "visible") != "false"
        source = _SOURCE.fullmatch(_text(entry, "source"))
        if source and entry.find("group-members") is None:
            key = int(source["layer"]), int(source["datatype"])
            ours = palette(*key)
            fill = _colour(_text(entry, "fill-color"), ours.fill)
            frame = _colour(_text(entry, "frame-color"), fill)
            # Where an entry has no name, as in gf180mcu's file, the source may start with one.
            name = _name(_text(entry, "name") or source["name"], *key)
            yield Layer(*key, name, fill, frame, visible, stipples.get(_text(entry, "dither-pattern")))
        yield from _entries(entry, "group-members", visible, stipples)


def _text(entry: ET.Element, tag: str) -> str:
    return (entry.findtext(tag) or "").strip()


def _colour(text: str, otherwise: str) -> str:
    return text.lower() if _COLOUR.fullmatch(text) else otherwise


def _name(text: str, layer: int, datatype: int) -> str:
    """Return the name without the ` - 64/44` that PDKs append; the numbers are fields of their own."""
    numbers = f"{layer}/{datatype}"
    return re.sub(rf"\s*[-:]?\s*\(?{numbers}(@\d+)?\)?$", "", text).strip() or numbers


def describe(present: Iterable[tuple[int, int]], known: Iterable[Layer]) -> list[Layer]:
    """Return the present (layer, datatype) pairs as layers, bottom first.

    Known ones come in their known order, with names and colours; the rest follow by number, in our palette.
    """
    left = set(present)
    described = []
    for layer in known:
        key = layer.layer, layer.datatype
        if key in left:
            left.discard(key)
            described.append(layer)
    return described + [palette(*key) for key in sorted(left)]
