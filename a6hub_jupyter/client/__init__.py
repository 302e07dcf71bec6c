"""What a notebook uses. It speaks HTTP with the Jupyter server, and with nothing else."""

from __future__ import annotations

from .build import Build, build, builds
from .catalogue import delete_preset, flows, presets, save_preset, steps, variables
from .design import Design
from .errors import A6HubError, RequestRefusedError, ServerNotFoundError
from .layouts import layout
from .linting import lint
from .pdks import PDKs, pdks
from .toolchains import Toolchains, toolchains
from .validation import Validation

__all__ = [
    "A6HubError",
    "Build",
    "Design",
    "PDKs",
    "RequestRefusedError",
    "ServerNotFoundError",
    "Toolchains",
    "Validation",
    "build",
    "builds",
    "delete_preset",
    "flows",
    "layout",
    "lint",
    "pdks",
    "presets",
    "save_preset",
    "steps",
    "toolchains",
    "variables",
]
