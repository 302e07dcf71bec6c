"""What a toolchain may have to do before LibreLane can run: stage a PDK, pull an image, build a flake."""

from __future__ import annotations

from . import apptainer, container, express, nix

PREPARATIONS = frozenset(
    step["id"] for step in (express.STAGE_STEP, container.PULL_STEP, apptainer.PULL_STEP, nix.BUILD_STEP)
)
"""Ids of the steps that are not LibreLane's."""
