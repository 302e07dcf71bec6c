"""Modules and ports, as slang's parser sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from a6hub_jupyter.librelane.verilog import Port, Sources, read_sources


def read(tmp_path: Path, text: str) -> Sources:
    path = tmp_path / "a.sv"
    path.write_text(text)
    return read_sources([path])


@pytest.mark.parametrize(
    "text",
    [
        "module m(input clk, rst, output reg [7:0] q); endmodule",
        "module m(clk, rst, q); input clk, rst; output [7:0] q; reg [7:0] q; endmodule",
        "`define W 8\nmodule m #(parameter N=`W)(input wire clk, input logic rst, output logic [N-1:0] q); endmodule",
    ],
)
def test_ports_in_every_style(tmp_path: Path, text: str) -> None:
    ports = read(tmp_path, text).modules["m"]
    assert ports == [Port("clk", "input"), Port("rst", "input"), Port("q", "output")]


def test_the_top_is_what_nobody_instantiates(tmp_path: Path) -> None:
    sources = read(tmp_path, "module a; b u(); endmodule module b; endmodule module c; b u[3:0](); endmodule")
    assert sources.tops == ["a", "c"]


def test_comments_and_strings_are_not_code(tmp_path: Path) -> None:
    text = '// module x;\n/* module y(input a); endmodule */\nmodule z; initial $display("module w;"); endmodule'
    assert list(read(tmp_path, text).modules) == ["z"]


def test_a_syntax_error_is_seen(tmp_path: Path) -> None:
    assert read(tmp_path, "module a(input clk; endmodule").has_syntax_errors
    assert not read(tmp_path, "module a(input clk); endmodule").has_syntax_errors


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_sources([tmp_path / "nothing.v"])


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.v"
    path.write_bytes(b"\xff\xfe\x00module a; endmodule\x00" * 10)
    read_sources([path])
