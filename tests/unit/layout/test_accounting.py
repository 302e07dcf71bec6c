"""Every shape accounted for: what the browser decodes of a scene against what KLayout reads of the layout itself."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
from pathlib import Path
from typing import Any

import gdstk
import pytest
from klayout import db

from a6hub_jupyter.layout import scene as worker
from tests.conftest import ROOT, SHARED

FIXTURES = ROOT / "js" / "src" / "layout" / "fixtures"

ROUND = "1/9"

# Prints what is in a scene: cells with their placements, and layers with figures, texts and the figures' area.
COUNT = """
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const { decodeOasis } = await import(process.argv[2]);
const layout = decodeOasis(new Uint8Array(gunzipSync(readFileSync(process.argv[3]))));
const area = ({ rects, points, starts }) => {
  let sum = 0;
  for (let i = 0; i < rects.length; i += 4) sum += (rects[i + 2] - rects[i]) * (rects[i + 3] - rects[i + 1]);
  for (let p = 0; p + 1 < starts.length; p++) {
    let twice = 0;
    let k = starts[p + 1] - 1;
    for (let i = starts[p]; i < starts[p + 1]; k = i++)
      twice += points[2 * k] * points[2 * i + 1] - points[2 * i] * points[2 * k + 1];
    sum += Math.abs(twice) / 2;
  }
  return sum;
};
const cells = {};
for (const { name, shapes, places, grids, free } of layout.cells) {
  let placed = places.length / 4 + free.length / 6;
  for (let i = 0; i < grids.length; i += 10) placed += grids[i + 4] * grids[i + 5];
  const layers = {};
  shapes.forEach((each, index) => {
    if (!each) return;
    const { layer, datatype } = layout.layers[index];
    const figures = each.rects.length / 4 + Math.max(0, each.starts.length - 1);
    layers[`${layer}/${datatype}`] = [figures, each.texts.length / 3, area(each)];
  });
  cells[name] = { placed, layers };
}
console.log(JSON.stringify({ unit: layout.unit, cells }));
"""


def area(shape: db.Shape) -> float:
    """Return the area of a shape; KLayout's own of a path is that of a straight one."""
    return shape.polygon.area() if shape.is_path() else shape.area()


def by_klayout(path: Path) -> dict[str, Any]:
    """Return what KLayout reads, in the form that COUNT prints."""
    layout = db.Layout()
    layout.read(str(path))
    cells = {}
    for cell in layout.each_cell():
        layers = {}
        for index in layout.layer_indexes():
            info = layout.get_info(index)
            shapes = cell.shapes(index)
            figures = [shape for shape in shapes.each(db.Shapes.SAll) if not shape.is_text()]
            texts = sum(1 for _ in shapes.each(db.Shapes.STexts))
            if figures or texts:
                layers[f"{info.layer}/{info.datatype}"] = [len(figures), texts, sum(area(one) for one in figures)]
        placed = sum(max(1, each.na * each.nb) for each in cell.each_inst())
        cells[cell.name] = {"placed": placed, "layers": layers}
    return {"unit": 1 / layout.dbu, "cells": cells}


