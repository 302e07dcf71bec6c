"""A failed flow is explained by the tool's own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from a6hub_jupyter.librelane.failures import explain


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("%Error: /a/b/counter.v:3:7: syntax error, unexpected endmodule", "counter.v, line 3: syntax error"),
        ("%Error-PINNOTFOUND: alu.v:12:5: Pin not found: 'x'", "alu.v, line 12: Pin not found"),
        ("counter.v:5: ERROR: syntax error, unexpected TOK_ID", "syntax error, unexpected TOK_ID"),
        ("ERROR: Module `\\foo' referenced in module `\\top' is not part of the design.", "`\\foo' referenced"),
        ("[ERROR PPL-0024] Number of IO pins (12) exceeds", "Number of IO pins"),
    ],
)
def test_the_line_that_says_it(tmp_path: Path, log: str, message: str) -> None:
    (tmp_path / "06-step").mkdir()
    (tmp_path / "06-step" / "tool.log").write_text(f"noise\n{log}\n%Error: Exiting due to 1 error(s)\nmore\n")
    error = explain(tmp_path, [("A.Step", "06-step")], 2)
    assert message in error["message"]
    assert error["step"] == "A.Step"
    assert "Exiting" not in error["detail"]


def test_a_lint_count_is_replaced_by_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "01-verilator-lint").mkdir()
    (tmp_path / "01-verilator-lint" / "v.log").write_text("%Error: a.v:1:1: bad\n")
    (tmp_path / "03-checker-linterrors").mkdir()
    (tmp_path / "error.log").write_text("1 Lint errors found.\n")
    error = explain(tmp_path, [("Checker.LintErrors", "03-checker-linterrors")], 2)
    assert error["message"] == "a.v, line 1: bad"
    assert error["step"] == "Verilator.Lint"


def test_librelanes_own_message_where_no_tool_says_more(tmp_path: Path) -> None:
    (tmp_path / "error.log").write_text("\n3 KLayout DRC errors found. - deferred\nLibreLane will now quit.\n")
    (tmp_path / "22-check").mkdir()
    assert explain(tmp_path, [("Checker.KLayoutDRC", "22-check")], 2) == {
        "message": "3 KLayout DRC errors found.",
        "step": "Checker.KLayoutDRC",
    }


def test_no_word_anywhere_still_gives_a_sentence(tmp_path: Path) -> None:
    assert "exit code 137" in explain(tmp_path / "nothing", [], 137)["message"]
