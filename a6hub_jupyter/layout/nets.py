"""The worker process that makes an index of a design's nets and instances, from DEF and the LEF files it needs.

Run as `python -m a6hub_jupyter.layout.nets INPUT OUTPUT [--lef FILE ...] [--memory BYTES]`. OUTPUT becomes the SQLite
database that `netindex` asks, positions in the DEF's database units. klayout reads the geometry: wires, and the
shapes of vias and pins; `defnets` the connections, and the vias' places, which klayout does not tell the net of.
When it fails, the exit code is 1 and standard output has one line, `{"message", "remedy"}`.
"""

from __future__ import annotations

import argparse
import gzip
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from a6hub_jupyter.layout.defnets import DefNet, read_nets, unescape
from a6hub_jupyter.layout.errors import LayoutError
from a6hub_jupyter.layout.worker import add_memory, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_DEF = "Choose a build that has routed its design; its DEF is under final/def."

# A chip with more is read up to here, and the index says so; 3 million take 40 s and 250 MB of disk.
SHAPE_LIMIT = 3_000_000

# Turn (quarter turns) and mirror (at the x axis, before), by the DEF's names.
ORIENTATIONS = {
    "N": (0, False),
    "W": (1, False),
    "S": (2, False),
    "E": (3, False),
    "FS": (0, True),
    "FE": (1, True),
    "FN": (2, True),
    "FW": (3, True),
}

SCHEMA = """
CREATE TABLE about (unit REAL, note TEXT);
CREATE TABLE net (id INTEGER PRIMARY KEY, name TEXT UNIQUE, use TEXT, pins INTEGER, shapes INTEGER);
CREATE TABLE pin (net INTEGER, instance TEXT, name TEXT);
CREATE TABLE instance
    (id INTEGER PRIMARY KEY, name TEXT, cell TEXT, turn INTEGER, mirror INTEGER, x INTEGER, y INTEGER);
CREATE VIRTUAL TABLE instance_box USING rtree_i32(id, x1, x2, y1, y2);
CREATE TABLE cell_pin (cell TEXT, name TEXT, layer TEXT, x1 INTEGER, y1 INTEGER, x2 INTEGER, y2 INTEGER);
CREATE TABLE shape (id INTEGER PRIMARY KEY, net INTEGER, layer TEXT);
CREATE VIRTUAL TABLE shape_box USING rtree_i32(id, x1, x2, y1, y2);
"""
INDICES = """
CREATE INDEX pin_net ON pin (net);
CREATE INDEX pin_instance ON pin (instance, name);
CREATE INDEX instance_name ON instance (name);
CREATE INDEX cell_pin_cell ON cell_pin (cell, name);
CREATE INDEX shape_net ON shape (net);
UPDATE net SET pins = (SELECT count(*) FROM pin WHERE pin.net = net.id),
    shapes = (SELECT count(*) FROM shape WHERE shape.net = net.id);
"""


