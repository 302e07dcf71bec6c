"""How the EDA tools are provided: one small module for each way, one protocol (see ``base``)."""

from __future__ import annotations

from . import apptainer, container, express, nix
from .apptainer import ApptainerToolchain
from .base import Command, Obstacle, Plan, Settings, Stop, Toolchain
from .container import ContainerToolchain
from .express import ExpressToolchain
from .nix import NixToolchain
from .path import PathToolchain

AUTO = "auto"
PREPARATIONS = frozenset(
    step["id"] for step in (express.STAGE_STEP, container.PULL_STEP, apptainer.PULL_STEP, nix.BUILD_STEP)
)
"""Ids of the steps that are not LibreLane's."""


def toolchains(settings: Settings | None = None) -> dict[str, Toolchain]:
    """Return all toolchains by name, in the order in which ``auto`` tries them."""
    kinds = (ExpressToolchain, PathToolchain, ContainerToolchain, ApptainerToolchain, NixToolchain)
    return {kind.name: kind(settings) for kind in kinds}


TOOLCHAINS = toolchains()
"""For whoever has no settings: a supervisor, whose request says what it is run with."""


def choose(flow: str, known: dict[str, Toolchain]) -> tuple[Toolchain, str] | list[tuple[str, Obstacle]]:
    """Return the first toolchain that can run a flow, and why it was taken; else what is in each one's way.

    Takes seconds where an engine is asked.
    """
    passed_over: list[tuple[str, Obstacle]] = []
    for toolchain in known.values():
        obstacle = toolchain.why_not(flow)
        if obstacle is None:
            before = ", ".join(name for name, _ in passed_over)
            reason = f"The first that can run {flow} here" + (f" (not {before})." if before else ".")
            return toolchain, reason
        passed_over.append((toolchain.name, obstacle))
    return passed_over


__all__ = [
    "AUTO",
    "PREPARATIONS",
    "TOOLCHAINS",
    "Command",
    "Obstacle",
    "Plan",
    "Settings",
    "Stop",
    "Toolchain",
    "choose",
    "toolchains",
]
