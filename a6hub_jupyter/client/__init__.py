"""What a notebook uses. It speaks HTTP with the Jupyter server, and with nothing else."""

from __future__ import annotations

from .build import Build, build, builds
from .design import Design, lint
from .errors import A6HubError, RequestRefusedError, ServerNotFoundError
from .layouts import layout
from .pdks import PDKs, pdks
from .toolchains import Toolchains, toolchains

__all__ = [
    "A6HubError",
    "Build",
    "Design",
    "PDKs",
    "RequestRefusedError",
    "ServerNotFoundError",
    "Toolchains",
    "build",
    "builds",
    "layout",
    "lint",
    "pdks",
    "toolchains",
]
