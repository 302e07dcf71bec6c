"""What the viewer draws against what KLayout draws: one layer at a time, the same view, pixel by pixel."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, Page

from a6hub_jupyter.layout import scene
from tests.conftest import ROOT, SHARED

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]

WIDTH, HEIGHT = 1000, 800
WORKER = ROOT / "a6hub_jupyter" / "static" / "layout-worker.js"
FIXTURES = ROOT / "js" / "src" / "layout" / "fixtures"

# The worst share of pixels that have no neighbour of the other picture within 1 pixel: gaps thinner than a pixel.
BOUND = 0.005
# The share of all layers of a design at one zoom.
BOUND_OVERALL = 0.0005

Mask = npt.NDArray[np.bool_]

HARNESS = """async ({ worker, scene, layers }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const url = URL.createObjectURL(new Blob(["(() => {", bytes(worker), "})()"], { type: "text/javascript" }));
  const made = new Worker(url);
  const canvas = new OffscreenCanvas(1, 1);
  let heard;
  made.onmessage = ({ data }) => data.type !== "loading" && heard(data);
  made.onerror = (event) => heard({ type: "failed", message: event.message });
  const next = () => new Promise((resolve) => { heard = resolve; });
  const address = { scene: bytes(scene), layers, headers: {} };
  const opened = next();
  made.postMessage({ type: "open", canvas, address }, [canvas]);
  window.opened = await opened;
  window.say = (message) => made.postMessage(message);
  window.draw = async (view, width, height, moving = false) => {
    const drawn = next();
    made.postMessage({ type: "draw", view, width, height, ratio: 1, moving });
    return await drawn;
  };
  window.mask = async (width, height) => {
    const reply = next();
    made.postMessage({ type: "ask", number: 1, question: { type: "picture" } });
    const picture = (await reply).reply;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const bits = new Uint8Array(Math.ceil((width * height) / 8));
    for (let i = 0; i < width * height; i++) if (data[4 * i] > 128) bits[i >> 3] |= 128 >> (i & 7);
    let text = "";
    for (let i = 0; i < bits.length; i += 8192) text += String.fromCharCode(...bits.subarray(i, i + 8192));
    return btoa(text);
  };
  return window.opened;
}"""


class Ours:
    """The viewer's worker, as it is in the bundle, in a bare page."""

    def __init__(self, page: Page, source: Path, directory: Path) -> None:
        scene_file, layers_file = directory / "scene.oas.gz", directory / "layers.json"
        scene.convert(source, scene_file, layers_file, None)
        self.layers = json.loads(layers_file.read_text())
        for layer in self.layers["layers"]:
            layer.update(fill="#ffffff", frame="#ffffff", stipple=["*"], visible=True)
        data = {
            "worker": base64.b64encode(WORKER.read_bytes()).decode(),
            "scene": base64.b64encode(gzip.decompress(scene_file.read_bytes())).decode(),
            "layers": self.layers,
        }
        self._page = page
        self.opened: Any = page.evaluate(HARNESS, data)
        assert self.opened["type"] == "opened", self.opened
        options = {"fills": True, "labels": False, "depth": 0, "hidden": []}
        page.evaluate("options => say({ type: 'options', options })", options)

    def mask(self, layer: tuple[int, int], x: float, y: float, scale: float) -> Mask:
        """Draw one layer; x and y are the middle in um, `scale` pixels per um."""
        shown = [(each["layer"], each["datatype"]) == layer for each in self.opened["layers"]]
        unit = self.opened["unit"]
        view = {"x": x * unit, "y": y * unit, "scale": scale / unit}
        self._page.evaluate("visible => say({ type: 'show', visible })", shown)
        drawn = self._page.evaluate("([view, w, h]) => draw(view, w, h)", [view, WIDTH, HEIGHT])
        assert drawn["type"] == "drawn", drawn
        text = self._page.evaluate("([w, h]) => mask(w, h)", [WIDTH, HEIGHT])
        bits = np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8))
        return bits[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH).astype(bool)


