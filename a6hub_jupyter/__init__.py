"""a6hub-jupyter: make chips in Jupyter.

The names below are loaded on first use: a Jupyter server imports this package at its start, and must not pay
for the notebook side; a notebook must not pay for the server side.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .client import (
        Build,
        Design,
        build,
        builds,
        delete_preset,
        flows,
        layout,
        lint,
        pdks,
        presets,
        save_preset,
        steps,
        toolchains,
        variables,
    )
    from .widgets.config_form import ConfigForm

__all__ = [
    "Build",
    "ConfigForm",
    "Design",
    "__version__",
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


def __getattr__(name: str) -> Any:
    if name == "ConfigForm":
        return import_module(".widgets.config_form", __name__).ConfigForm
    if name in __all__:
        return getattr(import_module(".client", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """Register ``%%verilog``: ``%load_ext a6hub_jupyter`` (IPython's protocol for extensions)."""
    from .client.magic import register  # noqa: PLC0415 - only a kernel needs it

    register(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load (its extension protocol)."""
    from .app import A6HubApp  # noqa: PLC0415 - only the server needs it

    return [{"module": "a6hub_jupyter", "app": A6HubApp}]
