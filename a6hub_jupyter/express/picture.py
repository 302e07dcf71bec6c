"""Pictures of a step for the report: PNG files from arrays, without an imaging library."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from a6hub_jupyter.express.database import Component, Database
    from a6hub_jupyter.express.lefcells import Macro

    Array = np.ndarray[Any, Any]

MOST_PIXELS = 900
"""Pixels along the longer side of the die."""
PAPER, CELL, SEQUENTIAL, BLOCK, TAP = (250, 250, 248), (96, 150, 200), (226, 142, 60), (120, 120, 130), (205, 205, 200)


def write_png(path: Path, pixels: Array) -> None:
    """Write an array (height, width, 3) of bytes, top row first."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, 3 * width)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows.tobytes(), 6))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b""))


def placement(path: Path, database: Database, macros: Mapping[str, Macro]) -> None:
    """Draw where the cells are: registers and latches (cells with a clock pin) stand out."""
    scale = MOST_PIXELS / max(database.width, database.height)
    height, width = (max(1, round(length * scale)) for length in (database.height, database.width))
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = PAPER

    def draw(component: Component, colour: tuple[int, int, int]) -> None:
        macro = macros[component.cell]
        x1, x2 = round(component.x * scale), round((component.x + macro.width) * scale)
        y1, y2 = round(component.y * scale), round((component.y + macro.height) * scale)
        pixels[height - max(y2 - (y2 - y1 > 2), y1 + 1) : height - y1, x1 : max(x2 - (x2 - x1 > 2), x1 + 1)] = colour

    for tap in database.taps:
        draw(tap, TAP)
    for component in database.components:
        clocked = any(pin.use == "CLOCK" for pin in macros[component.cell].pins.values())
        draw(component, SEQUENTIAL if clocked else CELL)
    for block in database.blocks:
        draw(block, BLOCK)
    write_png(path, pixels)
