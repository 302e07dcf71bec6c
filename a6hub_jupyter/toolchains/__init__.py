"""How the EDA tools are provided: one small module for each way, one protocol (see ``base``).

A way's module is imported when it is asked for: a supervisor, which starts with each build, needs one alone.
"""

from __future__ import annotations

import importlib

from .base import Command, Obstacle, Plan, Settings, Stop, Toolchain

AUTO = "auto"
# By the names of their modules, in the order in which ``auto`` tries them.
_KINDS = {
    "express": "ExpressToolchain",
    "path": "PathToolchain",
    "container": "ContainerToolchain",
    "apptainer": "ApptainerToolchain",
    "nix": "NixToolchain",
}


def toolchain(name: str, settings: Settings | None = None) -> Toolchain:
    """Return the toolchain of this name; KeyError where there is none. A build's request needs no settings."""
    class_name = _KINDS[name]
    kind: type[Toolchain] = getattr(importlib.import_module(f".{name}", __name__), class_name)
    return kind(settings)


def toolchains(settings: Settings | None = None) -> dict[str, Toolchain]:
    """Return all toolchains by name, in the order in which ``auto`` tries them."""
    return {name: toolchain(name, settings) for name in _KINDS}


def choose(flow: str, known: dict[str, Toolchain]) -> tuple[Toolchain, str] | list[tuple[str, Obstacle]]:
    """Return the first toolchain that can run a flow, and why it was taken; else what is in each one's way.

    Takes seconds where an engine is asked.
    """
    passed_over: list[tuple[str, Obstacle]] = []
    for candidate in known.values():
        obstacle = candidate.why_not(flow)
        if obstacle is None:
            before = ", ".join(name for name, _ in passed_over)
            reason = f"The first that can run {flow} here" + (f" (not {before})." if before else ".")
            return candidate, reason
        passed_over.append((candidate.name, obstacle))
    return passed_over


__all__ = [
    "AUTO",
    "Command",
    "Obstacle",
    "Plan",
    "Settings",
    "Stop",
    "Toolchain",
    "choose",
    "toolchain",
    "toolchains",
]
