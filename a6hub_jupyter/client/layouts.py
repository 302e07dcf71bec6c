"""Layouts in a notebook."""

from __future__ import annotations

from pathlib import Path

from ..widgets.layout import LayoutWidget
from .server import current_server


def layout(path: str | Path) -> LayoutWidget:
    """Show a layout file (.gds, .gds.gz, .oas) below the server's root; relative paths count from here."""
    absolute = Path(path).expanduser().resolve()
    current_server().get("layouts/layers", path=str(absolute))  # says now, in a sentence, what is wrong with it
    return LayoutWidget(path=str(absolute))


def layout_of_build(build_id: str) -> LayoutWidget:
    """Show the layout that a build has made."""
    current_server().get(f"builds/{build_id}/layers")
    return LayoutWidget(build_id=build_id)
