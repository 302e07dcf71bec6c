"""The layout widget as Python uses it, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError

from a6hub_jupyter.client import layouts
from a6hub_jupyter.widgets.bundle import BOOTSTRAP
from a6hub_jupyter.widgets.layout import LayoutWidget

LAYERS = [
    {"layer": 68, "datatype": 20, "name": "met1.drawing", "visible": True},
    {"layer": 69, "datatype": 20, "name": "met2.drawing", "visible": True},
]


@pytest.fixture
def widget(monkeypatch: pytest.MonkeyPatch) -> LayoutWidget:
    """A widget whose server is made up."""

    def ask(_widget: LayoutWidget, what: str) -> Any:
        return {"layers": [dict(each) for each in LAYERS]} if what == "layers" else None

    monkeypatch.setattr(layouts, "_ask", ask)
    monkeypatch.setattr(layouts, "_scene", lambda _widget: b"%SEMI-OASIS\r\n" + bytes(1000))
    return LayoutWidget(path="chips/$data <b>.gds")


def test_goes_to_places_and_shows_layers_by_name_or_number(widget: LayoutWidget) -> None:
    widget.goto(10, 20, 5)
    widget.show("met1.drawing")
    assert widget.view == {"x": 10, "y": 20, "width": 5, "hidden": ["69/20"]}
    assert [layer["visible"] for layer in widget.layers] == [True, False]
    widget.show("69/20")
    assert widget.view["hidden"] == ["68/20"]
    widget.show()
    assert widget.view["hidden"] == []
    with pytest.raises(ValueError, match=r"^The layout has no layer 'met9'\. It has met1\.drawing, met2\.drawing\.$"):
        widget.show("met9")


@pytest.mark.parametrize("view", [{"x": "left"}, {"hidden": "68/20"}, {"hidden": [68]}, {"zoom": 2}, {"x": True}])
def test_refuses_a_view_that_is_none(widget: LayoutWidget, view: dict[str, Any]) -> None:
    with pytest.raises(TraitError, match="view"):
        widget.view = view
    assert widget.view == {}


def test_refuses_a_width_of_nothing(widget: LayoutWidget) -> None:
    with pytest.raises(ValueError, match="width is a number above 0"):
        widget.goto(0, 0, 0)


def test_nets_of_a_file_are_refused_in_a_sentence(widget: LayoutWidget) -> None:
    sentence = r"^Nets are known for the layouts of builds alone, from their DEF\.$"
    with pytest.raises(ValueError, match=sentence):
        widget.nets("clk")
    with pytest.raises(ValueError, match=sentence):
        widget.highlight(net="clk")
    assert widget.net == "", "nothing is shown that is not there"
    widget.highlight()  # to show all again needs no nets


def test_reading_again_is_told_to_the_page(widget: LayoutWidget) -> None:
    before = widget._reloads
    widget.reload()
    assert widget._reloads == before + 1


@pytest.mark.skipif(not BOOTSTRAP.exists(), reason="the bundle is not built")
def test_the_page_holds_the_data_whatever_the_file_is_called(
    widget: LayoutWidget, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    widget.goto(1, 2, 3)
    page = widget.to_html(tmp_path / "chip.html").read_text(encoding="utf-8")
    assert "<title>$data &lt;b&gt;.gds</title>" in page
    start = page.index('id="data">') + len('id="data">')
    data = json.loads(page[start : page.index("</script>", start)])
    assert data["traits"]["view"] == {"x": 1, "y": 2, "width": 3}
    assert [layer["name"] for layer in data["layers"]["layers"]] == ["met1.drawing", "met2.drawing"]
    assert "MB" in capsys.readouterr().out
    assert "http" not in page.replace("http://www.w3.org", "")[: page.index('id="data"')], "nothing from elsewhere"


@pytest.mark.skipif(not BOOTSTRAP.exists(), reason="the bundle is not built")
def test_a_small_layout_is_stored_to_be_zoomed_without_a_server(
    widget: LayoutWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "snapshot_of", lambda *_: b"a picture")
    layouts._keep(widget)
    bundle, _ = widget._repr_mimebundle_()
    assert "<img " in bundle["text/html"]  # where frames are taken out
    assert '<iframe title="Layout"' in bundle["text/html"]
    assert 'sandbox="allow-scripts"' in bundle["text/html"]
    assert "<script" not in bundle["text/html"], "all of the page is quoted"
    monkeypatch.setattr(layouts, "MAX_SCENE", 10)
    large = LayoutWidget(path="large.gds")
    layouts._keep(large)
    assert "text/html" not in large._repr_mimebundle_()[0]
