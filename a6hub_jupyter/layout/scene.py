"""The worker process that turns a layout file into a scene and the list of its layers.

Run as `python -m a6hub_jupyter.layout.scene INPUT SCENE LAYERS [--lyp FILE] [--memory BYTES]`, INPUT being
GDSII, gzipped GDSII or OASIS. SCENE becomes plain OASIS (no CBLOCKs: inflating block by block made decoding
in the browser almost four times slower), gzipped as a whole. LAYERS becomes

    {"layers": [{"layer", "datatype", "name", "fill", "frame", "visible", "stipple"}], "top": cell name, "dbu": um,
     "bbox": [x1, y1, x2, y2] in um, "note": str or null}

with only the layers that are present, bottom first. Both come from one reading, and are written atomically,
SCENE last, so that whoever sees SCENE has LAYERS. When it fails, the exit code is 1 and standard output has
one line, `{"message", "remedy"}`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from a6hub_jupyter.layout.errors import LayoutError
from a6hub_jupyter.layout.layers import describe, read_lyp

if TYPE_CHECKING:
    from collections.abc import Callable

# gdstk up to this size, klayout above. By benchmarks/layout_readers.py gdstk takes 0.17 s of CPU and 43 MB for 1.5 MB,
# klayout 0.20 s and 87 MB; at 6 MB they are even in time, at 12 MB klayout is ahead. But klayout finds repetitions: its
# scene has 85 instead of 226 kB at 3 MB, which the browser loads and decodes that much sooner.
# What gdstk is bad at is damage: of some files it ends the process, which the cache tells in a sentence.
GDSTK_LIMIT = 2 << 20

# Level 3 costs 10 ms on simon; level 9 is 4 times slower for 4 % fewer bytes.
GZIP_LEVEL = 3

NO_SHAPES = "Choose the layout of a finished build."
ANY_FILE = "Give the path of a .gds, .gds.gz or .oas file."
BAD_FILE = "Write the layout again, as GDSII or OASIS, and check it in KLayout."


@dataclass(frozen=True)
class Contents:
    """What is in a layout: top cell, database unit in um, box in um, (layer, datatype) pairs with shapes."""

    top: str
    dbu: float
    bbox: tuple[float, float, float, float]
    present: set[tuple[int, int]]


def convert(source: Path, scene: Path, layers: Path, lyp: Path | None) -> None:
    """Write the scene and the layers of `source`; raises LayoutError when it is missing, broken or empty."""
    try:
        with source.open("rb") as file:
            head = file.read(13)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "is not there" if missing else f"cannot be read ({error.strerror})"
        raise LayoutError(f"The layout {source.name} {reason}.", ANY_FILE) from error
    engine = _engine(head, size, source.name)
    note = None
    known = []
    if lyp is not None:
        try:
            known = read_lyp(lyp)
        except LayoutError as error:
            # A layout in other colours is worth more than none.
            note = f"The colours are not the PDK's: {error.message}"
    scene.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scene.parent, prefix=f"{scene.name}.", suffix=".part") as name:
        directory = Path(name)
        contents = engine(source, directory / "scene.oas")
        if not contents.present:
            raise LayoutError(f"The layout {source.name} has no shapes.", NO_SHAPES)
        document = {
            "layers": [layer.json() for layer in describe(contents.present, known)],
            "top": contents.top,
            "dbu": contents.dbu,
            "bbox": [round(value, 6) for value in contents.bbox],
            "note": note,
        }
        (directory / "layers.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        with (directory / "scene.oas").open("rb") as plain, (directory / "scene.gz").open("wb") as file:
            _gzip(plain, file)
        (directory / "layers.json").replace(layers)
        (directory / "scene.gz").replace(scene)


def _gzip(plain: IO[bytes], file: IO[bytes]) -> None:
    # Without a time and a name the same layout gives the same bytes.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=file, mtime=0) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)


def _engine(head: bytes, size: int, name: str) -> Callable[[Path, Path], Contents]:
    if not head:
        raise LayoutError(f"The layout {name} is empty.", BAD_FILE)
    if head[:4] == b"\x00\x06\x00\x02":  # a GDSII HEADER record
        return _with_gdstk if size <= GDSTK_LIMIT else _with_klayout
    if head[:2] == b"\x1f\x8b" or head == b"%SEMI-OASIS\r\n":  # klayout inflates by itself
        return _with_klayout
    raise LayoutError(f"{name} is neither GDSII nor OASIS.", ANY_FILE)


def _with_gdstk(source: Path, plain: Path) -> Contents:
    # OpenBLAS, which comes in with numpy, reserves address space for every core of the machine; see `memory`.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import gdstk  # noqa: PLC0415 - the one of the two that is needed

    with warnings.catch_warnings():
        # gdstk goes on with what it could read after, for example, a missing end; half a layout is no layout.
        warnings.simplefilter("error")
        try:
            library = gdstk.read_gds(source)
        except (RuntimeError, OSError, ValueError, MemoryError, Warning):
            # klayout forgives more (a cell that is placed and not there), and says better what is wrong.
            return _with_klayout(source, plain)
    # Never flattened: gdstk's boxes go down the hierarchy by themselves.
    boxes = [
        (_area(box), cell.name, box)
        for cell in library.top_level()
        if isinstance(cell, gdstk.Cell) and (box := cell.bounding_box()) is not None
    ]
    if not boxes:
        return _with_klayout(source, plain)
    _, top, ((x1, y1), (x2, y2)) = max(boxes)
    present = library.layers_and_datatypes() | library.layers_and_texttypes()
    for cell in library.cells:
        if isinstance(cell, gdstk.Cell):
            # OASIS has no round ends, and gdstk would leave them away.
            for path in [each for each in cell.paths if "round" in each.ends]:
                cell.remove(path)
                cell.add(*path.to_polygons())
    library.write_oas(plain, compression_level=0, detect_rectangles=True)
    um = library.unit * 1e6
    return Contents(top, library.precision * 1e6, (x1 * um, y1 * um, x2 * um, y2 * um), present)


def _with_klayout(source: Path, plain: Path) -> Contents:
    from klayout import db  # noqa: PLC0415 - the one of the two that is needed

    read = db.LoadLayoutOptions()
    read.properties_enabled = False
    layout = db.Layout()
    try:
        layout.read(str(source), read)
    except RuntimeError as error:
        if "bad_alloc" in str(error):
            raise MemoryError from error
        reason = str(error).split(", in file", maxsplit=1)[0].strip().rstrip(".")
        raise LayoutError(f"The layout {source.name} is damaged ({reason}).", BAD_FILE) from error
    tops = layout.top_cells()
    present = {
        (info.layer, info.datatype)
        for index in layout.layer_indexes()
        if (info := layout.get_info(index)).layer >= 0 and any(not top.bbox(index).empty() for top in tops)
    }
    if not present:
        return Contents("", layout.dbu, (0, 0, 0, 0), set())
    top = max(tops, key=lambda cell: cell.dbbox().area())
    box = top.dbbox()
    write = db.SaveLayoutOptions()
    write.format = "OASIS"
    write.oasis_write_cblocks = False
    write.oasis_permissive = True
    # 1 looks for repetitions; 2 takes longer for 1 % less.
    write.oasis_compression_level = 1
    layout.write(str(plain), write)
    return Contents(top.name, layout.dbu, (box.left, box.bottom, box.right, box.top), present)


def _area(box: tuple[tuple[float, float], tuple[float, float]]) -> float:
    return (box[1][0] - box[0][0]) * (box[1][1] - box[0][1])


def limit_memory(limit: int) -> None:
    """Keep this process below `limit` bytes of address space, where the system can do so."""
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ValueError, OSError):
        # macOS refuses; there the timeout of the cache is what bounds a conversion.
        return


def main(arguments: list[str] | None = None) -> int:
    """Convert one file; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a6hub_jupyter.layout.scene")
    parser.add_argument("input", type=Path)
    parser.add_argument("scene", type=Path)
    parser.add_argument("layers", type=Path)
    parser.add_argument("--lyp", type=Path)
    parser.add_argument("--memory", type=int, metavar="BYTES", help="limit of the address space")
    options = parser.parse_args(arguments)
    if options.memory:
        limit_memory(options.memory)
    try:
        convert(options.input, options.scene, options.layers, options.lyp)
    except LayoutError as error:
        problem = error
    except ImportError as error:
        remedy = "Install gdstk and klayout, and give layouts a memory limit of at least 512 MB."
        problem = LayoutError(f"The reader of layouts cannot be loaded ({error}).", remedy)
    except MemoryError:
        problem = too_large(options.input.name, options.memory)
    except Exception as error:  # noqa: BLE001 - whatever the libraries raise, people get a sentence
        if "bad_alloc" in str(error):
            problem = too_large(options.input.name, options.memory)
        else:
            problem = LayoutError(f"The layout {options.input.name} could not be read ({error}).", BAD_FILE)
    else:
        return 0
    sys.stdout.write(json.dumps({"message": problem.message, "remedy": problem.remedy}) + "\n")
    return 1


def too_large(name: str, memory: int | None) -> LayoutError:
    """Return the error for a layout that does not fit into the worker's memory of `memory` bytes."""
    limit = f" of {memory >> 20} MB" if memory else ""
    return LayoutError(
        f"The layout {name} needs more memory than the limit{limit}.",
        "Raise the memory limit for layouts, or open a smaller one.",
    )


if __name__ == "__main__":
    sys.exit(main())
