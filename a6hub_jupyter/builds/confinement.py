"""Which files a configuration may name: those below the server's roots, and those of the PDKs."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..auth import Refusal, Roots
from ..librelane import pdks

# What the request has fields of its own for: set in the configuration, the record would say one thing and LibreLane
# do another.
RESERVED = {"PDK", "PDK_ROOT", "PDKPATH", "STD_CELL_LIBRARY", "DESIGN_DIR"}
# LibreLane's prefixes for paths (librelane/config/preprocessor.py).
PATH_PREFIX = re.compile(r"^(?:dir|pdk_dir|scl_dir|cwd|refg?)::")


class Confinement:
    """Refuses values that lead out of the roots; ``pdk_roots`` are those of the server's own settings."""

    def __init__(self, roots: Roots, pdk_roots: Sequence[str]) -> None:
        self._roots = roots
        self._pdk_roots = pdk_roots

    def check(self, name: str, value: Any, design_dir: Path) -> bool:
        """Return True; Refusal 422 if a variable names a file outside, or is one that the request has a field for."""
        if name in RESERVED:
            raise Refusal(
                422,
                f"{name} cannot be set in the configuration.",
                field=f"config.{name}",
                remedy="Use the fields pdk, scl, design_dir and flow of the request.",
            )
        self._check_strings(value, f"config.{name}", design_dir)
        if name not in {"VERILOG_FILES", "VERILOG_INCLUDE_DIRS"} or value is None:
            return True
        files = [value] if isinstance(value, str) else value
        field = f"config.{name}"
        if not isinstance(files, list) or not all(isinstance(f, str) for f in files):
            raise Refusal(422, f"{name} is not a list of paths.", field=field, remedy="Give a list of strings.")
        for file in files:
            self._roots.resolve(file.removeprefix("dir::"), field, design_dir)
        return True

    def _check_strings(self, value: Any, field: str, design_dir: Path) -> None:
        """Refuse absolute paths, and paths that go up, where they leave the roots and the PDKs."""
        if isinstance(value, Mapping):
            value = [*value, *value.values()]
        if isinstance(value, list):
            for each in value:
                self._check_strings(each, field, design_dir)
        elif isinstance(value, str):
            path = PATH_PREFIX.sub("", value)
            known = [str(root) for root in pdks.roots(self._pdk_roots)]
            inside = os.path.normpath(path).startswith(tuple(f"{root}{os.sep}" for root in known))
            if (path.startswith(("/", "~")) and not inside) or ".." in path.split("/"):
                self._roots.resolve(path, field, design_dir)

    def check_resolved(self, name: str, paths: Sequence[str], known: Mapping[str, Any]) -> None:
        """Refusal 422 if a path of a variable, as LibreLane has resolved it, leads out of where it may."""
        places = [str(root) for root in pdks.roots(self._pdk_roots)] + [known["pdk_root"] or "", *_packages()]
        inside = tuple(f"{place}{os.sep}" for place in places if place)
        for path in paths:
            if not f"{os.path.normpath(path)}{os.sep}".startswith(inside):
                self._roots.resolve(path, f"config.{name}", Path(known["design_dir"]))


@functools.lru_cache(maxsize=1)
def _packages() -> list[str]:
    """Return the directories of LibreLane, which has files of its own for some variables, and of ours."""
    specification = importlib.util.find_spec("librelane")
    there = specification.submodule_search_locations if specification else None
    return [str(Path(__file__).parents[1]), *(there or ())]
