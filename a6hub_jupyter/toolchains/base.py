"""What every toolchain can say of itself: whether it is there, what it holds, how it runs a build, how to end one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..builds.journal import CONFIG
from ..builds.model import BuildRequest
from ..isolated import clean_environment, module_command

EXPRESS = "Express"
# Seconds that a tool or an engine has to say its version or its state.
ASK_SECONDS = 20.0
_VERSION_LENGTH = 80


class Settings(NamedTuple):
    """What the administrator chose, see the traits of ``A6HubApp``; an empty string leaves it to the toolchain."""

    librelane: str = ""
    container_engine: str = ""
    container_image: str = ""
    apptainer_image: str = ""
    nix_flake: str = ""


class Obstacle(NamedTuple):
    """Why a toolchain cannot run a flow: one sentence, and one on what to do."""

    reason: str
    remedy: str


class Command(NamedTuple):
    """One process to run. ``step`` and ``name`` stand in the step list where LibreLane itself is not yet running."""

    argv: list[str]
    step: str | None = None
    name: str | None = None


class Stop(NamedTuple):
    """How to end what runs outside of the supervisor's process tree: ``ask`` it to, and ``end`` it for certain."""

    ask: list[str]
    end: list[str]

    def to_json(self) -> dict[str, list[str]]:
        """Return the form that lies in the build directory, for whoever finds the build lost."""
        return self._asdict()


@dataclass(frozen=True)
class Plan:
    """What the supervisor does for a build: preparations in order, then LibreLane."""

    librelane: Command
    environment: dict[str, str]
    prepare: list[Command] = field(default_factory=list)
    stop: Stop | None = None


class Tool(NamedTuple):
    """A program or library: where it is, and what it says its version is; None for what is not known."""

    name: str
    path: str | None
    version: str | None


class Probe(NamedTuple):
    """How to ask the LibreLane of a toolchain about itself (``probe/librelane_plugin_a6hub_probe.py``).

    ``key`` changes whenever the answer may. ``greeting`` goes before the first question.
    """

    argv: list[str]
    environment: dict[str, str]
    key: str
    greeting: bytes = b""


class Toolchain(ABC):
    """A way to provide the tools. What may ask an engine or a tool takes seconds: call it in a thread."""

    name: str
    flows = "all but Express"
    """In words, for people."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    @abstractmethod
    def missing(self) -> Obstacle | None:
        """Return what this machine lacks for this toolchain, None if nothing. May take seconds."""

    def why_not(self, flow: str) -> Obstacle | None:
        """Return why this toolchain cannot run ``flow`` here, None if it can. May take seconds."""
        if flow == EXPRESS:
            return Obstacle(
                f"The flow {EXPRESS} brings its own tools and is not run by the toolchain {self.name}.",
                "Use toolchain='express'.",
            )
        return self.missing()

    @abstractmethod
    def provide(self) -> dict[str, str]:
        """Return what exactly a build will be run with (executables, image); goes into the build's request."""

    def preparations(self, provided: Mapping[str, str]) -> list[dict[str, str]]:
        """Return id and name of the steps that come before LibreLane's. May take seconds."""
        return []

    @abstractmethod
    def librelane_version(self) -> str | None:
        """Return LibreLane's version as far as it is known without starting it. May take seconds."""

    def tools(self) -> list[Tool]:
        """Return the tools as far as they can be seen from here. May take seconds."""
        return []

    def probe(self, provided: Mapping[str, str], seen: Sequence[Path] = ()) -> Probe | None:
        """Return how to ask the LibreLane that will run; None where it is this Python's own, or is not here yet.

        ``seen`` are the directories that a question is about: a container sees no others. May take seconds.
        """
        return None

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which LibreLane, or what starts it, runs; made from ``base``."""
        return dict(base)

    @abstractmethod
    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Return the commands for a build; LibreLane's config is written as ``config.json`` in ``build_dir``."""

    def describe(self) -> dict[str, Any]:
        """Return what the API shows (schema ``Toolchain``). May take seconds."""
        obstacle = self.missing()
        return {
            "name": self.name,
            "flows": self.flows,
            "available": obstacle is None,
            "reason": obstacle.reason if obstacle else None,
            "remedy": obstacle.remedy if obstacle else None,
            "librelane": self.librelane_version(),
            "provides": self.provide(),
            "tools": [t._asdict() for t in self.tools()],
        }


