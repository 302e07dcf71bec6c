"""How long a configuration takes: the variables of Classic from a warm server, a validation, a design of 200 files.

Run on a quiet machine: ``python benchmarks/configuration.py``. Prints the median of the milliseconds until the answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from a6hub_jupyter import express
from a6hub_jupyter.express.sky130 import PDK, SCL, default_root
from a6hub_jupyter.express.sky130.staging import stage
from a6hub_jupyter.librelane import pdks
from a6hub_jupyter.librelane.catalogue import Catalogue
from a6hub_jupyter.toolchains.inspecting import InspectorWorker

REPEATS = 50


def make_design(directory: Path) -> None:
    """Write 200 files of 40 registers each, one below the other."""
    body = "".join(f"  reg r{j}; always @(posedge clk) r{j} <= d ^ r{j};\n" for j in range(40))
    for n in range(200):
        below = f"  m{n + 1} u(clk, d);\n" if n < 199 else ""
        (directory / f"m{n}.v").write_text(f"module m{n}(input clk, input d);\n{body}{below}endmodule\n")


async def main() -> None:
    """Measure and print."""
    stage(default_root())
    worker = InspectorWorker(express.environment(sys.executable, os.environ), 60)
    pdk = pdks.PDK(PDK, default_root(), (SCL,))
    catalogue, librelane = Catalogue(), ("", worker.ask)
    with tempfile.TemporaryDirectory() as directory:
        make_design(Path(directory))
        question = {"kind": "analyse", "design_dir": directory}
        await worker.ask(question)
        print(f"analysis of 200 files       {await timed(lambda: worker.ask(question), 5):8.1f} ms")
        check: dict[str, object] = {
            "kind": "check",
            "flow": "Express",
            "config": {"DESIGN_NAME": "m199", "VERILOG_FILES": ["dir::m199.v"], "CLOCK_PORT": "clk"},
            "design_dir": directory,
            "pdk": PDK,
            "pdk_root": str(default_root()),
            "scl": None,
            "from_step": None,
            "to_step": None,
            "skip": [],
        }
        await worker.ask(check)
        print(f"validation, warm            {await timed(lambda: worker.ask(check), REPEATS):8.1f} ms")
    first = await catalogue.variables("Classic", pdk, None, librelane)
    size = len(json.loads(first.body)["variables"])
    warm = await timed(lambda: catalogue.variables("Classic", pdk, None, librelane), REPEATS)
    print(f"{size} variables of Classic, warm {warm:6.1f} ms, {len(first.body) // 1000} kB")
    await worker.close()


async def timed(action: object, repeats: int) -> float:
    """Return the median of the milliseconds that an awaited call takes."""
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        await action()  # type: ignore[operator]
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1000


if __name__ == "__main__":
    asyncio.run(main())
