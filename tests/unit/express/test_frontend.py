"""What Yosys ends with, in a sentence."""

from __future__ import annotations

import pytest

pytest.importorskip("librelane")

from a6hub_jupyter.express.steps.frontend import yosys_error

SYNTAX = "1. Executing Verilog-2005 frontend.\n/pdk/ram.v:279: ERROR: syntax error, unexpected '('\n"


def test_an_error_in_the_design_is_told_with_its_place() -> None:
    said = yosys_error(SYNTAX, "top", {"/pdk/rom.v": "rom"})
    assert said == (
        "Yosys cannot build this: syntax error, unexpected '(' (ram.v, line 279). "
        "Change the Verilog there to what can be synthesised."
    )
    assert yosys_error("Warning: nothing", "top", {}) is None


def test_an_error_in_the_model_of_a_macro_asks_for_another_model() -> None:
    said = yosys_error(SYNTAX, "top", {"/pdk/ram.v": "sram64"})
    assert said == (
        "Yosys cannot read the model of the macro sram64: syntax error, unexpected '(' (ram.v, line 279). "
        "Give MACROS a file in its place that has the module sram64 with its ports and nothing within."
    )
