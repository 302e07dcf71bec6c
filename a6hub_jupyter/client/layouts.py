"""Layouts in a notebook."""

from __future__ import annotations

import base64
import contextlib
import difflib
import gzip
import html
import json
import sys
import tempfile
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

from ..widgets.bundle import BOOTSTRAP
from ..widgets.layout import LayoutWidget
from .errors import A6HubError, RequestRefusedError
from .server import current_server
from .thumbnail import picture_for_notebook

# Of the picture that stands for the layout where there is no server: bytes, and pixels across.
MAX_PICTURE, WIDTH = 150_000, 500
# Of the scene, in base64, that is stored with a notebook to be zoomed there: bytes.
MAX_SCENE = 1 << 20
# The picture lies under the frame, and stays where frames are taken out: GitHub, a notebook that is not trusted.
_STAGE, _UNDER = "position: relative; min-height: 500px", "max-width: 100%; max-height: 500px"
_FRAME = "position: absolute; top: 0; left: 0; width: 100%; height: 100%; border: 0"


def layout(path: str | Path, *, compare: str | Path | None = None) -> LayoutWidget:
    """Show a layout file (.gds, .gds.gz, .oas) below the server's root; relative paths count from here.

    ``compare`` is another one: shown is where they differ, and each of them (key ``x``).
    """
    files = []
    for each in (path, compare):
        if each is not None:
            absolute = Path(each).expanduser().resolve()
            current_server().get("layouts/layers", path=str(absolute))  # says now, in a sentence, what is wrong with it
            files.append(str(absolute))
    widget = LayoutWidget(path=files[0], other=files[1] if compare is not None else "")
    _keep(widget)
    return widget


def comparison_of_builds(build_id: str, other: str) -> LayoutWidget:
    """Show where the layouts of two builds differ."""
    for each in (build_id, other):
        current_server().get(f"builds/{each}/layers")
    return LayoutWidget(build_id=build_id, other_build=other)


def layout_of_build(build_id: str) -> LayoutWidget:
    """Show the layout that a build has made."""
    server = current_server()
    server.get(f"builds/{build_id}/layers")
    widget = LayoutWidget(build_id=build_id)
    with contextlib.suppress(A6HubError):  # for who reads the notebook without a server
        widget.picture = picture_for_notebook(server.get_bytes(f"builds/{build_id}/picture"), MAX_PICTURE, WIDTH)
    _keep(widget)
    return widget


