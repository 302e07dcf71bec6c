"""``%%verilog``: what it writes, what it shows, what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError

from a6hub_jupyter.client import magic
from a6hub_jupyter.client.errors import ServerNotFoundError
from a6hub_jupyter.client.linting import Findings

SOURCE = "module counter(input clk);\n  wire <b>;\nendmodule\n"
FOUND = {"severity": "error", "code": "SYNTAX", "file": "counter.v", "line": 2, "column": 8, "message": "bad <tag>"}


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[magic.SourceFindings]:
    """What is displayed; the linter finds FOUND in whatever has a ``<b>``."""
    displayed: list[magic.SourceFindings] = []

    def lint(name: str, top: str | None = None) -> Findings:
        return Findings([FOUND] if "<b>" in Path(name).read_text() else [])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(magic, "lint", lint)
    monkeypatch.setattr(magic, "_display", displayed.append)
    return displayed


def test_it_writes_and_shows_findings_under_their_lines(shown: list[Any], tmp_path: Path) -> None:
    magic.verilog("counter.v", SOURCE)
    assert (tmp_path / "counter.v").read_text() == SOURCE
    lines = str(shown[0]).splitlines()
    assert lines[0] == "counter.v: written, 1 error."
    assert lines[1] == "    2 |   wire <b>;"
    assert lines[2] == "      |        ^ error SYNTAX: bad <tag>"
    page = shown[0]._repr_html_()
    assert "wire &lt;b&gt;;" in page
    assert "bad &lt;tag&gt;" in page
    assert "<b>" not in page
    magic.verilog("rtl/counter.v --top counter", "module counter; endmodule")
    assert (tmp_path / "rtl" / "counter.v").read_text() == "module counter; endmodule\n"
    assert "no findings" in str(shown[1])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "%%verilog counter.v"),
        ("a.v b.v", "%%verilog counter.v"),
        ("a.v --top", "--top NAME"),
        ("'a.v", "%%verilog counter.v"),
        ("../a.v", "outside the working directory"),
        ("/tmp/a.v", "outside the working directory"),
        ("out/a.v", "outside the working directory"),
        ("notes.txt", "end it with .v"),
        ("dir.v", "is a directory"),
    ],
)
def test_it_refuses_with_a_sentence(shown: list[Any], tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "out").symlink_to("/tmp")
    (tmp_path / "dir.v").mkdir()
    with pytest.raises(UsageError, match=words.replace("%%", "..")):
        magic.verilog(line, SOURCE)
    assert shown == []
    assert not (tmp_path / "a.v").exists()


def test_a_file_is_never_half_written(shown: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "counter.v").write_text("old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UsageError, match="No space left"):
        magic.verilog("counter.v", SOURCE)
    assert [p.name for p in tmp_path.iterdir()] == ["counter.v"]
    assert (tmp_path / "counter.v").read_text() == "old"


def test_without_a_server_the_file_is_there_all_the_same(
    shown: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lint(name: str, top: str | None = None) -> Findings:
        raise ServerNotFoundError("No Jupyter server was found.")

    monkeypatch.setattr(magic, "lint", lint)
    with pytest.raises(UsageError, match="written, but could not be checked: No Jupyter server"):
        magic.verilog("counter.v", SOURCE)
    assert (tmp_path / "counter.v").exists()
