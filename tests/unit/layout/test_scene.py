from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import gdstk
import pytest
from klayout import db

from a6hub_jupyter.layout import scene as worker
from a6hub_jupyter.layout.errors import LayoutError

if TYPE_CHECKING:
    from pathlib import Path


def convert(source: Path, lyp: Path | None = None) -> tuple[bytes, dict[str, Any]]:
    """Convert in this process; return the plain scene and the layers."""
    scene, layers = source.with_suffix(".oas.gz"), source.with_suffix(".json")
    worker.convert(source, scene, layers, lyp)
    assert not list(source.parent.glob("*.part"))
    return gzip.decompress(scene.read_bytes()), json.loads(layers.read_text())


def same_layout(source: Path, plain: bytes) -> bool:
    """Say whether scene and source have the same shapes, layer by layer, going down the hierarchy."""
    written = source.with_suffix(".scene.oas")
    written.write_bytes(plain)
    one, other = db.Layout(), db.Layout()
    one.read(str(source))
    other.read(str(written))
    keys = {(one.get_info(index).layer, one.get_info(index).datatype) for index in one.layer_indexes()}
    for key in keys:
        regions = [db.Region(each.top_cell().begin_shapes_rec(each.layer(*key))).merged() for each in (one, other)]
        if not (regions[0] ^ regions[1]).is_empty():
            return False
    return bool(keys)


