"""Small layouts, made anew for each test."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import gdstk
import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = """
import { build } from "esbuild";
const contents = 'export * from "./src/layout/oasis/decode"; export * from "./src/layout/scene";';
const stdin = { contents, resolveDir: process.cwd() };
await build({ stdin, bundle: true, format: "esm", outfile: process.argv[1], logLevel: "error" });
"""


def _library() -> gdstk.Library:
    library = gdstk.Library("small", unit=1e-6, precision=1e-9)
    leaf = library.new_cell("LEAF")
    leaf.add(gdstk.rectangle((0, 0), (1, 2), layer=68, datatype=20))
    leaf.add(gdstk.Polygon([(0, 0), (3, 0), (0, 1)], layer=64, datatype=20))
    leaf.add(gdstk.FlexPath([(0, 0), (4, 0), (4, 4)], 0.2, layer=67, datatype=20, simple_path=True))
    leaf.add(gdstk.Label("VPWR", (0.5, 0.5), layer=68, texttype=5))
    top = library.new_cell("TOP")
    top.add(gdstk.Reference(leaf, (10, 10), columns=3, rows=2, spacing=(6, 5)))
    top.add(gdstk.Reference(leaf, (0, 0), rotation=1.5707963267948966, x_reflection=True))
    top.add(gdstk.Reference(leaf, (50, 0), magnification=2.5))
    return library


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A GDSII file with an array, mirrored and magnified cells, a path, a polygon and a text."""
    path = tmp_path / "small.gds"
    _library().write_gds(path)
    return path


@pytest.fixture
def lyp(tmp_path: Path) -> Path:
    """A layer properties file with duplicates, a group, a nameless entry and a wildcard."""
    path = tmp_path / "small.lyp"
    path.write_text(
        """<?xml version="1.0" encoding="utf-8"?>
<layer-properties>
 <properties><frame-color>#112233</frame-color><fill-color>#AABBCC</fill-color><dither-pattern>C1</dither-pattern><visible>true</visible>
  <name>met1.drawing - 68/20</name><source>68/20@1</source></properties>
 <properties><fill-color>#000000</fill-color><name>again</name><source>68/20@1</source></properties>
 <properties><name>wells</name><visible>false</visible><source>*/*@*</source>
  <group-members><fill-color>#00cc66</fill-color><visible>true</visible><name>nwell</name>
   <source>64/20</source></group-members></properties>
 <properties><fill-color/><name/><visible>true</visible><source>li1 67/20@1</source></properties>
 <properties><fill-color>#123456</fill-color><name>absent</name><source>99/0@1</source></properties>
 <custom-dither-pattern><pattern><line>....</line></pattern><order>1</order></custom-dither-pattern>
 <custom-dither-pattern><pattern><line>*...</line><line>..*.</line></pattern><order>2</order>
  </custom-dither-pattern>
</layer-properties>
""",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The browser's decoder as a module for node; skips where node or js/node_modules is missing."""
    if shutil.which("node") is None or not (ROOT / "js" / "node_modules" / "esbuild").is_dir():
        pytest.skip("the decoder needs node and js/node_modules")
    bundle = tmp_path_factory.mktemp("decoder") / "decoder.mjs"
    command = ["node", "--input-type=module", "--eval", BUNDLE, str(bundle)]
    subprocess.run(command, cwd=ROOT / "js", check=True, timeout=60)
    return bundle
