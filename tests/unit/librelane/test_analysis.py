"""What a directory of Verilog is taken for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from a6hub_jupyter.librelane.analysis import analyse


def analysed(directory: Path, files: dict[str, str], top: str | None = None) -> dict[str, Any]:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return analyse({"design_dir": str(directory), "top": top})


def test_the_hierarchy_says_top_files_includes_and_clock(tmp_path: Path) -> None:
    files = {
        "rtl/top.sv": "module chip import p::*; (input logic ck_in, input rst_n, input d, output q);\n"
        "  wire c; assign c = ck_in; leaf l0(.clk(ck_in), .rst_n, .d(d), .q(q));\nendmodule\n",
        "rtl/leaf.v": '`include "defs.vh"\nmodule leaf(clk, rst_n, d, q); input clk, rst_n, d; output reg q;\n'
        "  always @(posedge clk or negedge rst_n) if (!rst_n) q <= 0; else q <= d ^ `X;\nendmodule\n",
        "rtl/zz_pkg.sv": "package p; endpackage\n",
        "inc/defs.vh": "`define X 1\n",
        "old/unused.v": "module unused(input clk); endmodule\n",
        "sim/tb_chip.v": "module tb_chip; chip dut(); initial begin end endmodule\n",
        "runs/x/final.v": "module chip(); endmodule\n",
        "config.yaml": "DESIGN_NAME: chip\n",
    }
    found = analysed(tmp_path, files)
    assert found["name"] == "chip"
    assert found["verilog_files"] == ["rtl/zz_pkg.sv", "rtl/leaf.v", "rtl/top.sv"]
    assert found["include_dirs"] == ["inc"]
    assert found["clocks"] == ["ck_in"]  # through the hierarchy, and not the reset
    assert found["tops"] == ["chip", "unused"]
    assert found["unused"] == {"old/unused.v": "not part of the hierarchy", "sim/tb_chip.v": "testbench"}
    assert found["config_file"] == "config.yaml"
    assert found["errors"] == found["warnings"] == []


def test_what_is_doubtful_is_a_warning(tmp_path: Path) -> None:
    files = {
        "a.v": "module a(input clk); always @(posedge clk) begin end endmodule\n",
        "b.v": "module a(input clk); endmodule\n",
        "c.v": "module c(input x; endmodule\n",
    }
    found = analysed(tmp_path, files, top="a")
    messages = " ".join(w["message"] for w in found["warnings"])
    assert "The module 'a' is in a.v and b.v." in messages
    assert "c.v, line 1" in messages
    assert found["verilog_files"] == ["a.v"]


def test_no_verilog_is_a_clear_refusal(tmp_path: Path) -> None:
    [error] = analysed(tmp_path, {"readme.md": "x"})["errors"]
    assert error["message"] == f"The directory '{tmp_path.name}' holds no Verilog file."
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "x.v").write_text("module x; endmodule\n")
    inside = tmp_path / "design"
    inside.mkdir()
    (inside / "x.v").symlink_to(outside / "x.v")
    assert analyse({"design_dir": str(inside), "top": None})["errors"]


def test_two_hundred_files_are_no_burden(tmp_path: Path) -> None:
    body = "".join(f"  reg r{j}; always @(posedge clk) r{j} <= d ^ r{j};\n" for j in range(40))
    files = {
        f"m{n}.v": f"module m{n}(input clk, input d);\n{body}{f'  m{n + 1} u(clk, d);' if n < 199 else ''}\nendmodule\n"
        for n in range(200)
    }
    begin = time.process_time()
    found = analysed(tmp_path, files)
    assert time.process_time() - begin < 20  # 0.3 s on a quiet machine
    assert len(found["verilog_files"]) == 200
    assert (found["name"], found["clock_port"]) == ("m0", "clk")