class Indexer:
    """Fills the database from a DEF; `layout` is what klayout made of it."""

    def __init__(self, name: str, database: sqlite3.Connection, layout: Any, top: Any) -> None:
        self._name = name
        self._database = database
        self._layout = layout
        self._top = top
        self._nets: dict[str, int] = {}
        self._shapes = 0
        self._left_out = 0
        self._vias: dict[str, list[tuple[str, Any]]] = {}

    def run(self, lines: IO[str]) -> None:
        """Read the DEF's connections, then klayout's shapes and instances."""
        scale = 1.0
        for found in read_nets(lines):
            if isinstance(found, DefNet):
                self._net(found, scale)
            else:
                scale = 1 / (found * self._layout.dbu)
        self._wires()
        if not self._instances() and not self._nets:
            raise LayoutError(f"The DEF {self._name} has no nets and no instances.", ANY_DEF)
        left = self._left_out
        note = f"{left} shapes of nets were left out: the design has more than {SHAPE_LIMIT}." if left else None
        self._database.execute("INSERT INTO about VALUES (?, ?)", (1 / self._layout.dbu, note))

    def _id(self, name: str, use: str = "SIGNAL") -> int:
        number = self._nets.get(name)
        if number is None:
            number = self._nets[name] = len(self._nets) + 1
            self._database.execute("INSERT INTO net VALUES (?, ?, ?, 0, 0)", (number, name, use))
        return number

    def _net(self, net: DefNet, scale: float) -> None:
        from klayout import db  # noqa: PLC0415 - loaded by the worker process alone

        number = self._id(net.name, net.use)
        rows = [(number, instance, name) for instance, name in net.pins if instance != "*"]
        self._database.executemany("INSERT INTO pin VALUES (?, ?, ?)", rows)
        for name, x, y, orientation in net.vias:
            turn, mirror = ORIENTATIONS[orientation]
            place = db.Trans(turn, mirror, round(x * scale), round(y * scale))
            for layer, box in self._via(name):
                self._add(number, layer, box.transformed(place))

    def _via(self, name: str) -> list[tuple[str, Any]]:
        """Return (layer, box) of a via; klayout makes a cell of each that is used."""
        shapes = self._vias.get(name)
        if shapes is None:
            cell = self._layout.cell(f"VIA_{name}")
            shapes = self._vias[name] = [] if cell is None else list(self._boxes(cell))
        return shapes

    def _boxes(self, cell: Any) -> Iterator[tuple[str, Any]]:
        for index in self._layout.layer_indexes():
            layer = layer_name(self._layout.get_info(index))
            for shape in cell.shapes(index).each():
                yield from ((layer, box) for box in boxes_of(shape))

    def _add(self, net: int, layer: str, box: Any) -> None:
        if self._shapes >= SHAPE_LIMIT:
            self._left_out += 1
            return
        self._shapes += 1
        self._database.execute("INSERT INTO shape VALUES (?, ?, ?)", (self._shapes, net, layer))
        row = self._shapes, box.left, box.right, box.bottom, box.top
        self._database.execute("INSERT INTO shape_box VALUES (?, ?, ?, ?, ?)", row)

    def _wires(self) -> None:
        for index in self._layout.layer_indexes():
            layer = layer_name(self._layout.get_info(index))
            for shape in self._top.shapes(index).each():
                # The design's own pins have the name of a pin, which is that of its net.
                name = shape.property("net") or shape.property("pin")
                if name is None:
                    continue
                number = self._id(unescape(str(name)))
                for box in boxes_of(shape):
                    self._add(number, layer, box)

    def _instances(self) -> int:
        """Keep the instances with names; return how many there are."""
        sizes: dict[int, Any] = {}
        number = 0
        for instance in self._top.each_inst():
            name = instance.property(1)  # klayout's number for the names of instances
            if name is None:
                continue
            cell = instance.cell
            if cell.cell_index() not in sizes:
                sizes[cell.cell_index()] = self._cell(cell)
            number += 1
            place = instance.trans
            row = number, unescape(str(name)), cell.name, place.angle, place.is_mirror(), place.disp.x, place.disp.y
            self._database.execute("INSERT INTO instance VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            box = sizes[cell.cell_index()].transformed(place)
            corners = number, box.left, box.right, box.bottom, box.top
            if not box.empty():
                self._database.execute("INSERT INTO instance_box VALUES (?, ?, ?, ?, ?)", corners)
        return number

    def _cell(self, cell: Any) -> Any:
        """Keep the pins of a library cell; return its box: its outline where LEF gives one."""
        outline = None
        for index in self._layout.layer_indexes():
            info = self._layout.get_info(index)
            if info.name == "OUTLINE":
                outline = cell.bbox(index)
            for shape in cell.shapes(index).each():
                name = shape.property("pin")
                if name is None:
                    continue
                for box in boxes_of(shape):
                    corners = box.left, box.bottom, box.right, box.top
                    row = (cell.name, unescape(str(name)), layer_name(info), *corners)
                    self._database.execute("INSERT INTO cell_pin VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return outline if outline is not None and not outline.empty() else cell.bbox()


def layer_name(info: Any) -> str:
    """Return LEF's name of a layer: klayout appends the purpose (`met1.PIN`)."""
    return str(info.name).split(".", maxsplit=1)[0]


def boxes_of(shape: Any) -> Iterator[Any]:
    """Yield the rectangles that cover a shape; what is not rectilinear gives the boxes around its trapezoids."""
    if shape.is_box():
        yield shape.box
    elif shape.is_path() or shape.is_polygon() or shape.is_simple_polygon():
        polygon = shape.polygon
        if polygon.is_box():
            yield polygon.bbox()
        else:
            yield from (part.bbox() for part in polygon.decompose_trapezoids())


def read_def(source: Path, lefs: list[Path]) -> tuple[Any, Any]:
    """Return klayout's layout of a DEF, and its top cell; LayoutError when it is damaged."""
    from klayout import db  # noqa: PLC0415

    options = db.LoadLayoutOptions()
    config: Any = options.lefdef_config  # klayout's types name only some of its settings
    config.lef_files = [str(lef) for lef in lefs]
    config.read_lef_with_def = False
    config.macro_resolution_mode = 1  # the LEF's pins, whatever else is known of the cell
    config.produce_net_names, config.net_property_name = True, "net"
    config.produce_pin_names, config.pin_property_name = True, "pin"
    config.produce_inst_names, config.inst_property_name = True, 1
    config.produce_labels = config.produce_lef_labels = False
    config.produce_blockages = config.produce_obstructions = config.produce_placement_blockages = False
    layout = db.Layout()
    try:
        layout.read(str(source), options)
    except RuntimeError as error:
        reason = str(error).split(", in file", maxsplit=1)[0].split(" (line", maxsplit=1)[0].strip().rstrip(".")
        raise LayoutError(f"The DEF {source.name} cannot be read ({reason}).", ANY_DEF) from error
    tops = [cell for cell in layout.top_cells() if not cell.name.startswith("VIA_")]
    if not tops:
        raise LayoutError(f"The DEF {source.name} has no design.", ANY_DEF)
    return layout, max(tops, key=lambda cell: cell.child_instances())


def index(source: Path, output: Path, lefs: list[Path]) -> None:
    """Write the index of the DEF `source`; LayoutError when it is missing or damaged."""
    if not source.is_file():
        raise LayoutError(f"The DEF {source.name} is not there.", ANY_DEF)
    layout, top = read_def(source, [lef for lef in lefs if lef.is_file()])
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f"{output.name}.", suffix=".part") as name:
        part = Path(name) / "nets"
        database = sqlite3.connect(part)
        # Thrown away when it is not complete, so nothing has to survive a crash.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(SCHEMA)
        with _open(source) as lines:
            Indexer(source.name, database, layout, top).run(lines)
        database.executescript(INDICES)
        database.commit()
        database.close()
        part.replace(output)


def _open(source: Path) -> IO[str]:
    if source.suffix == ".gz":
        return gzip.open(source, "rt", encoding="utf-8", errors="replace")
    return source.open(encoding="utf-8", errors="replace")


def main(arguments: list[str] | None = None) -> int:
    """Make the index; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a6hub_jupyter.layout.nets")
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--lef", type=Path, action="append", default=[])
    add_memory(parser)
    options = parser.parse_args(arguments)
    return run(
        lambda: index(options.input, options.output, options.lef),
        options.input.name,
        options.memory,
        f"The DEF {options.input.name} could not be read.",
        ANY_DEF,
    )


if __name__ == "__main__":
    sys.exit(main())
