"""a6hub-jupyter: make chips in Jupyter.

The names below are loaded on first use: a Jupyter server imports this package at its start, and must not pay
for the notebook side; a notebook must not pay for the server side.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .client import Build, Design, build, builds, layout, lint, pdks, toolchains

__all__ = ["Build", "Design", "__version__", "build", "builds", "layout", "lint", "pdks", "toolchains"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(".client", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load (its extension protocol)."""
    from .app import A6HubApp  # noqa: PLC0415 - only the server needs it

    return [{"module": "a6hub_jupyter", "app": A6HubApp}]
