"""How large is what a notebook stores, and what a page loads."""

from __future__ import annotations

import json

from a6hub_jupyter.client.relay import ASSETS
from a6hub_jupyter.widgets.build import BuildWidget
from a6hub_jupyter.widgets.bundle import BOOTSTRAP

STATIC = BOOTSTRAP.parent
MANIFEST = json.loads((STATIC / "manifest.json").read_text())


def test_a_notebook_stores_a_few_kilobytes_of_code() -> None:
    widget = BuildWidget(build_id="b")
    state = widget.get_state()
    assert len(state["_esm"].encode()) == BOOTSTRAP.stat().st_size == MANIFEST["bootstrap.js"]["size"] <= 15_000
    assert len(json.dumps({k: v for k, v in state.items() if k != "_esm"}, default=str)) < 2_000
    widget.close()


def test_a_page_without_a_layout_loads_little() -> None:
    assert 10_000 < MANIFEST["without the layout"]["gzip"] <= 40_000


def test_what_the_kernel_hands_out_is_there() -> None:
    for name in ASSETS:
        assert (STATIC / name).stat().st_size == MANIFEST[name]["size"]


def test_jupyterlab_finds_its_extension() -> None:
    package = json.loads((STATIC / "labextension" / "package.json").read_text())
    build = package["jupyterlab"]["_build"]
    text = (STATIC / "labextension" / build["load"]).read_text()
    assert f'"{package["name"]}"' in text
    assert "application/vnd.a6hub.build+json" in text
