"""Toolchain ``nix``: a pinned release of LibreLane with all its tools, by Nix."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..builds.model import BuildRequest
from .base import Command, Obstacle, Plan, Probe, Tool, Toolchain, ask, librelane_arguments, pdk_root_of, tool_version
from .images import release
from .probing import plugin_probe

BUILD_STEP = {"id": "Nix.Build", "name": "Fetch LibreLane by Nix"}
# Flakes are not switched on everywhere; the flake names the cache without which all tools would be compiled.
_OPTIONS = ("--extra-experimental-features", "nix-command flakes", "--accept-flake-config")


class NixToolchain(Toolchain):
    """Runs ``nix run`` on LibreLane's flake."""

    name = "nix"

    @property
    def flake(self) -> str:
        """The flake: the administrator's, else that of LibreLane's release beside us."""
        return self.settings.nix_flake or f"github:librelane/librelane/{release()}"

    def missing(self) -> Obstacle | None:
        """Say that Nix is not there."""
        if shutil.which("nix") is None:
            return Obstacle(
                "There is no nix on the PATH of the Jupyter server.",
                "Install Nix, with LibreLane's binary cache: librelane.readthedocs.io, 'Nix-based installation'.",
            )
        return None

    def provide(self) -> dict[str, str]:
        """Name the executable and the flake."""
        executable = shutil.which("nix")
        return {**({"nix": executable} if executable else {}), "flake": self.flake}

    def preparations(self, provided: Mapping[str, str]) -> list[dict[str, str]]:
        """Have Nix fetch what is missing; it takes a moment where nothing is."""
        return [BUILD_STEP]

    def librelane_version(self) -> str | None:
        """Return the release that LibreLane's own flake is pinned to."""
        repository, _, tag = self.flake.rpartition("/")
        return tag if repository == "github:librelane/librelane" else None

    def tools(self) -> list[Tool]:
        """Return Nix; LibreLane's tools come with the flake."""
        return [tool_version("nix", "--version")] if shutil.which("nix") else []

    def probe(self, provided: Mapping[str, str], seen: Sequence[Path] = ()) -> Probe | None:
        """Ask the flake, where Nix has it already."""
        nix, flake = provided["nix"], provided["flake"]
        code, path = ask([nix, *_OPTIONS, "path-info", "--offline", flake])
        if code != 0 or not path.strip():
            return None
        argv = [nix, *_OPTIONS, "run", "--offline", flake, "--", "--bare-version"]
        return plugin_probe(argv, f"nix {path.split()[-1]}")

    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Fetch, then run."""
        nix, flake = request.provided["nix"], request.provided["flake"]
        build = [nix, *_OPTIONS, "build", "--no-link", "--print-build-logs", flake]
        run = [nix, *_OPTIONS, "run", flake, "--", *librelane_arguments(request, build_dir, pdk_root_of(request))]
        environment = self.environment(base)
        environment.pop("PYTHONPATH", None)  # of this server's Python, which is another one
        return Plan(Command(run), environment, [Command(build, BUILD_STEP["id"], BUILD_STEP["name"])])
