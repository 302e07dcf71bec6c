"""Verilator's output as findings."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from a6hub_jupyter import express
from a6hub_jupyter.librelane.lint import LintError, lint, parse


def test_findings_have_place_and_code() -> None:
    output = (
        "%Warning-WIDTHEXPAND: /d/a.v:5:12: Operator ADD expects 8 bits\n"
        "                    : ... note: In instance 'a'\n"
        "%Error: /d/sub/b.v:3: syntax error\n%Error: Exiting due to 1 error(s)\n"
    )
    assert parse(output, Path("/d")) == [
        {
            "severity": "warning",
            "code": "WIDTHEXPAND",
            "file": "a.v",
            "line": 5,
            "column": 12,
            "message": "Operator ADD expects 8 bits",
        },
        {"severity": "error", "code": "SYNTAX", "file": "sub/b.v", "line": 3, "column": 1, "message": "syntax error"},
    ]


@pytest.mark.needs("express")
def test_the_real_verilator_finds_what_is_wrong(tmp_path: Path) -> None:
    environment = express.environment(sys.executable, os.environ)
    path = tmp_path / "a.v"
    path.write_text("module a(input [7:0] x, output [3:0] y);\n  assign y = x;\nendmodule\n")
    found = asyncio.run(lint([path], "a", tmp_path, environment, 60))
    assert [(f["code"], f["line"]) for f in found] == [("WIDTHTRUNC", 2)] or "UNUSEDSIGNAL" in {
        f["code"] for f in found
    }
    path.write_text("module a(input x, output y);\n  assign y = x\nendmodule\n")
    found = asyncio.run(lint([path], "a", tmp_path, environment, 60))
    assert found[0]["severity"] == "error"
    assert found[0]["line"] == 3
    path.write_text("module a(input x, output y);\n  assign y = x;\nendmodule\n")
    assert asyncio.run(lint([path], "a", tmp_path, environment, 60)) == []


def test_a_missing_linter_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.v").write_text("module a; endmodule\n")
    with pytest.raises(LintError, match="not installed"):
        asyncio.run(lint([tmp_path / "a.v"], None, tmp_path, {"PATH": str(tmp_path)}, 5))
