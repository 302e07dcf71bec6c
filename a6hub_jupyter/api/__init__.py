"""HTTP and WebSocket: one module for each resource. ``handlers`` lists them all."""

from __future__ import annotations

from typing import Any

from .artifacts import ArtifactHandler, ArtifactsHandler, PictureHandler
from .base import InfoHandler
from .builds import BuildHandler, BuildsHandler, CancelHandler
from .layouts import BuildLayersHandler, BuildSceneHandler, LayersHandler, SceneHandler
from .lint import LintHandler
from .log import LogHandler
from .stream import StreamHandler

_BUILD = r"/api/a6hub/builds/([^/]+)"

handlers: list[tuple[str, type[Any]]] = [
    (r"/api/a6hub/?", InfoHandler),
    (r"/api/a6hub/builds/?", BuildsHandler),
    (_BUILD, BuildHandler),
    (_BUILD + "/cancel", CancelHandler),
    (_BUILD + "/log", LogHandler),
    (_BUILD + "/stream", StreamHandler),
    (_BUILD + "/artifacts/?", ArtifactsHandler),
    (_BUILD + "/artifacts/(.+)", ArtifactHandler),
    (_BUILD + "/picture", PictureHandler),
    (_BUILD + "/scene", BuildSceneHandler),
    (_BUILD + "/layers", BuildLayersHandler),
    (r"/api/a6hub/lint", LintHandler),
    (r"/api/a6hub/layouts/scene", SceneHandler),
    (r"/api/a6hub/layouts/layers", LayersHandler),
]
