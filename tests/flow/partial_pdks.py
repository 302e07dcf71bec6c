"""What LibreLane says to Express when a file of ihp-sg13g2 is missing.

    python -m tests.flow.partial_pdks PDK_ROOT DIRECTORY FILE...

prints one JSON line for each file: {file, errors}.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path


def main(root: Path, directory: Path, files: list[str]) -> None:
    """Load the configuration once for each file that is left out."""
    from a6hub_jupyter import express

    os.environ.update(express.environment(sys.executable, os.environ))
    sys.path.insert(0, str(express.PLUGIN_DIRECTORY))
    from librelane.config import Config, InvalidConfig

    from a6hub_jupyter.express.flow import Express

    variables = Express.__new__(Express).get_all_config_variables()
    source = directory / "top.v"
    source.write_text("module top; endmodule\n")
    for number, file in enumerate(files):
        partial = directory / str(number)
        shutil.copytree(root / "ihp-sg13g2", partial / "ihp-sg13g2", copy_function=os.symlink)
        (partial / "ihp-sg13g2" / file).unlink()
        errors: list[str] = []
        try:
            Config.load(
                {"DESIGN_NAME": "top", "VERILOG_FILES": [str(source)]},
                variables,
                design_dir=str(directory),
                pdk="ihp-sg13g2",
                scl="sg13g2_stdcell",
                pdk_root=str(partial),
            )
        except InvalidConfig as error:
            errors = [str(e) for e in error.errors]
        print(json.dumps({"file": file, "errors": errors}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
