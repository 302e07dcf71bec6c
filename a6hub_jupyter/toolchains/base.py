"""What every toolchain can say of itself: whether it is there, and how it runs a build."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..builds.journal import CONFIG
from ..builds.model import BuildRequest
from ..isolated import module_command


@dataclass(frozen=True)
class Command:
    """One process to run. ``step`` names it in the step list where LibreLane itself is not yet running."""

    argv: list[str]
    step: str | None = None


@dataclass(frozen=True)
class Plan:
    """What the supervisor does for a build: preparations in order, then LibreLane."""

    librelane: Command
    environment: dict[str, str]
    prepare: list[Command] = field(default_factory=list)


class Toolchain(ABC):
    """A way to provide the tools."""

    name: str

    @abstractmethod
    def why_not(self, flow: str) -> str | None:
        """Return one sentence on why this toolchain cannot run ``flow`` here, None if it can."""

    @abstractmethod
    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which LibreLane runs, made from ``base``."""

    @abstractmethod
    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Return the commands for a build; LibreLane's config is written as ``config.json`` in ``build_dir``."""


def librelane_arguments(request: BuildRequest, build_dir: Path, pdk_root: str) -> list[str]:
    """Return LibreLane's command line after ``python -m librelane``.

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


def python_librelane(request: BuildRequest, build_dir: Path, pdk_root: str) -> list[str]:
    """Return the command that runs LibreLane: the executable that LIBRELANE_PATH names, else this Python's."""
    named = os.environ.get("LIBRELANE_PATH")
    arguments = librelane_arguments(request, build_dir, pdk_root)
    return [named, *arguments] if named else module_command("librelane", *arguments)


def librelane_config(request: BuildRequest) -> str:
    """Return the text of the config file that LibreLane is given."""
    return json.dumps({"meta": request.meta, **request.config}, indent=1)