@pytest.fixture(params=["gdstk", "klayout"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if name == "klayout":
        monkeypatch.setattr(worker, "GDSTK_LIMIT", 0)
    return name


def test_scene_is_plain_oasis_with_the_same_shapes(layout: Path, engine: str) -> None:
    plain, _ = convert(layout)
    assert plain.startswith(b"%SEMI-OASIS\r\n")
    assert same_layout(layout, plain), engine


def test_hierarchy_is_kept(layout: Path, engine: str) -> None:
    plain, _ = convert(layout)
    path = layout.with_suffix(".again.oas")
    path.write_bytes(plain)
    top = gdstk.read_oas(path).top_level()[0]
    assert isinstance(top, gdstk.Cell)
    assert (len(top.references), len(top.polygons)) == (3, 0), engine


def test_layers_only_those_present(layout: Path, lyp: Path, engine: str) -> None:
    _, document = convert(layout, lyp)
    assert [(one["layer"], one["datatype"], one["name"]) for one in document["layers"]] == [
        (68, 20, "met1.drawing"),
        (64, 20, "nwell"),
        (67, 20, "li1"),
        (68, 5, "68/5"),
    ], engine
    assert set(document["layers"][0]) == {"layer", "datatype", "name", "fill", "frame", "visible", "stipple"}
    assert document["top"] == "TOP"
    assert document["dbu"] == pytest.approx(0.001)
    assert document["note"] is None
    assert document["bbox"] == pytest.approx([-0.1, -0.25, 60.25, 19.0])


def test_reads_gzip_and_oasis(layout: Path) -> None:
    packed = layout.with_name("packed.gds.gz")
    packed.write_bytes(gzip.compress(layout.read_bytes()))
    oasis = layout.with_name("other.oas")
    gdstk.read_gds(layout).write_oas(oasis)  # compressed, with CBLOCKs
    for source in (packed, oasis):
        plain, document = convert(source)
        assert same_layout(source, plain)
        assert len(document["layers"]) == 4


def test_same_input_same_bytes(layout: Path) -> None:
    convert(layout)
    first = layout.with_suffix(".oas.gz").read_bytes()
    convert(layout)
    assert layout.with_suffix(".oas.gz").read_bytes() == first


def test_a_cell_that_is_placed_but_missing_is_forgiven(tmp_path: Path) -> None:
    library = gdstk.Library()
    cell = library.new_cell("TOP")
    cell.add(gdstk.rectangle((0, 0), (1, 1)), gdstk.Reference(gdstk.Cell("GONE"), (5, 5)))
    path = tmp_path / "hole.gds"
    library.write_gds(path)
    _, document = convert(path)
    assert document["top"] == "TOP"


def test_broken_lyp_costs_the_colours_only(layout: Path, tmp_path: Path) -> None:
    _, document = convert(layout, tmp_path / "gone.lyp")
    assert len(document["layers"]) == 4
    assert "gone.lyp" in document["note"]


def test_refuses_with_a_sentence(layout: Path, tmp_path: Path, engine: str) -> None:
    whole = layout.read_bytes()
    cases = {
        "gone.gds": (None, "is not there"),
        "nothing.gds": (b"", "is empty"),
        "text.gds": (b"module counter;\nendmodule\n", "neither GDSII nor OASIS"),
        "short.gds": (whole[: len(whole) // 2], "damaged"),
        "wrong.gds": (whole[:100] + b"\xff" * 200 + whole[300:], "damaged"),
        "short.gds.gz": (gzip.compress(whole)[:200], "damaged"),
        "short.oas": (b"%SEMI-OASIS\r\n\x01", "damaged"),
    }
    for name, (content, expected) in cases.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(LayoutError) as caught:
            convert(path)
        assert expected in caught.value.message, (name, engine)
        assert name in caught.value.message
        assert caught.value.remedy
        assert str(tmp_path) not in caught.value.message


def test_refuses_a_layout_without_shapes(tmp_path: Path, engine: str) -> None:
    library = gdstk.Library()
    library.new_cell("TOP")
    path = tmp_path / "bare.gds"
    library.write_gds(path)
    with pytest.raises(LayoutError, match="has no shapes"):
        convert(path)
    assert engine


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "a6hub_jupyter.layout.scene", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)


def test_process_says_one_json_line_and_no_traceback(tmp_path: Path) -> None:
    done = run(str(tmp_path / "gone.gds"), str(tmp_path / "a"), str(tmp_path / "b"))
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = done.stdout.splitlines()
    assert set(json.loads(line)) == {"message", "remedy"}


def test_process_limits_its_memory(layout: Path, tmp_path: Path) -> None:
    done = run(str(layout), str(tmp_path / "a"), str(tmp_path / "b"), "--memory", str(30 << 20))
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "a").exists()


def record(kind: int, data: bytes = b"") -> bytes:
    """Return a record of GDSII."""
    return struct.pack(">HH", 4 + len(data), kind) + data


def test_a_small_file_that_is_large_inside_meets_the_limit(tmp_path: Path) -> None:
    units = bytes.fromhex("3e4189374bc6a7f03944b82fa09b5a51")
    head = [(0x0002, b"\2X"), (0x0102, bytes(24)), (0x0206, b"L\0"), (0x0305, units)]
    head += [(0x0502, bytes(24)), (0x0606, b"TOP\0")]
    corners = struct.pack(">10i", 0, 0, 0, 50, 100, 50, 100, 0, 0, 0)
    boxes = 10_000 * [(0x0800, b""), (0x0D02, b"\0\1"), (0x0E02, b"\0\0"), (0x1003, corners), (0x1100, b"")]
    parts = [b"".join(record(*one) for one in each) for each in (head, boxes, [(0x0700, b""), (0x0400, b"")])]
    first, middle, last = (gzip.compress(part) for part in parts)
    path = tmp_path / "bomb.gds.gz"
    path.write_bytes(first + 600 * middle + last)  # 6 million boxes
    assert path.stat().st_size < 5e6
    done = run(str(path), str(tmp_path / "a"), str(tmp_path / "b"), "--memory", str(300 << 20))
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["message"] == "The layout bomb.gds.gz needs more memory than the limit of 300 MB."
    assert list(tmp_path.iterdir()) == [path]


def test_importing_the_package_loads_no_reader() -> None:
    code = "import sys, a6hub_jupyter.layout; print({'gdstk', 'klayout', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
