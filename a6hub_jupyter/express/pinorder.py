"""Pin order files (IO_PIN_ORDER_CFG): which port is on which side of the die, in which order.

    #N  #E  #S  #W  (#NR and so on: in reverse)    the side that the lines below are about
    a_regular_expression                           ports whose whole names match, not yet placed; sorted
    $3                                             room for three ports
    @min_distance=0.8                              least distance between ports on this side, um
    @bus_major  @bit_major                         how ports of one expression are sorted

From west to east, and from south to north. Before the first side, `@` lines are about all sides.
Syntax: LibreLane's reference, "Pin order configuration".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from a6hub_jupyter.express.problem import ProblemError

SIDES = {"N": "NORTH", "E": "EAST", "S": "SOUTH", "W": "WEST"}
WORD = re.compile(r"@\s*\w+(?:\s*=\s*\S+)?|#\s*\w+|\$\s*\d+|\S+")
NAME_PARTS = re.compile(r"\d+|[A-Za-z_]\w*")


@dataclass
class Side:
    """One side as the file asks for it; `entries` are expressions, or numbers of places to leave free."""

    entries: list[str | int] = field(default_factory=list)
    least_distance: int = 0
    """nm"""
    reversed: bool = False
    by_bit: bool = False


@dataclass
class Arrangement:
    """Ports of one side in their order; None leaves a place free."""

    places: list[str | None] = field(default_factory=list)
    least_distance: int = 0


def parse(text: str) -> dict[str, Side]:
    """The sides that a pin order file names. ProblemError says which word is wrong."""
    sides: dict[str, Side] = {}
    everywhere = Side()
    current: Side | None = None
    for word in WORD.findall(text):
        compact = re.sub(r"\s", "", word)
        if compact.startswith("@"):
            _annotate(current or everywhere, compact)
        elif compact in ("#BUS_SORT",):
            everywhere.by_bit = True
        elif compact.startswith("#"):
            if not re.fullmatch(r"#[NESW]R?", compact):
                raise ProblemError(f"IO_PIN_ORDER_CFG: '{compact}' is no side: write #N, #E, #S or #W.")
            current = sides[SIDES[compact[1]]] = Side(
                [], everywhere.least_distance, compact.endswith("R"), everywhere.by_bit
            )
        elif current is None:
            raise ProblemError(f"IO_PIN_ORDER_CFG: '{word}' stands before the first side (#N, #E, #S, #W).")
        else:
            current.entries.append(int(compact[1:]) if re.fullmatch(r"\$\d+", compact) else word)
    return sides


def _annotate(side: Side, word: str) -> None:
    name, _, value = word[1:].partition("=")
    if name == "min_distance" and re.fullmatch(r"\d+(\.\d+)?", value):
        side.least_distance = round(float(value) * 1000)
    elif name in ("bus_major", "bit_major") and not value:
        side.by_bit = name == "bit_major"
    else:
        raise ProblemError(
            f"IO_PIN_ORDER_CFG: '{word}' is not understood; there are @min_distance=<um>, @bus_major and @bit_major."
        )


def sort_key(name: str, *, by_bit: bool) -> tuple[list[str], list[int]] | tuple[list[int], list[str]]:
    """Ports of one expression in order: by name and then by index, or the other way round."""
    parts = NAME_PARTS.findall(name)
    words, numbers = [p for p in parts if not p.isdigit()], [int(p) for p in parts if p.isdigit()]
    return (numbers, words) if by_bit else (words, numbers)


def arrange(text: str, ports: list[str], unmatched: str) -> dict[str, Arrangement]:
    """The ports on each side. `unmatched`: which lack of a match is an error (ERRORS_ON_UNMATCHED_IO).

    Ports that no expression matches are put after the others of the side with the fewest.
    """
    left = dict.fromkeys(ports)
    found = {side: Arrangement() for side in SIDES.values()}
    idle = []
    for name, side in parse(text).items():
        here: list[str | None] = []
        for entry in side.entries:
            if isinstance(entry, int):
                here += [None] * entry
                continue
            try:
                matching = [port for port in left if re.fullmatch(entry, port)]
            except re.error as error:
                raise ProblemError(f"IO_PIN_ORDER_CFG: '{entry}' is no regular expression ({error}).") from error
            if not matching:
                idle.append(entry)
            here += sorted(matching, key=lambda port, by_bit=side.by_bit: sort_key(port, by_bit=by_bit))  # type: ignore[misc]
            for port in matching:
                del left[port]
        found[name] = Arrangement(here[::-1] if side.reversed else here, side.least_distance)
    if idle and unmatched in ("unmatched_cfg", "both"):
        raise ProblemError(f"IO_PIN_ORDER_CFG: no port matches '{idle[0]}'. Correct it, or set ERRORS_ON_UNMATCHED_IO.")
    if left and unmatched in ("unmatched_design", "both"):
        shown = ", ".join(list(left)[:6])
        raise ProblemError(f"IO_PIN_ORDER_CFG has no place for {shown}: add them, or set ERRORS_ON_UNMATCHED_IO.")
    for port in left:
        min(found.values(), key=lambda a: len(a.places)).places.append(port)
    return found
