"""Toolchain ``container``: LibreLane's image under Docker or Podman.

LibreLane's own ``--dockerized`` gives the container a random name that it tells nobody, so that nobody could end it,
and mounts the whole home directory. The command here is the same in all else (``librelane/container.py``), with a name
by which the container is found again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..builds.model import BuildRequest
from ..isolated import module_command
from .base import Command, Obstacle, Plan, Probe, Settings, Stop, Tool, Toolchain, ask
from .images import PYTHON, REPOSITORY, binds, librelane_in_image, mounts, release
from .probing import program_probe

PULL_STEP = {"id": "Container.Pull", "name": "Pull LibreLane's image"}
_ENGINES = ("docker", "podman")
# An engine's answer holds for so long (s): a daemon may be started at any time.
_PATIENCE = 15.0


class Engine(NamedTuple):
    """A container engine that answers. ``as_user``: files would belong to root unless the user is named."""

    path: str
    kind: str
    version: str
    as_user: bool


class ContainerToolchain(Toolchain):
    """Runs LibreLane in a container of its image."""

    name = "container"

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._known: tuple[float, Engine | Obstacle] | None = None

    @property
    def image(self) -> str:
        """The image: the administrator's, else that of LibreLane's release beside us."""
        return self.settings.container_image or f"{REPOSITORY}:{release()}"

    def missing(self) -> Obstacle | None:
        """Say that there is no engine, or that it does not answer."""
        engine = self._engine()
        return engine if isinstance(engine, Obstacle) else None

    def _engine(self) -> Engine | Obstacle:
        if self._known is None or time.monotonic() - self._known[0] > _PATIENCE:
            self._known = time.monotonic(), self._look()
        return self._known[1]

    def _look(self) -> Engine | Obstacle:
        names = [self.settings.container_engine] if self.settings.container_engine else list(_ENGINES)
        paths = [path for name in names if (path := shutil.which(name))]
        if not paths:
            return Obstacle(
                f"There is no {' or '.join(names)} on the PATH of the Jupyter server.",
                "Install Docker or Podman; on a cluster Apptainer may be there (toolchain='apptainer').",
            )
        silent: list[str] = []
        for path in paths:
            code, text = ask([path, "info", "--format", "{{json .}}"])
            engine = _read_info(path, text) if code == 0 else None
            if engine is not None:
                return engine
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            silent.append(f"'{path}' does not answer ({lines[-1][:200] if lines else 'without a word'})")
        return Obstacle(
            f"{', '.join(silent)}.",
            "Start its service, and let the user of the Jupyter server use it (Docker: the group 'docker').",
        )

    def provide(self) -> dict[str, str]:
        """Name the engine and the image."""
        engine = self._engine()
        if isinstance(engine, Obstacle):
            return {"image": self.image}
        user = {"user": f"{os.getuid()}:{os.getgid()}"} if engine.as_user else {}
        return {"engine": engine.path, "image": self.image, **user}

    def preparations(self, provided: Mapping[str, str]) -> list[dict[str, str]]:
        """Pull the image where it is not there yet."""
        return [] if _image_id(provided) else [PULL_STEP]

    def librelane_version(self) -> str | None:
        """Return the tag of LibreLane's own images; another's may say anything."""
        repository, _, tag = self.image.rpartition(":")
        return tag if repository == REPOSITORY else None

    def tools(self) -> list[Tool]:
        """Return the engine; LibreLane's tools are in the image."""
        engine = self._engine()
        return [] if isinstance(engine, Obstacle) else [Tool(engine.kind, engine.path, engine.version)]

    def probe(self, provided: Mapping[str, str], seen: Sequence[Path] = ()) -> Probe | None:
        """Ask the image, where it is here already."""
        image = _image_id(provided)
        if image is None:
            return None
        argv = [
            provided["engine"],
            "run",
            "--rm",
            "--interactive",
            "--network",
            "none",
            *binds(seen),
            provided["image"],
            *PYTHON,
        ]
        return program_probe(argv, f"container {image}")

    def plan(self, request: BuildRequest, build_dir: Path, base: Mapping[str, str]) -> Plan:
        """Pull the image if need be, then run LibreLane in a container named after the build."""
        engine, image = request.provided["engine"], request.provided["image"]
        name = f"a6hub-{request.id}"
        run = [engine, "run", "--rm", "--name", name, "--interactive", "--tty", "--stop-signal", "SIGINT"]
        if "user" in request.provided:
            run += ["--user", request.provided["user"]]
        run += [*mounts(request, build_dir), "--workdir", request.design_dir]
        for variable in ("TERM", "COLUMNS", "LINES"):  # of the terminal that the supervisor makes
            run += ["--env", variable]
        run += ["--env", f"PDK_ROOT={request.pdk_root}", image, *librelane_in_image(request, build_dir)]
        pull = module_command("a6hub_jupyter.toolchains.pull", engine, image)
        prepare = [] if _image_id(request.provided) else [Command(pull, PULL_STEP["id"], PULL_STEP["name"])]
        stop = Stop(
            ask=[engine, "stop", "-t", str(max(1, round(request.grace))), name],
            end=[engine, "rm", "--force", name],
        )
        return Plan(Command(run), self.environment(base), prepare, stop)


def _read_info(path: str, text: str) -> Engine | None:
    """Read what ``docker info`` and ``podman info`` say of themselves; None for what is no such answer."""
    try:
        info = json.loads(text[text.index("{") :])
        if "host" in info:  # Podman: without a daemon, root inside is the user outside
            return Engine(path, "podman", str(info.get("version", {}).get("Version", "")), as_user=False)
        if info.get("ServerErrors"):
            return None
        rootless = any("rootless" in option for option in info.get("SecurityOptions") or [])
        return Engine(path, "docker", str(info.get("ServerVersion", "")), as_user=not rootless)
    except (ValueError, TypeError, AttributeError):
        return None


def _image_id(provided: Mapping[str, str]) -> str | None:
    """Return the id of the image, None where it is not on this machine."""
    code, text = ask([provided["engine"], "image", "inspect", "--format", "{{.Id}}", provided["image"]])
    return text.strip() if code == 0 and text.strip() else None
