"""Memories as generators of the field draw them: a ring for power, and pins where the columns are, not on tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results
from tests.flow.test_express import CLEAN

kdb = pytest.importorskip("klayout.db")
pytestmark = pytest.mark.needs("express")

LAYERS = {"met1": (68, 20), "met2": (69, 20), "met3": (70, 20), "met4": (71, 20)}
WIDTH, HEIGHT = 90.2, 70.06
ORIGIN = 0.15, 0.25
"""Where LEF and layout have their zero, um right of and above the lower left corner."""
BITS = 8
DEEP = 0.62
"""Obstructions begin so far within the edge, um."""
Rectangle = tuple[str, float, float, float, float]

MEMORY = """
module memory (input wire clk, input wire we, input wire [7:0] a, input wire [7:0] d, output wire [7:0] q);
endmodule
"""
USER = """
module user (input wire clk, input wire [7:0] x, output reg [7:0] y);
  wire [7:0] first_q, second_q;
  memory first (.clk(clk), .we(y[0]), .a(x), .d(y), .q(first_q));
  memory second (.clk(clk), .we(y[1]), .a(y), .d(first_q), .q(second_q));
  always @(posedge clk) y <= first_q ^ second_q;
endmodule
"""


def pins() -> dict[str, Rectangle]:
    """Data at the lower edge, two bits close to each other each time; addresses close at the upper; others aside."""
    places: dict[str, Rectangle] = {}
    for k in range(BITS):
        x = 9.13 + 8.17 * k
        for name, at in ((f"d[{k}]", x), (f"q[{k}]", x + 0.68)):
            places[name] = ("met4", at, 0.0, at + 0.38, 1.06)
        at = 30.37 + 0.68 * k + 2.9 * (k // 4)
        places[f"a[{k}]"] = ("met4", at, HEIGHT - 1.06, at + 0.38, HEIGHT)
    places["clk"] = ("met3", 0.0, 20.11, 1.06, 20.49)
    places["we"] = ("met3", WIDTH - 1.06, 41.57, WIDTH, 41.95)
    return places


def obstructions() -> list[Rectangle]:
    """All of the lowest two metals; above, what is within the ring, and teeth between the pins."""
    inner = (7.1, 7.1, WIDTH - 7.1, HEIGHT - 7.1)
    found: list[Rectangle] = [(layer, DEEP, DEEP, WIDTH - DEEP, HEIGHT - DEEP) for layer in ("met1", "met2")]
    found += [("met3", *inner), ("met4", *inner)]
    lower = sorted(rect[1] for rect in pins().values() if rect[0] == "met4" and rect[2] == 0)
    for left, right in zip([4.3, *(x + 0.98 for x in lower)], [*(x - 0.6 for x in lower), WIDTH - 4.3], strict=True):
        if right - left > 0.4:
            found.append(("met4", left, DEEP, right, 1.66))
    return found


def ring() -> dict[str, list[Rectangle]]:
    """Two rings of metals three and four, as OpenRAM draws them."""
    found: dict[str, list[Rectangle]] = {}
    for name, at in (("vssd1", 1.9), ("vccd1", 4.76)):
        right, top = WIDTH - at, HEIGHT - at
        found[name] = [
            ("met4", at, at, at + 1.74, top),
            ("met4", right - 1.74, at, right, top),
            ("met3", at, at, right, at + 1.74),
            ("met3", at, top - 1.74, right, top),
        ]
    return found


def write_memory(directory: Path) -> None:
    """LEF (without FOREIGN, counted from ORIGIN), layout and module."""
    directory.mkdir(parents=True)
    all_pins = {name: [rectangle] for name, rectangle in pins().items()} | ring()
    layout = kdb.Layout()
    cell = layout.create_cell("memory")
    shapes = [*(r for rs in all_pins.values() for r in rs), *obstructions()]

    def moved(rectangle: Rectangle) -> str:
        _, *values = rectangle
        return " ".join(f"{v - ORIGIN[n % 2]:.3f}" for n, v in enumerate(values))

    for rectangle in shapes:
        box = kdb.DBox(*(float(v) for v in moved(rectangle).split()))
        cell.shapes(layout.layer(*LAYERS[rectangle[0]])).insert(box)
    layout.write(str(directory / "memory.gds"))
    lines = ["VERSION 5.7 ;", "MACRO memory", "  CLASS BLOCK ;", f"  ORIGIN {ORIGIN[0]} {ORIGIN[1]} ;"]
    lines += [f"  SIZE {WIDTH} BY {HEIGHT} ;", "  SYMMETRY X Y ;"]
    for name, rectangles in all_pins.items():
        use = {"vccd1": "POWER", "vssd1": "GROUND"}.get(name, "SIGNAL")
        direction = "INOUT" if use != "SIGNAL" else "OUTPUT" if name.startswith("q") else "INPUT"
        lines += [f"  PIN {name}", f"    DIRECTION {direction} ;", f"    USE {use} ;", "    PORT"]
        lines += [f"      LAYER {r[0]} ; RECT {moved(r)} ;" for r in rectangles]
        lines += ["    END", f"  END {name}"]
    lines += ["  OBS", *(f"    LAYER {r[0]} ; RECT {moved(r)} ;" for r in obstructions()), "  END", "END memory"]
    (directory / "memory.lef").write_text("\n".join([*lines, "END LIBRARY", ""]))
    (directory / "memory.nl.v").write_text(MEMORY)


def test_memories_with_pins_between_the_tracks_are_clean(sky130: Pdk, tmp_path: Path) -> None:
    write_memory(tmp_path / "memory" / "0-given")
    settings: dict[str, Any] = {
        "CLOCK_PORT": "clk",
        "CLOCK_PERIOD": 20,
        "FP_SIZING": "absolute",
        "DIE_AREA": [0, 0, 290, 170],
        "MACROS": {"memory": {"first": [30, 45, "N"], "second": [165, 45, "S"]}},
        "PDN_MACRO_CONNECTIONS": [f"{name} VPWR VGND vccd1 vssd1" for name in ("first", "second")],
    }
    found = results(drive(sky130, tmp_path, [{"top": "user", "verilog": USER, "settings": settings}]))["user"]
    assert "refused" not in found, found
    assert {key: found["metrics"][key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert found["metrics"]["design__critical_disconnected_pin__count"] == 0
