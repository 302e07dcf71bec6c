"""Run by Yosys in the place of LibreLane's json_header.py: that script, and besides the design with all its names.

LibreLane's header keeps one name for each signal. Synthesis may keep another, and the proof that a netlist does
what the RTL says goes by names.
"""

from __future__ import annotations

import importlib
import importlib.util
import runpy
import sys
from pathlib import Path
from typing import Any

RTL_FILE = "rtl.json"
THINNING = ("opt_clean", "-purge")
"""The pass of LibreLane's script that drops names."""


def main() -> None:
    """Run the script with `sys.argv` as it stands; the design goes to `rtl.json` beside the header."""
    found = importlib.util.find_spec("librelane")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("librelane is not installed for the Python that runs Yosys.")
    script = Path(found.submodule_search_locations[0]) / "scripts" / "pyosys" / "json_header.py"
    sys.path.insert(0, str(script.parent))
    ys = importlib.import_module("ys_common").ys  # of LibreLane, found through the path above

    rtl = Path(sys.argv[sys.argv.index("--output") + 1]).with_name(RTL_FILE)
    plain = ys.Design.run_pass

    def run_pass(design: Any, *command: str) -> Any:
        if command == THINNING:
            plain(design, "json", "-o", str(rtl))
        return plain(design, *command)

    ys.Design.run_pass = run_pass
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
