from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from klayout import db, rdb

from a6hub_jupyter.layout import LayoutError, SceneCache, markers

if TYPE_CHECKING:
    from pathlib import Path


def write_report(path: Path, count: int = 0) -> None:
    """Write a report with every kind of value, sub-categories, a cell below the top, and `count` more boxes."""
    report = rdb.ReportDatabase("DRC")
    report.top_cell_name = "TOP"
    top, leaf = report.create_cell("TOP"), report.create_cell("LEAF")
    leaf.add_reference(rdb.RdbReference(db.DCplxTrans(1.0, 90.0, False, 100.0, 50.0), top.rdb_id()))
    space = report.create_category("m1.space")
    space.description = "metal 1 spacing"
    sub = report.create_category(space, "wide")
    width = report.create_category("m1.width")
    report.create_category("clean")
    pair = db.DEdgePair(db.DEdge(0, 0, 0, 2), db.DEdge(1, 0, 1, 2))
    report.create_item(top.rdb_id(), space.rdb_id()).add_value(pair)
    report.create_item(top.rdb_id(), sub.rdb_id()).add_value(db.DPolygon([(0, 0), (4, 0), (0, 3)]))  # type: ignore[list-item]
    item = report.create_item(leaf.rdb_id(), width.rdb_id())
    item.add_value(db.DBox(1, 2, 3, 4))
    item.add_value("too thin")
    report.create_item(top.rdb_id(), width.rdb_id()).add_value(db.DEdge(0, 0, 5, 0))
    for index in range(count):
        report.create_item(top.rdb_id(), width.rdb_id()).add_value(db.DBox(index, 0, index + 1, 1))
    report.save(str(path))


def collect(*reports: Path) -> dict[str, Any]:
    output = reports[0].with_suffix(".gz")
    markers.collect(output, list(reports))
    document: dict[str, Any] = json.loads(gzip.decompress(output.read_bytes()))
    return document


def test_every_kind_of_marker_in_the_top_cells_place(tmp_path: Path) -> None:
    write_report(tmp_path / "drc.lyrdb")
    document = collect(tmp_path / "drc.lyrdb")
    names = [(c["name"], c["description"], c["report"], c["count"]) for c in document["categories"]]
    assert names == [
        ("m1.width", "", "drc.lyrdb", 2),
        ("m1.space", "metal 1 spacing", "drc.lyrdb", 1),
        ("m1.space.wide", "", "drc.lyrdb", 1),
    ]
    found = {(c, kind): (points, *text) for c, kind, points, *text in document["markers"]}
    assert found[0, markers.BOX] == ([96, 51, 98, 53], "too thin"), "turned by 90 degrees and moved to (100, 50)"
    assert found[0, markers.LINE] == ([0, 0, 5, 0],)
    assert found[1, markers.BOX] == ([0, 0, 1, 2],), "an edge pair shows the space between"
    assert sorted(found[2, markers.POLYGON][0]) == [0, 0, 0, 0, 3, 4]
    assert document["note"] is None


def test_several_reports_one_of_them_broken(tmp_path: Path) -> None:
    write_report(tmp_path / "one.lyrdb")
    write_report(tmp_path / "two.lyrdb")
    (tmp_path / "bad.lyrdb").write_text("<report-database><cells>")
    document = collect(*(tmp_path / f"{name}.lyrdb" for name in ("two", "bad", "one")))
    assert [c["report"] for c in document["categories"]] == ["one.lyrdb"] * 3 + ["two.lyrdb"] * 3
    assert {document["categories"][m[0]]["report"] for m in document["markers"]} == {"one.lyrdb", "two.lyrdb"}
    assert document["note"].startswith("The report bad.lyrdb is damaged (")
    assert str(tmp_path) not in document["note"]


def test_more_than_a_browser_holds_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markers, "MARKER_LIMIT", 10)
    write_report(tmp_path / "drc.lyrdb", 100)
    document = collect(tmp_path / "drc.lyrdb")
    assert len(document["markers"]) == 10
    assert document["note"] == "94 more markers are not shown."
    assert sum(c["count"] for c in document["categories"]) == 104


@pytest.mark.parametrize("content", [b"", b"not xml", b"<report-database><items><item>"])
def test_refuses_what_is_no_report(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.lyrdb"
    path.write_bytes(content)
    with pytest.raises(LayoutError, match=r"^The report bad\.lyrdb is damaged"):
        collect(path)


def test_the_cache_makes_them_once_in_a_process_of_its_own(tmp_path: Path) -> None:
    write_report(tmp_path / "drc.lyrdb")
    cache = SceneCache(tmp_path / "cache", 1 << 20, 30.0, 2 << 30)

    async def twice() -> tuple[Path, Path, float]:
        first, second = await asyncio.gather(*(cache.markers([tmp_path / "drc.lyrdb"]) for _ in range(2)))
        return first, second, first.stat().st_mtime

    first, second, _ = asyncio.run(twice())
    assert first == second
    assert len(json.loads(gzip.decompress(first.read_bytes()))["markers"]) == 4
    (tmp_path / "bad.lyrdb").write_text("no")
    with pytest.raises(LayoutError, match="damaged"):
        asyncio.run(cache.markers([tmp_path / "bad.lyrdb"]))


def test_process_says_one_json_line(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "a6hub_jupyter.layout.markers",
        str(tmp_path / "out"),
        str(tmp_path / "gone.lyrdb"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["message"] == "The report gone.lyrdb is not there."