class KLayouts:
    """KLayout's own view, without a window."""

    def __init__(self, source: Path) -> None:
        from klayout import db, lay

        self._view = lay.LayoutView()
        # Labels are written elsewhere; KLayout sets a pixel where one is even when they are off.
        options = db.LoadLayoutOptions()
        options.text_enabled = False
        self._view.load_layout(str(source), options, "", True)
        for name, value in {
            "background-color": "#000000",
            "grid-visible": "false",
            "grid-show-ruler": "false",
            "text-visible": "false",
            "cell-box-visible": "false",
            "min-inst-label-size": "100000",
        }.items():
            self._view.set_config(name, value)
        self._view.max_hier()
        self._lay = lay

    def mask(self, layer: tuple[int, int], x: float, y: float, scale: float) -> Mask:
        """As that of Ours."""
        from klayout import db

        self._view.clear_layers()
        properties = self._lay.LayerProperties()
        properties.source = f"{layer[0]}/{layer[1]}"
        properties.fill_color = properties.frame_color = 0xFFFFFF
        properties.dither_pattern = 0
        properties.width = 1
        properties.marked = False
        self._view.insert_layer(self._view.end_layers(), properties)
        half = WIDTH / 2 / scale, HEIGHT / 2 / scale
        self._view.zoom_box(db.DBox(x - half[0], y - half[1], x + half[0], y + half[1]))
        pixels = self._view.get_pixels_with_options(WIDTH, HEIGHT)
        data = pixels.to_png_data()
        from io import BytesIO

        from PIL import Image

        grey: Mask = np.asarray(Image.open(BytesIO(data)).convert("L")) > 128
        return grey


def grow(mask: Mask) -> Mask:
    """Add the eight neighbours of every pixel."""
    wide = np.pad(mask, 1)
    grown = np.zeros_like(mask)
    for dy in range(3):
        for dx in range(3):
            grown |= wide[dy : dy + mask.shape[0], dx : dx + mask.shape[1]]
    return grown


def beyond(one: Mask, other: Mask) -> int:
    """Count the pixels of either that the other has nothing within 1 pixel of."""
    return int((one & ~grow(other)).sum() + (other & ~grow(one)).sum())


@pytest.fixture
def bare(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


DESIGNS = {
    "spm": "spm.gds",
    "simon": "simon.gds.gz",
    "rift2Wrap": "rift2Wrap_gf180.gds.gz",
    "ihp": "ihp_stdcell_abut.gds.gz",
}


@pytest.mark.needs("shared")
@pytest.mark.parametrize("name", list(DESIGNS))
def test_real_designs_agree_with_klayout(name: str, bare: Page, tmp_path: Path) -> None:
    # In ihp cells are a fraction of a pixel at the first zoom, and up to three pixels at the second.
    zooms = (1, 2.5, 8) if name == "ihp" else (1, 4, 20)
    compare(SHARED / "gds" / DESIGNS[name], bare, tmp_path, zooms)


@pytest.mark.parametrize("name", ["gdstk", "klayout"])
def test_fixtures_agree_with_klayout(name: str, bare: Page, tmp_path: Path) -> None:
    compare(FIXTURES / f"{name}.oas", bare, tmp_path, (1, 6))


def compare(source: Path, page: Page, directory: Path, zooms: tuple[float, ...]) -> None:
    ours, theirs = Ours(page, source, directory), KLayouts(source)
    x1, y1, x2, y2 = ours.layers["bbox"]
    fit = 0.94 * min(WIDTH / (x2 - x1), HEIGHT / (y2 - y1))
    inked = 0
    for zoom in zooms:
        view = (x1 + x2) / 2, (y1 + y2) / 2, fit * zoom
        shares, beyond_all, drawn_all = [], 0, 0
        for layer in ours.layers["layers"]:
            key = layer["layer"], layer["datatype"]
            mine, klayouts = ours.mask(key, *view), theirs.mask(key, *view)
            count, drawn = beyond(mine, klayouts), int(klayouts.sum())
            inked += int(mine.sum())
            beyond_all += count
            # A handful of pixels is a corner, whatever share of a small picture it is.
            base = max(drawn, 4000)
            drawn_all += base
            shares.append((count / base, count, drawn, layer["name"]))
        worst, count, drawn, layer_name = max(shares)
        overall = beyond_all / drawn_all
        print(f"{source.name} x{zoom}: {100 * overall:.3f} % of all pixels beyond 1 pixel; ", end="")
        print(f"worst {layer_name}, {count} of {drawn}, {100 * worst:.2f} %")
        assert worst <= BOUND, sorted(shares, reverse=True)[:5]
        assert overall <= BOUND_OVERALL, sorted(shares, reverse=True)[:5]
    assert inked > 10_000, "something was drawn"