def by_browser(path: Path, directory: Path, decoder: Path) -> dict[str, Any]:
    """Convert a layout with the worker's code, decode the scene with the browser's."""
    packed = directory / "scene.oas.gz"
    worker.convert(path, packed, directory / "layers.json", None)
    script = directory / "count.mjs"
    script.write_text(COUNT)
    command = ["node", str(script), str(decoder), str(packed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def agree(path: Path, directory: Path, decoder: Path, tolerance: float, parts: str = "") -> tuple[int, int]:
    """Compare both, and return the number of figures and texts.

    Areas may differ by `tolerance` (relative). On the layer `parts` a figure may have become several.
    """
    found, wanted = by_browser(path, directory, decoder), by_klayout(path)
    assert found["unit"] == pytest.approx(wanted["unit"])
    assert set(found["cells"]) == set(wanted["cells"])
    figures = texts = 0
    for name, cell in wanted["cells"].items():
        ours = found["cells"][name]
        assert ours["placed"] == cell["placed"], name
        counts = [{key: one[:2] for key, one in each["layers"].items() if key != parts} for each in (ours, cell)]
        assert counts[0] == counts[1], name
        for key, (count, labels, size) in cell["layers"].items():
            if key != parts:
                assert ours["layers"][key][2] == pytest.approx(size, rel=tolerance, abs=0.5), (name, key)
            figures += count
            texts += labels
    return figures, texts


@pytest.mark.needs("shared")
@pytest.mark.parametrize("name", ["spm.gds", "simon.gds.gz", "rift2Wrap_gf180.gds.gz", "ihp_stdcell_abut.gds.gz"])
def test_real_designs(name: str, tmp_path: Path, decoder: Path) -> None:
    figures, texts = agree(SHARED / "gds" / name, tmp_path, decoder, 0)
    print(f"{name}: {figures} figures, {texts} texts")
    assert figures > 5000


def corners() -> list[list[db.Point]]:
    """Return the spines of paths: two points, right angles, any angle, an acute turn, one point."""
    lists = [
        [(0, 0), (4000, 0)],
        [(0, 0), (3000, 0), (3000, 2000), (500, 2000)],
        [(0, 0), (3000, 1700), (5200, 900), (9100, 2200)],
        [(0, 0), (4000, 300), (900, 1500)],
        [(0, 0), (1234, 2345)],
    ]
    return [[db.Point(x, y) for x, y in points] for points in lists]


def awkward(directory: Path) -> Path:
    """Write a layout of what is rare, with KLayout; returns its GDS, beside which is the same as OASIS in CBLOCKs."""
    layout = db.Layout()
    leaf, middle, top = (layout.create_cell(name) for name in ("LEAF", "MIDDLE", "TOP"))
    for index, (begin, end) in enumerate([(0, 0), (150, 150), (40, 260), (150, 0)]):
        for row, points in enumerate(corners()):
            wire = db.Path(points, 300, begin, end)
            leaf.shapes(layout.layer(1, index)).insert(wire.moved(0, 6000 * row))
    for row, points in enumerate(corners()):
        leaf.shapes(layout.layer(*map(int, ROUND.split("/")))).insert(
            db.Path(points, 300, 150, 150, True).moved(0, 6000 * row)
        )
    shapes = layout.layer(2, 0)
    leaf.shapes(shapes).insert(db.Box(-20, -30, 400, 500))
    leaf.shapes(shapes).insert(db.Polygon([db.Point(0, 0), db.Point(1000, 333), db.Point(600, 1200)]))
    ring = db.Polygon(db.Box(0, 0, 3000, 2000))
    ring.insert_hole(db.Box(500, 500, 900, 1500))
    leaf.shapes(shapes).insert(ring)
    for x in range(40):
        for y in range(25):
            leaf.shapes(layout.layer(3, 0)).insert(db.Box(170 * x, 210 * y, 170 * x + 90, 210 * y + 80))
    for x in (0, 700, 1900, 2500, 9100):
        leaf.shapes(layout.layer(3, 1)).insert(db.Polygon.ellipse(db.Box(x, 0, x + 400, 400), 64))
    for turn in range(8):
        leaf.shapes(layout.layer(4, 0)).insert(db.Text(f"label {turn}", db.Trans(turn % 4, turn > 3, 100 * turn, 7)))
    # Shapes and instances with properties.
    leaf.shapes(layout.layer(5, 0)).insert(db.Box(0, 0, 10, 10)).set_property(1, "value")
    steps = db.Vector(12_000, 0), db.Vector(0, 40_000)
    middle.insert(db.CellInstArray(leaf.cell_index(), db.Trans(1, True, 50, 60), *steps, 3, 4)).set_property(2, "x")
    slanted = db.Vector(12_000, 3000), db.Vector(-700, 40_000)
    middle.insert(db.CellInstArray(leaf.cell_index(), db.Trans(3, False, 90_000, 0), *slanted, 5, 2))
    middle.insert(
        db.CellInstArray(leaf.cell_index(), db.Trans(2, True, 0, -90_000), db.Vector(0, 50_000), db.Vector(), 6, 1)
    )
    for angle, magnification, mirrored in ((30.0, 1.7, False), (211.5, 0.5, True), (45.0, 1.0, True)):
        place = db.ICplxTrans(magnification, angle, mirrored, round(400_000 * magnification), 70_000)
        top.insert(db.CellInstArray(middle.cell_index(), place))
        top.insert(db.CellInstArray(leaf.cell_index(), place, db.Vector(30_000, 9000), db.Vector(-9000, 30_000), 2, 3))
    top.insert(db.CellInstArray(middle.cell_index(), db.Trans()))
    path = directory / "awkward.gds"
    layout.write(str(path))
    options = db.SaveLayoutOptions()
    options.format = "OASIS"
    options.oasis_compression_level = 10
    options.oasis_write_cblocks = True
    layout.write(str(path.with_suffix(".oas")), options)
    return path


@pytest.mark.parametrize("reader", ["gdstk", "klayout"])
def test_what_is_rare_in_gds(reader: str, tmp_path: Path, decoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if reader == "klayout":
        monkeypatch.setattr(worker, "GDSTK_LIMIT", 0)
    # OASIS has no round ends: KLayout writes them as polygons of their own.
    figures, texts = agree(awkward(tmp_path), tmp_path, decoder, 0.005, parts=ROUND)
    assert (figures, texts) == (25 + 3 + 1000 + 5 + 1, 8)
    plain = tmp_path / "scene.oas"
    plain.write_bytes(gzip.decompress((tmp_path / "scene.oas.gz").read_bytes()))
    wanted, found = (ends(each) for each in (tmp_path / "awkward.gds", plain))
    assert (wanted ^ found).area() <= 0.001 * wanted.area()


def ends(path: Path) -> db.Region:
    """Return what a layout has on the layer of round ends, as KLayout reads it."""
    layout = db.Layout()
    layout.read(str(path))
    shapes = layout.cell("LEAF").shapes(layout.layer(*map(int, ROUND.split("/"))))
    return db.Region([shape.polygon for shape in shapes.each()]).merged()


def test_compressed_oasis(tmp_path: Path, decoder: Path) -> None:
    figures, texts = agree(awkward(tmp_path).with_suffix(".oas"), tmp_path, decoder, 0.005)
    assert (figures, texts) == (25 + 10 + 3 + 1000 + 5 + 1, 8), "each round end is one"


@pytest.mark.parametrize("name", ["gdstk", "klayout", "records"])
def test_all_records_of_oasis(name: str, tmp_path: Path, decoder: Path) -> None:
    assert agree(FIXTURES / f"{name}.oas", tmp_path, decoder, 0.005)[0] > 10


def test_gdstk_with_repetitions_and_compression(tmp_path: Path, decoder: Path) -> None:
    library = gdstk.Library()
    cell = library.new_cell("TOP")
    for index, repetition in enumerate(
        [
            gdstk.Repetition(columns=7, rows=5, spacing=(3, 4)),
            gdstk.Repetition(columns=7, rows=5, v1=(3, 1), v2=(-1, 4)),
            gdstk.Repetition(offsets=[(2, 3), (5, -1), (9, 4)]),
            gdstk.Repetition(x_offsets=[2, 5, 11]),
            gdstk.Repetition(y_offsets=[2, 5, 11]),
        ]
    ):
        square = gdstk.rectangle((0, 0), (1, 1), layer=index)
        round_one = gdstk.ellipse((0, 50), 0.5, layer=index, datatype=1)
        slanted = gdstk.Polygon([(0, 90), (1, 90), (0.4, 91)], layer=index, datatype=2)
        wire = gdstk.FlexPath([(0, 130), (0.5, 130.7)], 0.1, ends="extended", simple_path=True, layer=index, datatype=3)
        label = gdstk.Label("x", (0, 170), layer=index, texttype=4)
        for element in (square, round_one, slanted, wire, label):
            element.repetition = repetition
            cell.add(element)
    leaf = library.new_cell("LEAF")
    leaf.add(gdstk.rectangle((0, 0), (1, 1)))
    cell.add(
        gdstk.Reference(leaf, (0, -50), rotation=math.radians(33), magnification=1.5, columns=3, rows=2, spacing=(4, 5))
    )
    path = tmp_path / "repeated.oas"
    # What gdstk calls it; its stub does not.
    circles: dict[str, Any] = {"circle_tolerance": 0.01}
    library.write_oas(path, compression_level=9, detect_rectangles=True, detect_trapezoids=True, **circles)
    copies = 35 + 35 + 4 + 4 + 4
    assert agree(path, tmp_path, decoder, 0.02) == (4 * copies + 1, copies)
    packed = tmp_path / "repeated.gds.gz"
    library.write_gds(tmp_path / "repeated.gds")
    packed.write_bytes(gzip.compress((tmp_path / "repeated.gds").read_bytes()))
    assert agree(packed, tmp_path, decoder, 0.02) == (4 * copies + 1, copies)
