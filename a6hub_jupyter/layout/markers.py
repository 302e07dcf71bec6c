"""The worker process that turns report databases into the markers that the browser shows.

Run as `python -m a6hub_jupyter.layout.markers OUTPUT REPORT... [--memory BYTES]`, a REPORT being what klayout.rdb
reads (KLayout's `.lyrdb`, which LibreLane and Express write as well, also as `.xml`; Calibre's ASCII form), or a text
that `reports` reads. OUTPUT becomes

    {"categories": [{"name", "description", "report", "count"}],
     "markers": [[category, kind, [x, y, ...], text?], ...], "note": str or null}

gzipped, positions in um of the top cell; kind 0 is a box (x1, y1, x2, y2), 1 a polygon, 2 an open line. Categories
without markers are left out, the fullest come first within a report. When it fails, the exit code is 1 and
standard output has one line, `{"message", "remedy"}`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from a6hub_jupyter.layout.errors import LayoutError
from a6hub_jupyter.layout.reports import is_text, read_text
from a6hub_jupyter.layout.worker import add_memory, run

# More than this nobody looks at one by one, and a browser should hold: counts stay exact, and a note says it.
MARKER_LIMIT = 200_000
# Beside a marker there is room for a line.
TEXT_LIMIT = 200

BOX, POLYGON, LINE = 0, 1, 2

ANY_REPORT = "Give a .lyrdb or .xml of KLayout or LibreLane, a .rpt of Magic, or a .drc of OpenROAD."


class Collection:
    """Markers of several reports under construction."""

    def __init__(self) -> None:
        self.categories: list[dict[str, Any]] = []
        self.markers: list[list[Any]] = []
        self.left_out = 0
        self._indices: dict[tuple[str, str], int] = {}

    def add(self, path: Path) -> None:
        """Add the markers of a report; LayoutError when it is missing or none."""
        from klayout import rdb  # noqa: PLC0415 - loaded by the worker process alone

        if not path.is_file():
            raise LayoutError(f"The report {path.name} is not there.", ANY_REPORT)
        if is_text(path):
            for name, description, box, text in read_text(path):
                self.add_box(path.name, name, description, box, text)
            return
        report = rdb.ReportDatabase(path.name)
        try:
            report.load(str(path))
        except RuntimeError as error:
            reason = str(error).split(", in file", maxsplit=1)[0].strip().rstrip(".")
            raise LayoutError(f"The report {path.name} is damaged ({reason}).", ANY_REPORT) from error
        for category in _categories(report):
            items = list(report.each_item_per_category(category.rdb_id()))
            if items:
                self._category(report, path, category, items)

    def add_box(self, report: str, name: str, description: str, box: list[float], text: str) -> None:
        """Add one finding to the category of that name in `report`, made now unless it is there; um."""
        index = self._indices.setdefault((report, name), len(self.categories))
        if index == len(self.categories):
            self.categories.append({"name": name, "description": description, "report": report, "count": 0})
        self.categories[index]["count"] += 1
        self._marker(index, [BOX, [round(number, 4) for number in box], *([text[:TEXT_LIMIT]] if text else [])])

    def _marker(self, index: int, shape: list[Any]) -> None:
        if len(self.markers) >= MARKER_LIMIT:
            self.left_out += 1
        else:
            self.markers.append([index, *shape])

    def _category(self, report: Any, path: Path, category: Any, items: list[Any]) -> None:
        index = len(self.categories)
        self.categories.append(
            {
                "name": _name(category),
                "description": category.description,
                "report": path.name,
                "count": len(items),
            }
        )
        for item in items:
            for shape in _shapes(item, _into_top(report, item.cell_id())):
                self._marker(index, shape)

    def json(self) -> dict[str, Any]:
        """Return the form that goes to the browser."""
        order = sorted(
            range(len(self.categories)),
            key=lambda i: (self.categories[i]["report"], -self.categories[i]["count"], self.categories[i]["name"]),
        )
        place = {old: new for new, old in enumerate(order)}
        note = f"{self.left_out} more markers are not shown." if self.left_out else None
        for marker in self.markers:
            marker[0] = place[marker[0]]
        return {"categories": [self.categories[i] for i in order], "markers": self.markers, "note": note}


def _categories(report: Any) -> list[Any]:
    found: list[Any] = []
    waiting = list(report.each_category())
    while waiting:
        category = waiting.pop(0)
        found.append(category)
        waiting += list(category.each_sub_category())
    return found


def _name(category: Any) -> str:
    """Return the names from the outermost category on, with dots; klayout's own path quotes names with dots."""
    names = []
    while category is not None:
        names.append(category.name())
        category = category.parent()
    return ".".join(reversed(names))


