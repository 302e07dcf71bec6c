"""The worker process that finds where two layouts differ: an exact XOR of each layer, by klayout.

Run as `python -m a6hub_jupyter.layout.differences OUTPUT ONE OTHER [--name=ONE --name=OTHER] [--memory BYTES]`.
OUTPUT becomes markers in the form of `markers`: a category for each layer that differs, a box around each piece, with
the layout that has it.
When it fails, the exit code is 1 and standard output has one line, `{"message", "remedy"}`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.layout.errors import LayoutError
from a6hub_jupyter.layout.markers import Collection, write
from a6hub_jupyter.layout.scene import ANY_FILE, BAD_FILE
from a6hub_jupyter.layout.worker import add_memory, run

if TYPE_CHECKING:
    from collections.abc import Sequence


def compare(output: Path, one: Path, other: Path, names: Sequence[str] | None = None) -> None:
    """Write markers where the largest top cells of `one` and `other` differ; LayoutError when one is no layout.

    `names` is what the two are called (default: their files' names).
    """
    from klayout import db  # noqa: PLC0415 - loaded by the worker process alone

    sides = [_open(path) for path in (one, other)]
    called = names or (one.name, other.name)
    collection = Collection()
    keys = sorted({key for layout, _ in sides for key in _layers(layout)})
    for layer, datatype in keys:
        regions = []
        for layout, top in sides:
            index = layout.find_layer(layer, datatype)
            region = db.Region() if index is None else db.Region(top.begin_shapes_rec(index))
            # Both in the finer of the two database units, or rounding would show as differences.
            unit = min(each.dbu for each, _ in sides)
            regions.append(region.transformed(db.ICplxTrans(layout.dbu / unit)) if layout.dbu != unit else region)
        for owner, pieces in zip(called, (regions[0] - regions[1], regions[1] - regions[0]), strict=True):
            for polygon in pieces.each_merged():
                box = polygon.bbox()
                corners = [value * unit for value in (box.left, box.bottom, box.right, box.top)]
                name = f"{layer}/{datatype}"
                collection.add_box("differences", name, f"Layer {name} differs", corners, f"only in {owner}")
    write(output, collection, [] if collection.markers else ["The two layouts are equal."])


def _layers(layout: Any) -> set[tuple[int, int]]:
    infos = (layout.get_info(index) for index in layout.layer_indexes())
    return {(info.layer, info.datatype) for info in infos if info.layer >= 0}


def _open(path: Path) -> tuple[Any, Any]:
    from klayout import db  # noqa: PLC0415

    if not path.is_file():
        raise LayoutError(f"The layout {path.name} is not there.", ANY_FILE)
    layout = db.Layout()
    try:
        layout.read(str(path))
    except RuntimeError as error:
        reason = str(error).split(", in file", maxsplit=1)[0].strip().rstrip(".")
        raise LayoutError(f"The layout {path.name} is damaged ({reason}).", BAD_FILE) from error
    tops = layout.top_cells()
    if not tops:
        raise LayoutError(f"The layout {path.name} has no cells.", BAD_FILE)
    return layout, max(tops, key=lambda cell: cell.dbbox().area())


def main(arguments: list[str] | None = None) -> int:
    """Compare two files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a6hub_jupyter.layout.differences")
    parser.add_argument("output", type=Path)
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument(
        "--name", dest="names", action="append", help="what each of the two is called; default: their files' names"
    )
    add_memory(parser)
    options = parser.parse_args(arguments)
    return run(
        lambda: compare(options.output, options.one, options.other, options.names),
        options.one.name,
        options.memory,
        f"{options.one.name} and {options.other.name} cannot be compared.",
        BAD_FILE,
    )


if __name__ == "__main__":
    sys.exit(main())
