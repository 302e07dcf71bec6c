"""The layout viewer against KLayout: the same views of the same layouts, in one run on one machine.

    python benchmarks/layout_viewer.py [--designs DIRECTORY] [LAYOUT ...]

Needs the built bundle, Chromium (CHROMIUM names another than Debian's) and playwright. Without LAYOUTs it takes the
real designs in DIRECTORY (default: ../shared/gds), and a layout of 100 MB and 50 million shapes and more that it makes
of them, or of cells of its own where there are none. KLayout's figure is klayout.lay.LayoutView drawing into memory,
without making a PNG. Beside them kweb, where it is installed (`pip install a6hub-jupyter[bench]`), see kweb_viewer.py.

Times are milliseconds that the worker took by its own clock, and in brackets what it and KLayout had of the processor:
those hold on a machine that has other work, too. The whole ends after --seconds, whatever happens.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import gzip
import json
import os
import random
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import kweb_viewer
from klayout import db, lay
from playwright.sync_api import Page, sync_playwright

from a6hub_jupyter.layout import scene

WIDTH, HEIGHT = 1600, 1000
LARGE = 100_000_000  # bytes
COPIES = 3, 2  # of each block, side by side: 50 million shapes and more
ROOT = Path(__file__).resolve().parents[1]
WORKER = ROOT / "a6hub_jupyter" / "static" / "layout-worker.js"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""

# Opens a scene in the worker as it is in the bundle, and takes the time of frames as a page sees it.
HARNESS = """async ({ worker, scene, layers }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const url = URL.createObjectURL(new Blob(["(() => {", bytes(worker), "})()"], { type: "text/javascript" }));
  const packed = bytes(scene);
  window.made?.terminate();
  window.made = new Worker(url);
  let heard;
  made.onmessage = ({ data }) => data.type !== "loading" && heard(data);
  const next = () => new Promise((resolve) => { heard = resolve; });
  const timed = async (message, transfer = []) => {
    const start = performance.now();
    const answer = next();
    made.postMessage(message, transfer);
    const data = await answer;
    if (data.type === "failed") throw new Error(data.message);
    return { milliseconds: performance.now() - start, ...data };
  };
  window.draw = (view, moving) =>
    timed({ type: "draw", view, width: WIDTH, height: HEIGHT, ratio: 1, moving });
  window.show = (visible) => made.postMessage({ type: "show", visible });
  // Of a canvas of the page, as in the viewer: what is drawn is shown, too.
  document.querySelector("canvas")?.remove();
  const seen = document.createElement("canvas");
  seen.style.width = "100%";
  document.body.append(seen);
  const canvas = seen.transferControlToOffscreen();
  const address = { scene: packed, layers, headers: {} };
  return await timed({ type: "open", canvas, address }, [canvas]);
}""".replace("WIDTH", str(WIDTH)).replace("HEIGHT", str(HEIGHT))

# Each frame is waited for, so that the browser shows all of them.
PAN = """async ([view, dx, dy]) => {
  const times = [];
  for (let i = 0; i < 20; i++) {
    view = { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
    times.push((await draw(view, true)).milliseconds);
    await new Promise(requestAnimationFrame);
  }
  return times;
}"""

ZOOM = """async (view) => {
  const times = [];
  for (let i = 0; i < 12; i++) {
    view = { ...view, scale: view.scale * 1.15 };
    times.push((await draw(view, true)).milliseconds);
    await new Promise(requestAnimationFrame);
  }
  return times;
}"""

TOGGLE = """async ([view, count]) => {
  const times = [];
  for (let i = 0; i < Math.min(count, 10); i++) {
    show(Array.from({ length: count }, (_each, index) => index !== i));
    times.push((await draw(view, false)).milliseconds);
    await new Promise(requestAnimationFrame);
  }
  show(Array.from({ length: count }, () => true));
  return times;
}"""


# Of the page and its worker, after a collection of garbage; bytes, 0 where the browser does not tell.
MEMORY = """async () => {
  if (!performance.measureUserAgentSpecificMemory) return 0;
  return (await performance.measureUserAgentSpecificMemory()).bytes;
}"""


def plain(path: Path) -> bytes:
    """Return the bytes of a file, inflated if it is packed."""
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def make_large(directory: Path, blocks: list[Path]) -> Path:
    """Write a GDS of LARGE bytes and more: copies of a real block, each with cells of its own, or random cells."""
    path = directory / "large.gds"
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("LARGE")
    if blocks:
        size = sum(len(plain(block)) for block in blocks)
        for number in range(LARGE // size + 1):
            for row, block in enumerate(blocks):
                one = db.Layout()
                one.read(str(block))
                cell = layout.create_cell(f"{block.name.split('.')[0]}_{number}")
                cell.copy_tree(one.top_cell())
                box = cell.bbox()
                pitch = db.Vector(box.width() + 10_000, 0), db.Vector(0, box.height() + 10_000)
                place = number * len(blocks) + row
                corner = pitch[0] * (place % 5 * COPIES[0]) + pitch[1] * (place // 5 * COPIES[1])
                where = db.Trans(0, bool(number & 1), corner - db.Vector(box.left, box.bottom))
                if number & 1:  # mirrored at the x axis
                    where.disp = corner + db.Vector(-box.left, box.top)
                top.insert(db.CellInstArray(cell.cell_index(), where, *pitch, *COPIES))
    else:
        chance = random.Random(1)
        layers = [layout.layer(number, 0) for number in range(1, 11)]
        for number in range(160):
            cell = layout.create_cell(f"CELL_{number}")
            for _ in range(10_000):
                x, y = chance.randrange(200_000), chance.randrange(200_000)
                box = db.Box(x, y, x + chance.randrange(50, 4000), y + 140)
                cell.shapes(chance.choice(layers)).insert(box)
            top.insert(db.CellInstArray(cell.cell_index(), db.Trans(number % 13 * 210_000, number // 13 * 210_000)))
    layout.write(str(path))
    return path


def flat_shapes(path: Path) -> int:
    """Count the shapes of a layout through all levels."""
    layout = db.Layout()
    layout.read(str(path))
    counts: dict[int, int] = {}
    for index in layout.each_cell_bottom_up():
        cell = layout.cell(index)
        own = sum(cell.shapes(layer).size() for layer in layout.layer_indexes())
        below = sum(max(1, inst.na * inst.nb) * counts[inst.cell_index] for inst in cell.each_inst())
        counts[index] = own + below
    return max(counts.values())


class Times(NamedTuple):
    """Milliseconds of frames by the clock, and of the processor for each of them: in the worker, and in all."""

    clock: list[float]
    processor: float
    browser: float = 0

    def __str__(self) -> str:
        return f"{statistics.median(self.clock):.0f}/{max(self.clock):.0f} ({self.processor:.0f})"


class ProcessorClock:
    """What the browser's threads have had of the processor; Linux tells it of each."""

    def __init__(self) -> None:
        self._threads = {
            task: self._read(task / "comm").strip() == "DedicatedWorker"
            for task in Path("/proc").glob("[0-9]*/task/[0-9]*")
            if self._ours(task.parts[2])
        }

    @staticmethod
    def _read(path: Path) -> str:
        try:
            return path.read_text()
        except OSError:  # it has ended since
            return ""

    def _ours(self, pid: str) -> bool:
        if pid == str(os.getpid()):
            return False
        while int(pid) > 1:
            if int(pid) == os.getpid():
                return True
            pid = (self._read(Path("/proc", pid, "stat")).rpartition(")")[2].split() or ["", "0"])[1]
        return False

    def milliseconds(self) -> tuple[float, float]:
        """Return the time so far of the worker, and of all."""
        times = {task: int((self._read(task / "schedstat").split() or ["0"])[0]) for task in self._threads}
        worker = sum(time for task, time in times.items() if self._threads[task])
        return worker / 1e6, sum(times.values()) / 1e6


class KLayoutView:
    """KLayout's drawing of a layout, with the layers and colours of the viewer."""

    def __init__(self, path: Path) -> None:
        start = time.perf_counter()
        self._view = lay.LayoutView()
        self._view.load_layout(str(path), True)
        self.load = 1000 * (time.perf_counter() - start)
        self._view.max_hier()
        self._view.set_config("drawing-workers", "2")

    def draw(self, x: float, y: float, width: float) -> Times:
        """Draw the view with this middle and width (um)."""
        tall = width * HEIGHT / WIDTH
        self._view.zoom_box(db.DBox(x - width / 2, y - tall / 2, x + width / 2, y + tall / 2))
        start, used = time.perf_counter(), time.process_time()
        self._view.get_pixels_with_options(WIDTH, HEIGHT)
        return Times([1000 * (time.perf_counter() - start)], 1000 * (time.process_time() - used))


def measure(page: Page, path: Path, directory: Path) -> dict[str, Any]:
    """Return the figures of one layout."""
    packed, layers = directory / f"{path.name}.oas.gz", directory / f"{path.name}.json"
    start = time.perf_counter()
    scene.convert(path, packed, layers, None)
    conversion = 1000 * (time.perf_counter() - start)
    document = json.loads(layers.read_text())
    for layer in document["layers"]:
        layer["visible"] = True
    data = {"worker": base64.b64encode(WORKER.read_bytes()).decode(), "layers": document}
    opened: Any = page.evaluate(HARNESS, {**data, "scene": base64.b64encode(packed.read_bytes()).decode()})
    clock = ProcessorClock()

    def timed(script: str, argument: object) -> Times:
        before = clock.milliseconds()
        times: list[float] = page.evaluate(script, argument)
        worker, browser = ((now - then) / len(times) for now, then in zip(clock.milliseconds(), before, strict=True))
        return Times(times, worker, browser)

    x1, y1, x2, y2 = document["bbox"]
    unit = opened["unit"]
    fit = max((x2 - x1), (y2 - y1) * WIDTH / HEIGHT) / 0.94
    views = {"fit": fit, "fit / 8": fit / 8, "30 um": 30.0}
    middle = (x1 + x2) / 2, (y1 + y2) / 2
    first: Any = page.evaluate(
        "view => draw(view, true)", {"x": middle[0] * unit, "y": middle[1] * unit, "scale": WIDTH / fit / unit}
    )
    theirs = KLayoutView(path)
    result: dict[str, Any] = {
        "conversion": conversion,
        "bytes": packed.stat().st_size,
        "opened": opened["milliseconds"],
        "first": first["milliseconds"],
        "klayout load": theirs.load,
    }
    for name, width in views.items():
        view = {"x": middle[0] * unit, "y": middle[1] * unit, "scale": WIDTH / width / unit}
        # Each repetition comes from elsewhere: a view that is there already would only be put together.
        exact, klayouts = [], []
        for repetition in range(1, 4):
            page.evaluate("view => draw(view, false)", {**view, "scale": view["scale"] * (1 + repetition / 100)})
            exact.append(timed("async view => [(await draw(view, false)).milliseconds]", view))
            theirs.draw(*middle, width * 1.01)
            klayouts.append(theirs.draw(*middle, width))
        result[name] = merged(exact), merged(klayouts)
        result[f"{name}, pan"] = timed(PAN, [view, 23, 11])
        page.evaluate("view => draw(view, false)", view)
        result[f"{name}, zoom"] = timed(ZOOM, view)
        page.evaluate("view => draw(view, false)", view)
        result[f"{name}, toggle"] = timed(TOGGLE, [view, len(document["layers"])])
    result["memory"] = page.evaluate(MEMORY)
    return result


def merged(times: list[Times]) -> Times:
    """Put repetitions together."""
    return Times([each.clock[0] for each in times], statistics.median(each.processor for each in times))


def report(path: Path, result: dict[str, Any]) -> None:
    """Print the figures of one layout."""
    print(f"\n{path.name}: {path.stat().st_size / 1e6:.1f} MB, {flat_shapes(path) / 1e6:.2f} M shapes, ", end="")
    print(f"scene {result['bytes'] / 1e6:.2f} MB")
    cached = result["opened"] + result["first"]
    print(f"  conversion {result['conversion']:.0f} ms, decode and index {result['opened']:.0f} ms, ", end="")
    print(f"first picture {result['first']:.0f} ms: cold {result['conversion'] + cached:.0f} ms, ", end="")
    print(f"cached {cached:.0f} ms")
    print(f"  KLayout: load {result['klayout load']:.0f} ms, draw {result['fit'][1]} ms; ", end="")
    print(f"memory of the page {result['memory'] / 1e6:.0f} MB")
    print("  median/worst by the clock (processor), ms")
    print(f"  {'view':8} {'exact':>18} {'KLayout':>20} {'ratio':>6} {'pan':>14} {'zoom':>14} {'toggle':>14}")
    for name in ("fit", "fit / 8", "30 um"):
        ours, theirs = result[name]
        pan, zoom, toggle = (str(result[f"{name}, {what}"]) for what in ("pan", "zoom", "toggle"))
        ratio = ours.processor / theirs.processor
        print(f"  {name:8} {ours!s:>18} {theirs!s:>20} {ratio:6.2f} {pan:>14} {zoom:>14} {toggle:>14}", flush=True)
    for what in ("pan", "zoom", "toggle"):
        whole = ", ".join(f"{result[f'{name}, {what}'].browser:.0f}" for name in ("fit", "fit / 8", "30 um"))
        print(f"  of the processor for a {what}, with all that the browser does to show it: {whole} ms")


def report_kweb(result: dict[str, Any]) -> None:
    """Print the figures of kweb."""
    print(f"  kweb: first picture {result['first']:.0f} ms, whole {result['whole']:.0f} ms, ", end="")
    print(f"{result['bytes'] / 1e6:.2f} MB; ten wheel steps end {result['late']:.0f} ms late ", end="")
    print(f"({result['frames']} pictures)")


@contextlib.contextmanager
def isolated(page: Page) -> Iterator[str]:
    """Serve the page an empty document whose headers let the browser tell its memory; yields the address."""
    origin = "http://localhost:1/"
    headers = {
        "Content-Type": "text/html",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
    }
    page.route(origin, lambda route: route.fulfill(status=200, headers=headers, body="<!doctype html>"))
    yield origin
    page.unroute(origin)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("layouts", nargs="*", type=Path)
    parser.add_argument("--designs", type=Path, default=ROOT.parent / "shared" / "gds")
    parser.add_argument("--seconds", type=int, default=900, help="stop after so many (default: %(default)s)")
    options = parser.parse_args()

    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"The benchmark was stopped after {options.seconds} s.")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(options.seconds)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        directory = Path(name)
        layouts = options.layouts
        if not layouts:
            layouts = sorted(options.designs.glob("*.gds*"), key=lambda path: path.stat().st_size)
            blocks = [path for path in layouts if path.name.startswith("simon")] or layouts[-1:]
            layouts.append(make_large(directory, blocks))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        print(f"{WIDTH} x {HEIGHT} pixels, {os.cpu_count()} cores, ", end="")
        print(f"Chromium {browser.version}, KLayout {version('klayout')}")
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        served = directory / "served"
        served.mkdir()
        lacking = kweb_viewer.missing()
        if lacking:
            print(lacking)
        with isolated(page) as origin, contextlib.ExitStack() as stack:
            url = "" if lacking else stack.enter_context(kweb_viewer.serve(served))
            for path in layouts:
                page.goto(origin)
                report(path, measure(page, path, directory))
                if url:
                    shutil.copy(path, served)
                    report_kweb(kweb_viewer.measure(browser, url, path))
        browser.close()


if __name__ == "__main__":
    main()
