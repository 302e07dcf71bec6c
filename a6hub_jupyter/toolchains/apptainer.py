"""Toolchain ``apptainer``: LibreLane's image under Apptainer, as clusters have it. It needs no daemon and no root."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..builds.model import BuildRequest
from ..express import cache_directory
from ..isolated import module_command
from .base import Command, Obstacle, Plan, Probe, Tool, Toolchain, tool_version
from .images import PYTHON, REPOSITORY, binds, librelane_in_image, mounts, release
from .probing import program_probe

PULL_STEP = {"id": "Apptainer.Pull", "name": "Fetch LibreLane's image"}
_NAMES = ("apptainer", "singularity")


class ApptainerToolchain(Toolchain):
    """Runs LibreLane in its image; what it starts are processes of ours, which end like any other."""

    name = "apptainer"

    @property
    def image(self) -> str:
        """The image: a ``.sif`` file or a URI such as ``docker://…``."""
        return self.settings.apptainer_image or f"docker://{REPOSITORY}:{release()}"

    def _file(self) -> Path:
        """Return the file of the image: the administrator's, or what is made of a URI in the user's cache."""
        if "://" not in self.image:
            return Path(self.image).expanduser()
        return cache_directory() / "images" / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', self.image)}.sif"

    def missing(self) -> Obstacle | None:
        """Say that Apptainer is not there, or the image file that was named."""
        if _executable() is None:
            return Obstacle(
                f"There is no {' or '.join(_NAMES)} on the PATH of the Jupyter server.",
                "Install Apptainer, or load its module before the server starts.",
            )
        if "://" not in self.image and not self._file().exists():
            return Obstacle(
                f"The image '{self.image}' of A6HubApp.apptainer_image does not exist.",
                "Name an existing .sif file, or a URI such as docker://….",
            )
        return None

    def provide(self) -> dict[str, str]:
        """Name the executable, the image, and the file of it."""
        executable = _executable()
        return {**({"engine": executable} if executable else {}), "image": self.image, "file": str(self._file())}

    def preparations(self, provided: Mapping[str, str]) -> list[dict[str, str]]:
        """Fetch the image where it is not there yet."""
        return [] if Path(provided["file"]).exists() else [PULL_STEP]

    def librelane_version(self) -> str | None:
        """Return the tag of LibreLane's own images."""
        repository, _, tag = self.image.removeprefix("docker://").rpartition(":")
        return tag if repository == REPOSITORY else None

    def tools(self) -> list[Tool]:
        """Return Apptainer; LibreLane's tools are in the image."""
        return [tool_version(name, "--version") for name in _NAMES if shutil.which(name)][:1]

    def probe(self, provided: Mapping[str, str], seen: Sequence[Path] = ()) -> Probe | None:
        """Ask the image, where it is here already."""
        file = Path(provided["file"])
        if not file.exists():
            return None
        status = file.stat()
        argv = [provided["engine"], "exec", "--cleanenv", "--no-home", *binds(seen), provided["file"], *PYTHON]
        return program_probe(argv, f"apptainer {file} {status.st_mtime_ns} {status.st_size}")

    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Fetch the image if need be, then run LibreLane in it; of our environment it sees the terminal alone."""
        engine, image, file = (request.provided[k] for k in ("engine", "image", "file"))
        run = [engine, "exec", "--cleanenv", "--no-home"]
        run += [*mounts(request, build_dir), "--pwd", request.design_dir]
        for variable in ("TERM=xterm-256color", "COLUMNS=200", f"PDK_ROOT={request.pdk_root}"):
            run += ["--env", variable]
        run += [file, *librelane_in_image(request, build_dir)]
        pull = module_command("a6hub_jupyter.toolchains.pull", engine, image, file)
        prepare = [] if Path(file).exists() else [Command(pull, PULL_STEP["id"], PULL_STEP["name"])]
        return Plan(Command(run), self.environment(base), prepare)


def _executable() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)
