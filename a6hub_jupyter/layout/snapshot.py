"""The worker process that draws a scene as a PNG, by klayout, in the colours of the viewer.

Run as `python -m a6hub_jupyter.layout.snapshot SCENE LAYERS OUTPUT --pixels WIDTH HEIGHT [--view X Y WIDTH]
[--hidden 68/20,...] [--memory BYTES]`: SCENE and LAYERS as `scene` writes them, the view's middle and width in um.
When it fails, the exit code is 1 and standard output has one line, `{"message", "remedy"}`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.layout.worker import add_memory, run

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MARGIN = 0.94
REMEDY = "Check that klayout is installed with its viewer (klayout.lay)."


def draw(
    scene: Path,
    layers: Path,
    output: Path,
    pixels: tuple[int, int],
    view: Sequence[float] | None = None,
    hidden: Collection[str] | None = None,
) -> None:
    """Write a PNG of `pixels` (width, height); without a view all is shown, without `hidden` what is visible."""
    from klayout import db, lay  # noqa: PLC0415 - loaded by the worker process alone

    document = json.loads(layers.read_text(encoding="utf-8"))
    shown = lay.LayoutView()
    shown.load_layout(str(scene), True)
    for name, value in {
        "background-color": "#0b0d10",
        "grid-visible": "false",
        "cell-box-visible": "false",
        "text-color": "#c9d1d9",
    }.items():
        shown.set_config(name, value)
    shown.max_hier()
    shown.clear_layers()
    for layer in document["layers"]:
        key = f"{layer['layer']}/{layer['datatype']}"
        if key in hidden if hidden is not None else not layer["visible"]:
            continue
        shown.insert_layer(shown.end_layers(), _properties(lay, shown, layer, key))
    width, height = pixels
    if view is None:
        x1, y1, x2, y2 = document["bbox"]
        size = max((x2 - x1) / MARGIN, (y2 - y1) / MARGIN * width / height)
        view = (x1 + x2) / 2, (y1 + y2) / 2, size
    x, y, size = view
    tall = size * height / width
    shown.zoom_box(db.DBox(x - size / 2, y - tall / 2, x + size / 2, y + tall / 2))
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f"{output.name}.", suffix=".part") as name:
        part = Path(name, "snapshot.png")
        shown.save_image(str(part), width, height)
        part.replace(output)


def _properties(lay: Any, view: Any, layer: dict[str, Any], key: str) -> Any:
    properties = lay.LayerProperties()
    properties.source = key
    properties.fill_color = int(layer["fill"][1:], 16)
    properties.frame_color = int(layer["frame"][1:], 16)
    properties.marked = False
    properties.width = 1
    if layer["stipple"]:
        properties.dither_pattern = view.add_stipple("", _rows(layer["stipple"]), 32)
    return properties


def _rows(stipple: Sequence[str]) -> list[int]:
    """Return a stipple as 32 words of 32 pixels, as klayout wants it: the lowest row first."""
    words = []
    for y in range(32):
        row = stipple[len(stipple) - 1 - y % len(stipple)]
        words.append(sum(1 << x for x in range(32) if row[x % len(row)] == "*"))
    return words


def main(arguments: list[str] | None = None) -> int:
    """Draw one picture; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a6hub_jupyter.layout.snapshot")
    parser.add_argument("scene", type=Path)
    parser.add_argument("layers", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pixels", type=int, nargs=2, default=(800, 600))
    parser.add_argument("--view", type=float, nargs=3)
    parser.add_argument("--hidden", help="layers that are not shown, such as 68/20, divided by commas")
    add_memory(parser)
    options = parser.parse_args(arguments)
    hidden = None if options.hidden is None else set(options.hidden.split(","))
    return run(
        lambda: draw(options.scene, options.layers, options.output, options.pixels, options.view, hidden),
        "to be drawn",
        options.memory,
        "The layout could not be drawn.",
        REMEDY,
    )


if __name__ == "__main__":
    sys.exit(main())