def _into_top(report: Any, cell_id: int) -> Any:
    """Return the transformation (um) from a cell to the top, through its first placements."""
    from klayout import db  # noqa: PLC0415

    transformation = db.DCplxTrans()
    for _ in range(100):  # reports name cells, and damaged ones may name them in a circle
        cell = report.cell_by_id(cell_id)
        reference = next(iter(cell.each_reference()), None) if cell is not None else None
        if reference is None:
            break
        transformation = reference.trans * transformation
        cell_id = reference.parent_cell_id
    return transformation


def _shapes(item: Any, to_top: Any) -> list[list[Any]]:
    """Return [kind, points, text?] for what an item shows; one without a place has none."""
    text = ""
    shapes: list[list[Any]] = []
    for value in item.each_value():
        if value.is_string() or value.is_float():
            text = f"{text} {value.string() if value.is_string() else value.float()}".strip()
        elif value.is_box():
            box = value.box().transformed(to_top)
            shapes.append([BOX, [box.left, box.bottom, box.right, box.top]])
        elif value.is_polygon():
            shapes.append(_polygon(value.polygon().transformed(to_top)))
        elif value.is_path():
            shapes.append(_polygon(value.path().polygon().transformed(to_top)))
        elif value.is_edge():
            edge = value.edge().transformed(to_top)
            shapes.append([LINE, [edge.x1, edge.y1, edge.x2, edge.y2]])
        elif value.is_edge_pair():
            pair = value.edge_pair().transformed(to_top)
            shapes.append(_polygon(pair.normalized().polygon(0)))
        elif value.is_text():
            label = value.text().transformed(to_top)
            text = f"{text} {label.string}".strip()
            shapes.append([LINE, [label.x, label.y, label.x, label.y]])
    for shape in shapes:
        shape[1] = [round(number, 4) for number in shape[1]]
        if text:
            shape.append(text[:TEXT_LIMIT])
    return shapes


def _polygon(polygon: Any) -> list[Any]:
    if polygon.is_box():
        box = polygon.bbox()
        return [BOX, [box.left, box.bottom, box.right, box.top]]
    points = [number for point in polygon.each_point_hull() for number in (point.x, point.y)]
    if not points:  # two edges that touch in one line have no area between them
        box = polygon.bbox()
        return [LINE, [box.left, box.bottom, box.right, box.top]]
    return [POLYGON, points]


def collect(output: Path, reports: list[Path]) -> None:
    """Write the markers of `reports`; one that cannot be read is told in the note, unless it is the only one."""
    collection = Collection()
    problems = []
    for path in reports:
        try:
            collection.add(path)
        except LayoutError as error:  # noqa: PERF203 - a few reports, each on its own
            problems.append(error)
    if problems and len(problems) == len(reports):
        raise problems[0]
    write(output, collection, [problem.message for problem in problems])


def write(output: Path, collection: Collection, notes: list[str]) -> None:
    """Write the markers, gzipped, with what there is to say of them."""
    document = collection.json()
    document["note"] = " ".join(filter(None, [document["note"], *notes])) or None
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f"{output.name}.", suffix=".part") as name:
        part = Path(name) / "markers"
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        part.write_bytes(gzip.compress(text.encode(), compresslevel=3, mtime=0))
        part.replace(output)


def main(arguments: list[str] | None = None) -> int:
    """Collect the markers; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a6hub_jupyter.layout.markers")
    parser.add_argument("output", type=Path)
    parser.add_argument("reports", type=Path, nargs="+")
    add_memory(parser)
    options = parser.parse_args(arguments)
    return run(
        lambda: collect(options.output, options.reports),
        options.reports[0].name,
        options.memory,
        f"The report {options.reports[0].name} could not be read.",
        ANY_REPORT,
    )


if __name__ == "__main__":
    sys.exit(main())
