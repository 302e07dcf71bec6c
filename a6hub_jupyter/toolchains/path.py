"""Toolchain ``path``: the tools are on the PATH already (a LibreLane image as hub image, a Nix shell)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ..builds.model import BuildRequest
from .base import Command, Plan, Toolchain, python_librelane

TOOLS = ("yosys", "verilator", "openroad", "klayout", "magic", "netgen")


class PathToolchain(Toolchain):
    """Runs the LibreLane of this Python with whatever the PATH offers."""

    name = "path"

    def why_not(self, flow: str) -> str | None:
        """Name the tools that are missing on the PATH; Express brings its own and is not run this way."""
        if flow == "Express":
            return "The flow Express brings its own tools: use toolchain='express'."
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if not missing:
            return None
        return (
            f"The flow {flow} needs {', '.join(missing)} on the PATH of the Jupyter server; "
            "start the server in a LibreLane container or Nix shell, or use flow='Express'."
        )

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment unchanged."""
        return dict(base)

    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Run LibreLane as it is."""
        assert request.pdk_root is not None, "only Express stages its PDK"  # noqa: S101
        command = Command(python_librelane(request, build_dir, request.pdk_root))
        return Plan(command, self.environment(base))