def _keep(widget: LayoutWidget) -> None:
    """Give the widget what is stored with the notebook, for readers without a server, where the layout is small."""
    with contextlib.suppress(A6HubError):
        page = page_of(widget, MAX_SCENE)
        if page is None:
            return
        if widget.picture is None:
            widget.picture = picture_for_notebook(snapshot_of(widget, WIDTH, WIDTH * 3 // 4), MAX_PICTURE, WIDTH)
        widget.page = f'<div style="{_STAGE}">'
        if widget.picture:
            source = f"data:image/png;base64,{base64.b64encode(widget.picture).decode()}"
            widget.page += f'<img alt="{html.escape(title_of(widget))}" style="{_UNDER}" src="{source}">'
        widget.page += f'<iframe title="Layout" style="{_FRAME}" sandbox="allow-scripts" srcdoc="{html.escape(page)}">'
        widget.page += "</iframe></div>"


def snapshot_of(widget: LayoutWidget, width: int, height: int) -> bytes:
    """Return a PNG of what the widget shows, by klayout."""
    view = widget.view
    asked = {"width": str(width), "height": str(height)}
    if {"x", "y", "width"} <= set(view):
        asked |= {"x": str(view["x"]), "y": str(view["y"]), "size": str(view["width"])}
    if view.get("hidden"):
        asked["hidden"] = ",".join(view["hidden"])
    if widget.build_id:
        return current_server().get_bytes(f"builds/{widget.build_id}/snapshot?{urlencode(asked)}")
    return current_server().get_bytes(f"layouts/snapshot?{urlencode({'path': widget.path, **asked})}")


def library_of_build(build_id: str) -> Any:
    """Return the layout of a build as a ``gdstk.Library``; RequestRefusedError when there is none yet."""
    import gdstk  # noqa: PLC0415 - half a second and numpy, for those who ask for it

    # The scene is what the server has of it, whatever the GDS is called: the same shapes, in the same cells.
    plain = _scene(LayoutWidget(build_id=build_id))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "layout.oas")
        file.write_bytes(plain)
        return gdstk.read_oas(file)


def layers_of(widget: LayoutWidget) -> list[dict[str, Any]]:
    """Return the layers of what a widget shows, bottom first."""
    layers: list[dict[str, Any]] = _ask(widget, "layers")["layers"]
    return layers


def nets_of(widget: LayoutWidget, text: str, limit: int) -> list[str]:
    """Return names of nets that contain ``text``; ValueError for a layout without nets."""
    if not widget.build_id:
        raise ValueError("Nets are known for the layouts of builds alone, from their DEF.")
    found = current_server().get(f"builds/{widget.build_id}/nets", text=text, limit=str(limit))
    return [str(net["name"]) for net in found["nets"]]


def check_net(widget: LayoutWidget, name: str) -> None:
    """ValueError when the design has no net of this name, with names that are alike."""
    found = nets_of(widget, name, 1000)
    if name in found:
        return
    near = difflib.get_close_matches(name, found or nets_of(widget, "", 1000), n=5, cutoff=0.3)
    raise ValueError(f"The design has no net '{name}'." + (f" It has {', '.join(near)}." if near else ""))


def differences_of(widget: LayoutWidget) -> list[dict[str, Any]]:
    """Return the places where two layout files differ; ValueError unless there are two."""
    if not (widget.path and widget.other):
        raise ValueError("Give two files: a6hub.layout('a.gds', compare='b.gds').differences().")
    found = current_server().get("layouts/differences", path=widget.path, other=widget.other)
    names = [category["name"] for category in found["categories"]]
    return [
        {"layer": names[category], "box": box, "only_in": text.removeprefix("only in ")}
        for category, _, box, text in found["markers"]
    ]


def write_page(widget: LayoutWidget, path: Path) -> Path:
    """Write a page that shows what the widget shows, without a server; prints its size in MB."""
    page = page_of(widget)
    if page is None:
        raise A6HubError("a6hub-jupyter was installed without its JavaScript; run 'npm ci && npm run build' in js/.")
    path.write_text(page, encoding="utf-8")
    sys.stdout.write(f"{path}: {path.stat().st_size / 1e6:.1f} MB\n")
    return path


def page_of(widget: LayoutWidget, limit: int | None = None) -> str | None:
    """Return the page; None without the bundle, and where the scene has more than ``limit`` bytes."""
    bundle = {name: BOOTSTRAP.with_name(name) for name in ("main.js", "layout-worker.js")}
    if not all(file.exists() for file in bundle.values()):
        return None
    scene = _packed(_scene(widget))
    if limit is not None and len(scene) > limit:
        return None
    try:
        markers = _ask(widget, "markers") if widget.build_id or widget.markers or widget.other else None
    except RequestRefusedError:
        markers = None  # a page without markers is worth more than none
    data = {
        "layers": _ask(widget, "layers"),
        "markers": markers,
        "view": widget.view,
        "scene": scene,
        "other": _other(widget),
        **{key: _packed(file.read_bytes()) for key, file in bundle.items()},
    }
    # A script ends at `</`, whatever it is within.
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    return _PAGE.substitute(title=html.escape(title_of(widget)), data=text)


def title_of(widget: LayoutWidget) -> str:
    """Return what a page calls the layout."""
    return widget.build_id or Path(widget.path).name


def _packed(plain: bytes) -> str:
    return base64.b64encode(gzip.compress(plain, 9, mtime=0)).decode()


def _other(widget: LayoutWidget) -> dict[str, Any] | None:
    """Return the scene and the layers of the layout that is compared with."""
    if not widget.other and not widget.other_build:
        return None
    other = LayoutWidget(path=widget.other, build_id=widget.other_build)
    return {"scene": _packed(_scene(other)), "layers": _ask(other, "layers")}


def _ask(widget: LayoutWidget, what: str) -> Any:
    if what == "markers" and widget.markers:
        return current_server().get("layouts/markers", path=widget.markers)
    if what == "markers" and widget.path:
        return current_server().get("layouts/differences", path=widget.path, other=widget.other)
    if widget.build_id:
        return current_server().get(f"builds/{widget.build_id}/{what}")
    return current_server().get(f"layouts/{what}", path=widget.path)


def _scene(widget: LayoutWidget) -> bytes:
    """Return the scene, plain: the HTTP client has inflated it."""
    if widget.build_id:
        return current_server().get_bytes(f"builds/{widget.build_id}/scene")
    return current_server().get_bytes(f"layouts/scene?{urlencode({'path': widget.path})}")


_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>html, body { height: 100%; margin: 0; } body > div, main { height: 100%; }</style>
<main></main>
<noscript>This page shows a chip's layout, drawn by JavaScript, which is switched off here.</noscript>
<script type="application/json" id="data">$data</script>
<script type="module">
const data = JSON.parse(document.getElementById("data").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const script = (...parts) => URL.createObjectURL(new Blob(parts, { type: "text/javascript" }));
const unpacked = (text) => new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
const plain = (text) => new Response(unpacked(text)).blob();
const [main, worker] = await Promise.all([plain(data["main.js"]), plain(data["layout-worker.js"])]);
const { renderLayout } = await import(script(main));
renderLayout({
  el: document.querySelector("main"),
  base: "", token: "", signal: new AbortController().signal,
  model: { get: (name) => (name === "view" ? data.view : "") },
  saved: {
    address: {
      scene: bytes(data.scene), layers: data.layers, markers: data.markers ?? undefined, headers: {},
      other: data.other ? { scene: bytes(data.other.scene), layers: data.other.layers } : undefined,
    },
    worker: script("(() => {", worker, "})()"),
  },
});
</script>
</html>
""")
