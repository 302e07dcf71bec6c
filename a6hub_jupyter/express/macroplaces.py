"""Hard macros before they are placed: what Express cannot use is refused, the rest moved onto the routing tracks."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.geometry import Box
    from a6hub_jupyter.express.lefcells import Macro
    from a6hub_jupyter.express.technology import Technology


COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
RISING_BUS = re.compile(r"\b(?:input|output|inout)\b[\w\s]*\[\s*(\d+)\s*:\s*(\d+)\s*\]\s*(\w+)")


def check_buses(cells: Iterable[str], modules: Iterable[str]) -> None:
    """Refuse macros whose module counts a bus upwards: LEF does not say so, and its bits would be swapped."""
    texts = [COMMENT.sub("", Path(path).read_text(errors="replace")) for path in modules]
    for cell in cells:
        for text in texts:
            module = re.search(rf"\bmodule\s+\\?{re.escape(cell)}\b.*?\bendmodule\b", text, re.DOTALL)
            for left, right, bus in RISING_BUS.findall(module[0]) if module else ():
                if int(left) < int(right):
                    raise ProblemError(
                        f"The macro {cell} declares {bus} as [{left}:{right}]: Express connects buses of macros that "
                        f"count down; declare it [{right}:{left}]."
                    )


def check_grid(block: Component, technology: Technology) -> None:
    """Refuse a place off the manufacturing grid."""
    grid = technology.lef.manufacturing_grid
    if grid and (block.x % grid or block.y % grid):
        x, y = (round(v / grid) * grid / 1000 for v in (block.x, block.y))
        raise ProblemError(
            f"MACROS puts {block.name} at ({block.x / 1000:g}, {block.y / 1000:g}) um, which is off the manufacturing "
            f"grid of {grid / 1000:g} um: use ({x:g}, {y:g})."
        )


def to_tracks(block: Component, macro: Macro, technology: Technology) -> tuple[int, int]:
    """Move a macro by less than a track so that as many of its pins as possible are on tracks; by how much, nm.

    The router meets pins on its layers at the points of its grid alone; a pin between two tracks has no such point.
    Pins below the routing layers are reached by vias that need no track.
    """
    shifts: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
    for pin in macro.pins.values():
        for name, box in pin.shapes if pin.is_signal else ():
            layer = next((la for la in technology.layers if la.name == name), None)
            if layer is None:
                continue
            x, y = block.place(box, macro).center
            at, offset, pitch = (
                (x, technology.offset_x, technology.pitch_x)
                if layer.vertical
                else (y, technology.offset_y, technology.pitch_y)
            )
            first = offset + (pitch if layer.every > 1 else 0)
            period = pitch * layer.every
            shift = (first - at) % period
            shifts[layer.vertical][shift - period if 2 * shift > period else shift] += 1
    dx, dy = (min(found, key=lambda s: (-found[s], abs(s)), default=0) for found in (shifts[True], shifts[False]))
    block.x, block.y = block.x + dx, block.y + dy
    return dx, dy


def without_slots(halos: list[Box], width: int, least: int) -> list[Box]:
    """Halos grown to the left and right over channels below `least` nm: no power straps for rows fit into them."""
    grown = []
    for halo in halos:
        beside = [o for o in halos if o is not halo and o.y1 < halo.y2 and halo.y1 < o.y2]
        low = max((o.x2 for o in beside if o.x2 <= halo.x1), default=0)
        high = min((o.x1 for o in beside if o.x1 >= halo.x2), default=width)
        left = low if halo.x1 - low < least else halo.x1
        right = high if high - halo.x2 < least else halo.x2
        grown.append(halo._replace(x1=min(left, halo.x1), x2=max(right, halo.x2)))
    return grown
