"""gdstk against klayout as the reader of layouts: where one should take over from the other.

    python benchmarks/layout_readers.py [--designs DIRECTORY]

Makes scenes of layouts of growing size (copies of a real block, or of cells of its own), each with either library in a
process of its own, and prints CPU seconds, peak memory and the scene's bytes. `GDSTK_LIMIT` in
`a6hub_jupyter/layout/scene.py` is where klayout begins to be the better one in all of them.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from klayout import db

from a6hub_jupyter.layout.scene import GDSTK_LIMIT

ROOT = Path(__file__).resolve().parents[1]
SIZES = (0.1, 0.3, 1, 2, 4, 8, 16, 32)  # MB

# The worker as it is, with the limit moved so that one library reads it all.
WORKER = """
import resource, sys
from a6hub_jupyter.layout import scene
scene.GDSTK_LIMIT = 1 << 40 if sys.argv[1] == "gdstk" else 0
code = scene.main(sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_SELF)
# Linux's own mark: that of getrusage begins with what the parent had.
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(usage.ru_utime + usage.ru_stime, peak)
sys.exit(code)
"""


def make(path: Path, megabytes: float, block: Path | None) -> None:
    """Write a GDS of about that size: distinct copies of the block's cells, or random ones."""
    layout = db.Layout()
    top = layout.create_cell("TOP")
    chance = random.Random(1)
    number = 0
    while not path.exists() or path.stat().st_size < megabytes * 1e6:
        # Doubling, so that few files are written on the way.
        for _ in range(max(1, number)):
            cell = layout.create_cell(f"COPY_{number}")
            if block is not None:
                one = db.Layout()
                one.read(str(block))
                cell.copy_tree(one.top_cell())
            else:
                for _ in range(2000):
                    x, y = chance.randrange(200_000), chance.randrange(200_000)
                    cell.shapes(layout.layer(chance.randrange(1, 11), 0)).insert(db.Box(x, y, x + 500, y + 140))
            top.insert(db.CellInstArray(cell.cell_index(), db.Trans(number * 300_000, 0)))
            number += 1
        layout.write(str(path))


def measure(reader: str, path: Path, directory: Path) -> tuple[float, float, int]:
    """Return CPU seconds, peak MB and bytes of the scene."""
    scene = directory / f"{reader}.oas.gz"
    command = [sys.executable, "-c", WORKER, reader, str(path), str(scene), str(directory / "layers.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), float(kilobytes) / 1024, scene.stat().st_size


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--designs", type=Path, default=ROOT.parent / "shared" / "gds")
    parser.add_argument("--largest", type=float, default=SIZES[-1], metavar="MB")
    options = parser.parse_args()
    block = options.designs / "spm.gds"
    print(f"gdstk reads up to {GDSTK_LIMIT >> 20} MiB now; of gdstk / klayout:")
    print(f"{'MB':>6} {'CPU s':>15} {'peak MB':>15} {'scene kB':>17}")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for size in (size for size in SIZES if size <= options.largest):
            path = directory / "layout.gds"
            path.unlink(missing_ok=True)
            make(path, size, block if block.exists() and size >= 1 else None)
            ours, theirs = (measure(reader, path, directory) for reader in ("gdstk", "klayout"))
            print(
                f"{path.stat().st_size / 1e6:6.1f} {ours[0]:7.2f} /{theirs[0]:6.2f} {ours[1]:7.0f} /{theirs[1]:6.0f} "
                f"{ours[2] / 1000:8.0f} /{theirs[2] / 1000:7.0f}"
            )


if __name__ == "__main__":
    main()
