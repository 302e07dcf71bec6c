"""The worker process that finds where two layouts differ: an exact XOR of each layer, by klayout.

Run as `python -m a6hub_jupyter.layout.differences OUTPUT ONE OTHER [--memory BYTES]`. OUTPUT becomes markers in the
form of `markers`: a category for each layer that differs, a box around each piece, with the layout that has it.
When it fails, the exit code is 1 and standard output has one line, `{"message", "remedy"}`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from a6hub_jupyter.layout.errors import LayoutError
from a6hub_jupyter.layout.markers import Collection, write
from a6hub_jupyter.layout.scene import ANY_FILE, BAD_FILE, limit_memory, too_large


def compare(output: Path, one: Path, other: Path) -> None:
    """Write markers where the largest top cells of `one` and `other` differ; LayoutError when one is no layout."""
    from klayout import db  # noqa: PLC0415 - loaded by the worker process alone

    sides = [_open(path) for path in (one, other)]
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
        for path, pieces in ((one, regions[0] - regions[1]), (other, regions[1] - regions[0])):
            for polygon in pieces.each_merged():
                box = polygon.bbox()
                corners = [value * unit for value in (box.left, box.bottom, box.right, box.top)]
                name = f"{layer}/{datatype}"
                collection.add_box("differences", name, f"Layer {name} differs", corners, f"only in {path.name}")
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
    parser.add_argument("--memory", type=int, metavar="BYTES", help="limit of the address space")
    options = parser.parse_args(arguments)
    if options.memory:
        limit_memory(options.memory)
    try:
        compare(options.output, options.one, options.other)
    except LayoutError as error:
        problem = error
    except MemoryError:
        problem = too_large(options.one.name, options.memory)
    except Exception as error:  # noqa: BLE001 - whatever the library raises, people get a sentence
        problem = LayoutError(f"{options.one.name} and {options.other.name} cannot be compared ({error}).", BAD_FILE)
    else:
        return 0
    sys.stdout.write(json.dumps({"message": problem.message, "remedy": problem.remedy}) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