def librelane_arguments(request: BuildRequest, build_dir: Path, pdk_root: str) -> list[str]:
    """Return LibreLane's command line after ``python -m librelane``; all of it is known from 2.4 to 3.x.

    The PDK is always given by its root (``--manual-pdk``): which one is used was decided, and shown, when the build
    was asked for.
    """
    arguments = ["--manual-pdk", "--pdk-root", pdk_root, "--pdk", request.pdk]
    if request.scl:
        arguments += ["--scl", request.scl]
    if "flow" not in request.meta:  # it would win over the steps that the configuration lists or substitutes
        arguments += ["--flow", request.flow]
    arguments += ["--run-tag", request.tag, "--design-dir", request.design_dir]
    arguments += ["--hide-progress-bar", "--jobs", str(request.jobs)]
    if request.from_step:
        arguments += ["--from", request.from_step]
    if request.to_step:
        arguments += ["--to", request.to_step]
    for step in request.skip:
        arguments += ["--skip", step]
    return [*arguments, str(build_dir / CONFIG)]


def named_librelane(settings: Settings) -> str:
    """Return the executable that the configuration or LIBRELANE_PATH names; empty for this Python's LibreLane."""
    return settings.librelane or os.environ.get("LIBRELANE_PATH", "")


def wrongly_named(settings: Settings) -> Obstacle | None:
    """Return what is wrong with the executable that is named, None if none is or it can be run."""
    named = named_librelane(settings)
    if not named or (Path(named).is_file() and os.access(named, os.X_OK)):
        return None
    return Obstacle(
        f"LIBRELANE_PATH (or A6HubApp.librelane_path) names '{named}', which is no executable file.",
        "Name LibreLane's executable, or leave it empty for the one beside this server.",
    )


def librelane_command(request: BuildRequest, build_dir: Path, pdk_root: str) -> list[str]:
    """Return the command that runs LibreLane: the executable on record for the build, else this Python's."""
    named = request.provided.get("librelane")
    arguments = librelane_arguments(request, build_dir, pdk_root)
    return [named, *arguments] if named else module_command("librelane", *arguments)


def pdk_root_of(request: BuildRequest) -> str:
    """Return the PDK root of a build whose PDK is there."""
    assert request.pdk_root is not None, "only Express stages its PDK"  # noqa: S101
    return request.pdk_root


def librelane_config(request: BuildRequest) -> str:
    """Return the text of the config file that LibreLane is given."""
    meta = dict(request.meta)
    pairs = meta.get("substituting_steps") or []
    if pairs and len({key for key, _ in pairs}) == len(pairs):  # LibreLane 2 takes no list of pairs
        meta["substituting_steps"] = dict(pairs)
    return json.dumps({"meta": meta, **request.config}, indent=1)


def ask(argv: list[str], seconds: float = ASK_SECONDS) -> tuple[int, str]:
    """Run a command that tells something; return its exit code (-1: it could not be run) and all that it printed."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            env=clean_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"it did not answer within {seconds:g} s"
    except OSError as error:
        return -1, error.strerror or str(error)
    return done.returncode, done.stdout


def tool_version(name: str, *arguments: str) -> Tool:
    """Return where a program of the PATH is, and the first line with a number of what it says to ``arguments``."""
    path = shutil.which(name)
    if path is None:
        return Tool(name, None, None)
    _, text = ask([path, *arguments])
    lines = (line.strip() for line in text.splitlines())
    return Tool(name, path, next((line[:_VERSION_LENGTH] for line in lines if re.search(r"\d", line)), None))
