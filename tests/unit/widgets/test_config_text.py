"""The configuration as text and the chooser of presets, without a browser: what a user makes of them, and back."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pytest

from a6hub_jupyter.client.settings import Settings
from a6hub_jupyter.widgets.config_text import ConfigText, TextError, dumped, line_of, parsed
from a6hub_jupyter.widgets.preset_chooser import PresetChooser

CONFIG = {
    "DESIGN_NAME": "counter",
    "VERILOG_FILES": ["dir::counter.v"],
    "CLOCK_PERIOD": 7.5,
    "RUN_LVS": True,
    "DIE_AREA": [0, 0, 100, 100],
    "SYNTH_DEFINES": None,
    "pdk::sky130*": {"FP_CORE_UTIL": 40, "WORDS": "on"},
}


@pytest.mark.parametrize("kind", ["JSON", "YAML"])
def test_a_configuration_is_the_same_after_text(kind: str) -> None:
    assert parsed(dumped(CONFIG, kind), kind) == CONFIG


@pytest.mark.parametrize(
    ("kind", "text", "line", "words"),
    [
        ("JSON", '{\n  "A": 1,\n  "B": \n}', 4, "no JSON: expecting value"),
        ("JSON", '{\n  "A": 1,\n  "A": 2\n}', 3, "A stands here twice"),
        ("JSON", "[1]", 1, "mapping"),
        ("JSON", "", 1, "no JSON"),
        ("JSON", '{"A": NaN}', None, "A is no finite number"),
        ("JSON", "[" * 100_000, None, "too deeply"),
        ("YAML", "A: 1\nB: [2\nC: 3\n", 3, "no YAML"),
        ("YAML", "A: 1\nA: 2\n", 2, "no YAML"),
        ("YAML", "A: 1\n\tB: 2\n", 2, "no YAML"),
        ("YAML", "just words", 1, "mapping"),
        ("YAML", "", 1, "mapping"),
        ("YAML", "1: 2", None, "the name 1 is no text"),
        ("YAML", "A: 2026-11-25", None, "A is a date; put it in quotes"),
        ("YAML", "a: !!python/name:os.system", 1, "no YAML"),
        ("YAML", "a: \x00", None, "no YAML"),
    ],
)
def test_what_is_no_configuration_is_told_with_its_line(kind: str, text: str, line: int | None, words: str) -> None:
    with pytest.raises(TextError) as caught:
        parsed(text, kind)
    assert caught.value.line == line
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert line is None or str(caught.value).startswith(f"Line {line}: ")


def test_many_values_from_few_lines_are_refused() -> None:
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(TextError, match="too many values"):
        parsed("\n".join(["a0: &a0 [1, 2, 3]", *rows]), "YAML")


def test_a_name_is_found_on_its_line() -> None:
    text = dumped({"X": {"CLOCK_PERIOD": 1}, "CLOCK_PERIOD": 2}, "JSON")
    assert text.splitlines()[(line_of("CLOCK_PERIOD", text) or 0) - 1] == '  "CLOCK_PERIOD": 2'
    assert line_of("CLOCK_PERIOD", "X:\n  CLOCK_PERIOD: 1\nCLOCK_PERIOD: 2\n") == 3
    assert line_of("CLOCK", text) is None


class TestConfigText:
    """A design's settings beside it: each follows the other."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(DESIGN_NAME="counter", CLOCK_PERIOD=10)

    @pytest.fixture
    def text(self, settings: Settings) -> ConfigText:
        text = ConfigText(settings.replace)
        settings.on_change(lambda: text.show(settings, text.kind))
        text.show(settings, "JSON")
        return text

    def test_text_and_dict_follow_each_other(self, text: ConfigText, settings: Settings) -> None:
        told: list[dict[str, Any]] = []
        settings.on_change(lambda: told.append(dict(settings)))
        written = '{"CLOCK_PERIOD":   12, "FP_CORE_UTIL": 40}'
        text.area.value = written
        assert told == [{"CLOCK_PERIOD": 12, "FP_CORE_UTIL": 40}]  # one change, what is not there any more is gone
        assert text.area.value == written  # as it was written, though we would write it otherwise
        settings["FP_CORE_UTIL"] = 50
        assert parsed(text.area.value, "JSON") == {"CLOCK_PERIOD": 12, "FP_CORE_UTIL": 50}
        text.show(settings, "YAML")
        assert text.area.value == "CLOCK_PERIOD: 12\nFP_CORE_UTIL: 50\n"
        assert len(told) == 2

    def test_a_half_typed_text_changes_nothing_and_can_be_taken_back(
        self, text: ConfigText, settings: Settings
    ) -> None:
        text.area.value = '{\n"CLOCK_PERIOD": 1'
        assert settings == {"DESIGN_NAME": "counter", "CLOCK_PERIOD": 10}
        said, back = text.children[1].children
        assert "Line 2: this is no JSON" in said.value
        text.tell([("error", {"field": "config.CLOCK_PERIOD", "message": "Another.", "remedy": ""})])
        assert "Another" not in said.value
        assert back.layout.display is None or back.layout.display != "none"
        back.click()
        assert parsed(text.area.value, "JSON") == settings
        assert back.layout.display == "none"
        assert "Line 3: Another." in said.value

    def test_findings_stand_with_their_lines(self, text: ConfigText) -> None:
        finding = {"field": "config.CLOCK_PERIOD.0", "message": "<b> is wrong.", "remedy": "Mend it."}
        text.tell([("error", finding), ("warning", {"field": "pdk", "message": "Missing.", "remedy": ""})])
        said = text.children[1].children[0].value
        assert "Line 3: &lt;b&gt; is wrong. Mend it." in said
        assert ">Missing. <" in said


