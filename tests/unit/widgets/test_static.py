"""What a notebook shows of a build where no widget runs."""

from __future__ import annotations

import base64
import io
import random
import struct
import zlib
from html.parser import HTMLParser
from typing import Any

import pytest
from PIL import Image

from a6hub_jupyter.client import display
from a6hub_jupyter.client.errors import ServerNotFoundError
from a6hub_jupyter.client.page import log_tail, static_page, summary
from a6hub_jupyter.client.thumbnail import shrink

SAFE_TAGS = {"b", "details", "div", "img", "pre", "small", "summary", "table", "td", "tr"}


def png(columns: int, rows: int, noise: int = 0) -> bytes:
    """Return an RGB picture: red on the left, blue on the right, with that many bytes of noise a row."""
    source = random.Random(1)
    line = b"\xff\x00\x00" * (columns // 2) + b"\x00\x00\xff" * (columns - columns // 2)
    lines = b"".join(b"\x00" + source.randbytes(noise) + line[noise:] for _ in range(rows))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    ]
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body


def build(**more: Any) -> dict[str, Any]:
    step = {"id": "Yosys.Synthesis", "name": "Synthesis <1>", "state": "done", "seconds": 1.25}
    return {
        "id": "20261123-121314-counter-a1b2c3",
        "design": {"name": "<i>counter</i>"},
        "state": "succeeded",
        "flow": "Express",
        "pdk": "sky130A",
        "pdk_note": "functional",
        "error": None,
        "metrics": {"design__instance__count__stdcell": 28, "design__lvs_error__count": 2, "timing__setup__ws": 1.5},
        "steps": [step],
        "started": "2026-11-23T12:00:00.000Z",
        "finished": "2026-11-23T12:03:07.000Z",
        "log_size": 100,
        "has_picture": True,
        **more,
    }


class Tags(HTMLParser):
    """Collects what a sanitiser looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_is_safe_and_tells_state_times_figures_and_the_log() -> None:
    page = static_page(build(), b"png", "<script>alert(1)</script>")
    tags = Tags()
    tags.feed(page)
    assert {tag for tag, _ in tags.found} <= SAFE_TAGS
    assert {name for _, attributes in tags.found for name in attributes} <= {"alt", "src", "style"}
    for text in (
        "✓ succeeded after 3:07",
        "&lt;i&gt;counter",
        "Synthesis &lt;1&gt;",
        "1.2 s",
        "Cells",
        "28",
        "1.50 ns",
    ):
        assert text in page
    assert "&lt;script&gt;" in page
    assert "Layout vs. netlist errors</td><td>2</td><td>✗ fail" in page
    assert "Worst setup slack</td><td>1.50 ns</td><td>✓ pass" in page


def test_a_failed_build_names_its_step() -> None:
    error = {"message": "a < b", "step": "Yosys.Synthesis"}
    data = build(state="failed", error=error, metrics={}, finished=None)
    assert "✗ <b>Synthesis &lt;1&gt; failed.</b> a &lt; b" in static_page(data, None)
    assert summary(data) == "Build 20261123-121314-counter-a1b2c3: failed\n✗ a < b"


def test_the_tail_is_plain_short_and_without_what_was_overwritten() -> None:
    raw = b"".join(b"\x1b[32mline %d\x1b[0m %s flow.py:12   \r\n" % (n, b" " * 90) for n in range(100))
    raw += b"10 %\r20 %\r\n\x1b]8;;file:///x\x1b\\link\x1b]8;;\x1b\\\x07\r\n" + b"x" * 5000 + b"\r\n\r\n"
    lines = log_tail(raw).split("\n")
    assert len(lines) == 40
    assert lines[0] == "line 63"
    assert lines[-3:-1] == ["20 %", "link"]
    assert lines[-1] == "x" * 300 + "…"


def test_a_picture_is_made_small() -> None:
    small = shrink(png(1000, 600, noise=900), 500)
    assert small is not None
    columns, rows = struct.unpack_from(">II", small, 16)
    assert (columns, rows) == (500, 300)
    assert len(small) < len(png(1000, 600, noise=900)) / 3
    exact = shrink(png(100, 4), 500)
    assert exact is not None
    colours = Image.open(io.BytesIO(exact)).convert("RGB")
    assert colours.size == (100, 4)
    assert [colours.getpixel((x, 0)) for x in (0, 99)] == [(255, 0, 0), (0, 0, 255)]


@pytest.mark.parametrize("broken", [b"", b"no picture", png(50, 50)[:40], png(50, 50).replace(b"IDAT", b"IDAX")])
def test_a_broken_picture_is_none(broken: bytes) -> None:
    assert shrink(broken, 500) is None


class FakeServer:
    """Answers with a picture and a log, or not at all."""

    def __init__(self, picture: bytes | None) -> None:
        self.picture = picture

    def get_bytes(self, path: str, _headers: Any = None) -> bytes:
        if self.picture is None:
            raise ServerNotFoundError("gone")
        return self.picture if path.endswith("picture") else b"the last line\n"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was displayed."""
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(display, "display", lambda bundle, **_: bundles.append(bundle))
    return bundles


@pytest.mark.parametrize("picture", [png(200, 200), png(1200, 1200, noise=1500)])
def test_the_bundle_has_all_forms_and_stays_small(
    monkeypatch: pytest.MonkeyPatch, shown: list[dict[str, Any]], picture: bytes
) -> None:
    monkeypatch.setattr(display, "current_server", lambda: FakeServer(picture))
    display.BuildDisplay("20261123-121314-counter-a1b2c3").show(build())
    (bundle,) = shown
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
    assert "the last line" in bundle["text/html"]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert sum(len(str(part)) for part in bundle.values()) < 500_000


def test_without_an_answer_the_rest_is_shown(monkeypatch: pytest.MonkeyPatch, shown: list[dict[str, Any]]) -> None:
    monkeypatch.setattr(display, "current_server", lambda: FakeServer(None))
    display.BuildDisplay("20261123-121314-counter-a1b2c3").show(build())
    assert "image/png" not in shown[0]
    assert "Synthesis" in shown[0]["text/html"]
