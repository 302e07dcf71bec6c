"""What klayout leaves out when it reads DEF: which pins a net joins, and where its vias are.

Source of the syntax: LEF/DEF 5.8 Language Reference, sections NETS and SPECIALNETS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SECTION = re.compile(r"\s*(SPECIALNETS|NETS)\s+\d+\s*;")
_UNITS = re.compile(r"\s*UNITS\s+DISTANCE\s+MICRONS\s+(\d+)")
_ORIENTATIONS = frozenset({"N", "S", "W", "E", "FN", "FS", "FW", "FE"})
# Words that begin a wiring statement, each with a routing layer after it.
_BEGIN = frozenset({"ROUTED", "FIXED", "COVER", "NOSHIELD", "NEW"})
# What may come between a layer and its points, and how many words belong to it.
_OPTIONS = {"TAPER": 1, "TAPERRULE": 2, "STYLE": 2, "SHAPE": 2, "MASK": 2, "+": 1, "VIRTUAL": 1}


@dataclass
class DefNet:
    """A net: `pins` are (instance, pin), ("PIN", name) for the design's own; `vias` (name, x, y, orientation)."""

    name: str
    use: str = "SIGNAL"
    pins: list[tuple[str, str]] = field(default_factory=list)
    vias: list[tuple[str, int, int, str]] = field(default_factory=list)


def read_nets(lines: Iterable[str]) -> Iterator[DefNet | int]:
    """Yield the database units per um as soon as they are known, then each net; positions in those units."""
    words: list[str] = []
    inside = False
    for line in lines:
        if not inside:
            if (units := _UNITS.match(line)) is not None:
                yield int(units[1])
            inside = _SECTION.match(line) is not None
            continue
        found = line.split("#", maxsplit=1)[0].split()
        if found[:1] == ["END"] and not words:
            inside = False
            continue
        for word in found:
            if word != ";":
                words.append(word)
                continue
            if len(words) > 1 and words[0] == "-":
                yield _net(words)
            words = []


def _net(words: list[str]) -> DefNet:
    net = DefNet(unescape(words[1]))
    at = 2
    while at + 2 < len(words) and words[at] == "(":
        net.pins.append((unescape(words[at + 1]), unescape(words[at + 2])))
        at += words[at:].index(")") + 1 if ")" in words[at:] else 4
    while at < len(words):
        word = words[at]
        if word == "USE" and words[at - 1] == "+" and at + 1 < len(words):
            net.use = words[at + 1]
        elif word == "VIA" and words[at - 1] == "+":
            at = _placed(words, at + 1, net)
            continue
        elif word in _BEGIN:
            at = _wire(words, at + 2, net)
            continue
        at += 1
    return net


def _placed(words: list[str], at: int, net: DefNet) -> int:
    """Read `+ VIA name [orientation] ( x y ) ...`; return where it ends."""
    name, orientation = words[at] if at < len(words) else "", "N"
    at += 1
    while at < len(words) and words[at] not in {"+", "NEW"}:
        if words[at] in _ORIENTATIONS:
            orientation = words[at]
        elif words[at] == "(" and at + 2 < len(words):
            net.vias.append((name, int(float(words[at + 1])), int(float(words[at + 2])), orientation))
            at += 3
        at += 1
    return at


def _wire(words: list[str], at: int, net: DefNet) -> int:
    """Read points and vias after a layer; return where the next statement begins."""
    x = y = 0
    while at < len(words) and words[at] not in _BEGIN:
        word = words[at]
        if word == "+" and at + 1 < len(words) and words[at + 1] not in _OPTIONS:
            return at
        if word == "(":
            end = at + words[at:].index(")") if ")" in words[at:] else len(words)
            values = words[at + 1 : end]
            if len(values) >= 2:
                x = x if values[0] == "*" else int(float(values[0]))
                y = y if values[1] == "*" else int(float(values[1]))
            at = end + 1
        elif word == "RECT":
            at += words[at:].index(")") + 1 if ")" in words[at:] else 1
        elif word in _OPTIONS:
            at += _OPTIONS[word]
        elif word[0].isdigit():  # the width of a special wire
            at += 1
        else:
            at = _via(words, at, net, x, y)
    return at


def _via(words: list[str], at: int, net: DefNet, x: int, y: int) -> int:
    name, orientation, at = words[at], "N", at + 1
    if at < len(words) and words[at] in _ORIENTATIONS:
        orientation, at = words[at], at + 1
    columns = rows = 1
    dx = dy = 0
    if words[at : at + 1] == ["DO"] and len(words) >= at + 7:  # DO columns BY rows STEP dx dy
        columns, rows = int(words[at + 1]), int(words[at + 3])
        dx, dy = int(float(words[at + 5])), int(float(words[at + 6]))
        at += 7
    for row in range(min(rows, 1000)):
        net.vias += [(name, x + column * dx, y + row * dy, orientation) for column in range(min(columns, 1000))]
    return at


def unescape(name: str) -> str:
    """Return a name without DEF's backslashes, as people and netlists write it."""
    return name.replace("\\", "")
