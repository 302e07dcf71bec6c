"""Makes a picture small enough to be stored in a notebook."""

from __future__ import annotations

import io

# Flat colours: a palette keeps the look of a layout at a quarter of the bytes.
COLOURS = 128
MAX_PIXELS = 1 << 24


def shrink(png: bytes, width: int) -> bytes | None:
    """Return a PNG of at most ``width`` pixels across with few colours; None if ``png`` cannot be read."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only for pictures that are too large

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            small = image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):  # what Pillow raises for damaged files
        return None
    small.thumbnail((width, small.height))
    result = io.BytesIO()
    small.quantize(COLOURS).save(result, "PNG", optimize=True)
    return result.getvalue()


def picture_for_notebook(png: bytes, limit: int, width: int) -> bytes | None:
    """Return the picture, made smaller if it has more than ``limit`` bytes; None if that does not help."""
    small = png if len(png) <= limit else shrink(png, width)
    return small if small and len(small) <= limit else None
