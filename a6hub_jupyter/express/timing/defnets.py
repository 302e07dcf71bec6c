"""The routed nets of a DEF file: wires and vias of each, in nm.

Source of the syntax: LEF/DEF 5.8 Language Reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS = re.compile(r"UNITS\s+DISTANCE\s+MICRONS\s+(\d+)")
VIA = re.compile(r"^\s*-\s+(\S+)(.*?);", re.MULTILINE | re.DOTALL)
VIA_LAYERS = re.compile(r"\+\s+(?:RECT|POLYGON)\s+(\S+)|\+\s+LAYERS\s+(\S+)\s+(\S+)\s+(\S+)")
STATUS = {"ROUTED", "FIXED", "COVER", "NEW"}
SKIPPED_WITH_WORD = {"TAPERRULE", "STYLE", "MASK"}


@dataclass
class NetWires:
    """Wires as (layer, x1, y1, x2, y2) and vias as (name, layer it was reached on, x, y); nm."""

    wires: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    vias: list[tuple[str, str, int, int]] = field(default_factory=list)


@dataclass
class RoutedNets:
    """All nets of a DEF by name, and the layers of each of its vias."""

    nets: dict[str, NetWires]
    via_layers: dict[str, list[str]]


def _section(text: str, name: str) -> str:
    begin = re.search(rf"^{name}\s+\d+\s*;", text, re.MULTILINE)
    if begin is None:
        return ""
    end = text.find(f"END {name}", begin.end())
    return text[begin.end() : end if end >= 0 else len(text)]


def read(text: str) -> RoutedNets:
    """Read the NETS and VIAS of a DEF."""
    match = UNITS.search(text)
    scale = 1000 / int(match[1]) if match else 1.0
    vias = {}
    for name, body in VIA.findall(_section(text, "VIAS")):
        layers: dict[str, None] = {}
        for one, *several in VIA_LAYERS.findall(body):
            layers.update(dict.fromkeys(layer for layer in (one, *several) if layer))
        vias[name] = list(layers)
    nets = dict(_nets(_section(text, "NETS").split(), scale))
    return RoutedNets(nets, vias)


def _nets(words: list[str], scale: float) -> Iterator[tuple[str, NetWires]]:
    at = 0
    while at < len(words):
        if words[at] != "-":
            at += 1
            continue
        name = words[at + 1].replace("\\", "")
        end = words.index(";", at)
        yield name, _wiring(words[at + 2 : end], scale)
        at = end + 1


def _wiring(words: list[str], scale: float) -> NetWires:
    """The wiring of one net; connections before the first ROUTED are passed over."""
    found, at = NetWires(), 0
    layer, here = "", None
    inside = False
    while at < len(words):
        word = words[at]
        if word == "+":
            inside = words[at + 1] in STATUS if at + 1 < len(words) else False
            at += 1
        elif not inside:
            at += 1
        elif word in STATUS:
            layer, here = words[at + 1], None
            at += 2
        elif word == "(":
            end = words.index(")", at)
            x, y = words[at + 1 : at + 3]
            there = (
                here[0] if x == "*" and here else round(int(x) * scale),
                here[1] if y == "*" and here else round(int(y) * scale),
            )
            if here is not None and there != here:
                found.wires.append((layer, *here, *there))
            here = there
            at = end + 1
        elif word == "RECT":
            at = words.index(")", at) + 1
        elif word == "VIRTUAL":
            here = None
            at += 1
        elif word in SKIPPED_WITH_WORD:
            at += 2
        elif word == "TAPER" or word in ("N", "S", "E", "W", "FN", "FS", "FE", "FW"):
            at += 1
        else:
            if here is not None:
                found.vias.append((word, layer, *here))
            at += 1
    return found
