"""What the toolchains that run LibreLane from its image share: which image, and what of this machine it sees."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..builds.model import BuildRequest
from .base import librelane_arguments, pdk_root_of
from .express import wheel_version

REPOSITORY = "ghcr.io/librelane/librelane"
# LibreLane's own in its images (librelane/__main__.py, cli_in_container); -P: nothing of a design is imported.
PYTHON = ("python3", "-P")
_PREFIX = re.compile(r"^(?:dir|cwd|refg?)::")
_WILDCARD = re.compile(r"[*?\[]")


def release() -> str:
    """Return LibreLane's release that is used where nothing else is said: the one installed beside us."""
    return wheel_version("librelane") or "3.0.17"


def librelane_in_image(request: BuildRequest, build_dir: Path) -> list[str]:
    """Return the command that runs LibreLane within an image."""
    return [*PYTHON, "-m", "librelane", *librelane_arguments(request, build_dir, pdk_root_of(request))]


def mounts(request: BuildRequest, build_dir: Path) -> list[str]:
    """Return ``--mount`` and its value for each directory that a build must see, at the same path inside.

    These are the design, the record of the build (LibreLane's config is in it), the PDK, and what the configuration
    names outside of them. LibreLane's own ``--dockerized`` mounts the whole home directory instead.
    """
    return binds([build_dir, *directories(request.design_dir, pdk_root_of(request), request.config)])


def directories(design_dir: str, pdk_root: str, config: Mapping[str, Any]) -> list[Path]:
    """Return what a configuration is about: the design, the PDK, and what is named outside of them."""
    design = Path(design_dir)
    return [design, Path(pdk_root), Path(pdk_root).resolve(), *_named(config, design)]


def binds(wanted: Iterable[Path]) -> list[str]:
    """Return ``--mount`` and its value for each directory that is in no other."""
    kept: list[Path] = []
    for path in sorted(dict.fromkeys(wanted), key=lambda p: len(p.parts)):
        if not any(path.is_relative_to(k) for k in kept):
            kept.append(path)
    return [part for path in kept for part in ("--mount", _bind(path))]


def _named(value: Any, design: Path) -> Iterator[Path]:
    """Yield the directories of the paths in a configuration that lead out of the design directory."""
    if isinstance(value, Mapping):
        value = [*value.values()]
    if isinstance(value, list):
        for each in value:
            yield from _named(each, design)
    elif isinstance(value, str):
        text = _PREFIX.sub("", value)
        if not text.startswith("/") and ".." not in text.split("/"):
            return
        path = (design / _WILDCARD.split(text)[0]).resolve()
        directory = path if path.is_dir() else path.parent
        if directory.is_dir() and directory != Path("/"):
            yield directory


def _bind(path: Path) -> str:
    """Return the value of ``--mount``, which is a line of CSV: paths may have colons and commas."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", f"source={path}", f"target={path}"])
    return line.getvalue()
