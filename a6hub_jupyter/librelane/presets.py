"""Presets: named sets of LibreLane's variables. Some are ours, others an administrator's, a user's or a project's.

A preset is a JSON file ``<name>.json`` with ``description`` and ``config``. Where two have one name, the nearest wins:
project, user, administrator; nobody's takes the name of one of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..auth import Refusal
from ..builds.model import is_too_deep, json_safe
from .findings import nearest

BUILTIN, ADMIN, USER, PROJECT = "builtin", "admin", "user", "project"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
DIRECTORY = Path("a6hub", "presets")
"""Below a design directory, or below Jupyter's configuration directory."""
MAX_SIZE = 1 << 18
MAX_LISTED = 500
MAX_SHOWN = 80


@dataclass(frozen=True)
class Preset:
    """A named set of variables; ``description`` says in a sentence what it trades for what."""

    name: str
    scope: str
    description: str
    config: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the form that clients see."""
        return asdict(self)


# Values of the same intent as a6hub's presets of these names, under today's names; a flow takes those that it knows.
OURS = {
    p.name: p
    for p in (
        Preset(
            "minimal",
            BUILTIN,
            "The fastest way to a layout: a roomy die, a slow clock and little effort, timing estimated, and without"
            " the checks that take longest, so that the result is for looking at and not for making.",
            {
                "CLOCK_PERIOD": 20,
                "SYNTH_STRATEGY": "AREA 0",
                "FP_CORE_UTIL": 35,
                "PL_TARGET_DENSITY_PCT": 40,
                "DRT_OPT_ITERS": 16,
                "RUN_MAGIC_DRC": False,
                "RUN_KLAYOUT_DRC": False,
                "RUN_KLAYOUT_XOR": False,
                "RUN_LVS": False,
                "RUN_IRDROP_REPORT": False,
                "EXPRESS_EFFORT": 1,
                "EXPRESS_SIZING": False,
                "EXPRESS_DENSITY": 0.6,
                "EXPRESS_ROUTE_SECONDS": 120,
            },
        ),
        Preset(
            "balanced",
            BUILTIN,
            "What most designs want: half of the core for cells, 100 MHz and all checks, for a run time that is still"
            " good for working with.",
            {
                "CLOCK_PERIOD": 10,
                "SYNTH_STRATEGY": "AREA 0",
                "FP_CORE_UTIL": 50,
                "DRT_OPT_ITERS": 64,
                "RUN_MAGIC_DRC": True,
                "RUN_KLAYOUT_DRC": True,
                "RUN_LVS": True,
                "EXPRESS_EFFORT": 3,
                "EXPRESS_DENSITY": 0.7,
            },
        ),
        Preset(
            "high_quality",
            BUILTIN,
            "A small and fast chip for a long run time: speed before area in synthesis, a full core, repairs of timing"
            " after routing and every check; a design that has no room left may fail to route.",
            {
                "CLOCK_PERIOD": 5,
                # DELAY 0 to 3 size cells; ABC gives up over that where a Liberty file is estimated
                "SYNTH_STRATEGY": "DELAY 4",
                "FP_CORE_UTIL": 60,
                "PL_TARGET_DENSITY_PCT": 70,
                "PL_TIMING_DRIVEN": True,
                "PL_ROUTABILITY_DRIVEN": True,
                "DRT_OPT_ITERS": 64,
                "RUN_POST_GRT_DESIGN_REPAIR": True,
                "RUN_POST_GRT_RESIZER_TIMING": True,
                "RUN_HEURISTIC_DIODE_INSERTION": True,
                "RUN_MAGIC_DRC": True,
                "RUN_KLAYOUT_DRC": True,
                "RUN_KLAYOUT_XOR": True,
                "RUN_LVS": True,
                "RUN_IRDROP_REPORT": True,
                "RUN_MCSTA": True,
                "EXPRESS_EFFORT": 7,
                "EXPRESS_DENSITY": 0.8,
                "EXPRESS_ROUTE_SECONDS": 1200,
            },
        ),
    )
}


class Presets:
    """All presets that a request may name."""

    def __init__(self, user: Path, admin: Sequence[Path]) -> None:
        self._user = user
        self._admin = admin

    def listing(self, design_dir: Path | None) -> list[Preset]:
        """Return the presets by name, each once, those with a file that cannot be read left out."""
        found = dict(OURS)
        for scope, path in self._files(design_dir):
            with contextlib.suppress(Refusal):
                if path.stem not in OURS:
                    found[path.stem] = _read(path, scope)
        return sorted(found.values(), key=lambda p: (p.scope != BUILTIN, p.name.lower()))

    def find(self, name: str, design_dir: Path | None, field: str = "presets") -> Preset:
        """Return a preset; Refusal 422 that names the nearest where there is none, or where its file is damaged."""
        if name in OURS:
            return OURS[name]
        if NAME.fullmatch(name):
            for scope, directory in self._places(design_dir):
                path = directory / f"{name}.json"
                if path.is_file() and (scope != PROJECT or _lies_in(path, design_dir)):
                    return _read(path, scope)
        known = sorted({*OURS, *(path.stem for _, path in self._files(design_dir))})
        shown = name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}…"
        raise Refusal(422, f"There is no preset '{shown}'.", field=field, remedy=nearest(shown, known))

    def save(self, preset: Preset, design_dir: Path | None) -> bool:
        """Write a preset, whole or not at all; return whether it is new."""
        path = self._own_path(preset.name, preset.scope, design_dir)
        new = not path.exists()
        text = json.dumps({"description": preset.description, "config": preset.config}, indent=2) + "\n"
        if len(text) > MAX_SIZE:
            sentence = f"The preset has more than the {MAX_SIZE} bytes that can be read again."
            raise Refusal(422, sentence, field="config", remedy="Give fewer or shorter values.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        except OSError as error:
            sentence = f"The preset could not be saved: {error.strerror}."
            raise Refusal(507, sentence, field="scope", remedy="Free space, or save it in the other scope.") from error
        return new

    def delete(self, name: str, scope: str, design_dir: Path | None) -> None:
        """Remove a preset of a user's or a project's; Refusal 404 where there is none."""
        path = self._own_path(name, scope, design_dir)
        try:
            path.unlink()
        except FileNotFoundError as error:
            sentence = f"There is no {scope} preset '{name}'."
            raise Refusal(404, sentence, field="name", remedy="a6hub.presets() lists those there are.") from error
        except OSError as error:
            sentence = f"The preset '{name}' cannot be deleted: {error.strerror}."
            raise Refusal(409, sentence, field="name", remedy="Look at the rights of its directory.") from error

    def _places(self, design_dir: Path | None) -> Iterator[tuple[str, Path]]:
        """Yield scope and directory, the nearest first."""
        if design_dir is not None:
            yield PROJECT, design_dir / DIRECTORY
        yield USER, self._user
        for directory in self._admin:
            yield ADMIN, directory

    def _files(self, design_dir: Path | None) -> list[tuple[str, Path]]:
        """Return scope and path of each file by its name, the nearest last; what a project links to is not its own."""
        return [
            (scope, path)
            for scope, directory in reversed(list(self._places(design_dir)))
            for path in _files(directory)
            if scope != PROJECT or _lies_in(path, design_dir)
        ]

    def _own_path(self, name: str, scope: str, design_dir: Path | None) -> Path:
        if not NAME.fullmatch(name):
            remedy = "Use letters, digits, '_' and '-', at most 64, and begin with a letter or a digit."
            raise Refusal(422, "This is no name for a preset.", field="name", remedy=remedy)
        if name in OURS:
            sentence = f"'{name}' is a preset that comes with a6hub-jupyter."
            raise Refusal(422, sentence, field="name", remedy="Choose another name.")
        if scope == USER:
            return self._user / f"{name}.json"
        if scope != PROJECT:
            raise Refusal(422, "Presets are saved for a user or a project.", field="scope", remedy="Give one of these.")
        if design_dir is None:
            raise Refusal(
                422, "A project's preset needs its design directory.", field="design_dir", remedy="Give the directory."
            )
        path = design_dir / DIRECTORY / f"{name}.json"
        if not _lies_in(path, design_dir):
            remedy = "Remove the link that leads out of it."
            raise Refusal(422, "The presets of this design lie elsewhere.", field="design_dir", remedy=remedy)
        return path


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, whatever happens meanwhile."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _lies_in(path: Path, directory: Path | None) -> bool:
    """Whether a path lies below a resolved directory when links are followed."""
    try:
        return directory is not None and path.resolve().is_relative_to(directory)
    except (OSError, RuntimeError):  # links that go round
        return False


def _files(directory: Path) -> list[Path]:
    try:
        names = sorted(p for p in directory.iterdir() if p.suffix == ".json" and NAME.fullmatch(p.stem))
    except OSError:
        return []
    return names[:MAX_LISTED]


def _read(path: Path, scope: str) -> Preset:
    try:
        if path.stat().st_size > MAX_SIZE:
            raise ValueError("it is too large")  # noqa: TRY301 - told below, with the others
        data = json.loads(path.read_text(encoding="utf-8"))
        config, description = data["config"], data.get("description", "")
        if not isinstance(config, Mapping) or not isinstance(description, str):
            raise TypeError("it has no 'config'")  # noqa: TRY301
        if is_too_deep(config):
            raise ValueError("it is nested too deeply")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        sentence = f"The preset '{path.stem}' cannot be read ({type(error).__name__}: {error})."
        remedy = "Mend its file; it holds 'description' and 'config' as JSON."
        raise Refusal(422, sentence, field="presets", remedy=remedy) from error
    return Preset(path.stem, scope, description, json_safe(config))
