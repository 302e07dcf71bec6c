"""Toolchain ``path``: the tools are on the PATH already (a LibreLane image as hub image, a Nix shell)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..builds.model import BuildRequest
from .base import (
    Command,
    Obstacle,
    Plan,
    Probe,
    Tool,
    Toolchain,
    ask,
    librelane_command,
    named_librelane,
    pdk_root_of,
    tool_version,
    wrongly_named,
)
from .express import wheel_version
from .probing import plugin_probe

# Each with the arguments on which it says its version and ends.
TOOLS = {
    "openroad": ("-version",),
    "yosys": ("--version",),
    "magic": ("-dnull", "-noconsole", "--version"),
    "netgen": ("-batch", "quit"),
    "klayout": ("-v",),
    "verilator": ("--version",),
}


class PathToolchain(Toolchain):
    """Runs the LibreLane of this Python, or the one that LIBRELANE_PATH names, with whatever the PATH offers."""

    name = "path"

    def missing(self) -> Obstacle | None:
        """Name the tools that are missing on the PATH."""
        if wrong := wrongly_named(self.settings):
            return wrong
        absent = [tool for tool in TOOLS if shutil.which(tool) is None]
        if not absent:
            return None
        return Obstacle(
            f"LibreLane's tools are not all on the PATH of the Jupyter server: {', '.join(absent)} "
            f"{'is' if len(absent) == 1 else 'are'} missing.",
            "Start the server in a LibreLane image or a Nix shell, or install them.",
        )

    def provide(self) -> dict[str, str]:
        """Name the LibreLane, where it is not this Python's own."""
        named = named_librelane(self.settings)
        return {"librelane": named} if named else {}

    def librelane_version(self) -> str | None:
        """Ask the named executable, else this Python."""
        named = named_librelane(self.settings)
        if not named:
            return wheel_version("librelane")
        code, text = ask([named, "--bare-version"])
        return text.strip() or None if code == 0 else None

    def tools(self) -> list[Tool]:
        """Return the tools of the PATH; they are asked side by side."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - not for a supervisor, which starts often

        with ThreadPoolExecutor(len(TOOLS)) as pool:
            return list(pool.map(lambda name: tool_version(name, *TOOLS[name]), TOOLS))

    def probe(self, provided: Mapping[str, str], seen: Sequence[Path] = ()) -> Probe | None:
        """Ask the named executable, which sees all; this Python's LibreLane is the one that checks requests anyway."""
        named = provided.get("librelane")
        if not named:
            return None
        status = Path(named).stat()
        key = f"path {named} {status.st_mtime_ns} {status.st_size}"
        return plugin_probe([named, "--bare-version"], key)

    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Run LibreLane as it is."""
        command = Command(librelane_command(request, build_dir, pdk_root_of(request)))
        return Plan(command, self.environment(base))