class TestPresetChooser:
    """Several presets in an order."""

    @pytest.fixture
    def chosen(self) -> list[list[str]]:
        return []

    @pytest.fixture
    def chooser(self, chosen: list[list[str]]) -> PresetChooser:
        return PresetChooser({"minimal": "Fast.", "balanced": "Middle.", "tight": "<small>"}, chosen.append)

    def test_presets_are_added_moved_and_removed(self, chooser: PresetChooser, chosen: list[list[str]]) -> None:
        add = chooser.children[0]
        add.value = "balanced"
        add.value = "minimal"
        button(chooser, "Put minimal before balanced").click()
        button(chooser, "Remove balanced").click()
        assert chosen == [["balanced"], ["balanced", "minimal"], ["minimal", "balanced"], ["minimal"]]
        assert [value for _, value in add.options] == ["", "balanced", "tight"]
        assert add.value == ""

    def test_what_code_chooses_is_shown_and_not_told_back(
        self, chooser: PresetChooser, chosen: list[list[str]]
    ) -> None:
        chooser.show(["tight", "gone"])
        assert chosen == []
        labels = [chip.children[0].value for chip in chooser.children[1:-1]]
        assert "1. tight" in labels[0]
        assert "title='&lt;small&gt;'" in labels[0]
        assert "2. gone" in labels[1]
        wrong = {"field": "presets", "message": "There is no preset 'gone'.", "remedy": "Did you mean tight?"}
        chooser.tell({}, [wrong])
        assert "There is no preset &#x27;gone&#x27;. Did you mean tight?" in chooser.children[-1].value
        chooser.show(["tight"])
        values = {"A": {"origin": "preset tight"}, "B": {"origin": "explicit"}, "C": {"origin": "preset tight"}}
        chooser.tell(values, [])
        assert "2 from tight; your own values win." in chooser.children[-1].value
        chooser.show([])
        assert chooser.children[-1].value == ""


def button(chooser: PresetChooser, does: str) -> widgets.Button:
    """Return the button of a chip that does that."""
    inside = [b for chip in chooser.children[1:-1] for b in chip.children[1:]]
    return next(b for b in inside if b.description == does)
