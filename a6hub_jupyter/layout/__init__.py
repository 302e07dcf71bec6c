"""Layouts: from GDSII or OASIS to the scene that the browser draws, with the properties of its layers.

Importing this package costs nothing: gdstk and klayout are loaded by worker processes alone.
"""

from a6hub_jupyter.layout.cache import SceneCache, SceneFiles
from a6hub_jupyter.layout.errors import LayoutError

__all__ = ["LayoutError", "SceneCache", "SceneFiles"]
