"""HTTP and WebSocket: one module for each resource. ``handlers`` lists them all."""

from __future__ import annotations

from typing import Any

from .archive import ArchiveHandler
from .artifacts import ArtifactHandler, ArtifactsHandler, PictureHandler
from .base import InfoHandler
from .builds import BuildHandler, BuildsHandler, CancelHandler, ResumeHandler, RetryHandler, StatisticsHandler
from .designs import AnalysisHandler, DesignConfigHandler, ValidateHandler
from .document import DocumentHandler
from .flows import FlowsHandler, VariablesHandler
from .layouts import (
    BuildLayersHandler,
    BuildMarkersHandler,
    BuildNetHandler,
    BuildNetsHandler,
    BuildPlaceHandler,
    BuildSceneHandler,
    DifferencesHandler,
    LayersHandler,
    MarkersHandler,
    SceneHandler,
)
from .lint import LintHandler
from .log import LogHandler, LogSearchHandler
from .metrics import MetricsHandler, StepsHandler
from .presets import PresetHandler, PresetsHandler
from .stream import StreamHandler

_BUILD = r"/api/a6hub/builds/([^/]+)"

handlers: list[tuple[str, type[Any]]] = [
    (r"/api/a6hub/?", InfoHandler),
    (r"/api/a6hub/openapi\.yaml", DocumentHandler),
    (r"/api/a6hub/builds/?", BuildsHandler),
    (_BUILD, BuildHandler),
    (_BUILD + "/cancel", CancelHandler),
    (_BUILD + "/retry", RetryHandler),
    (_BUILD + "/resume", ResumeHandler),
    (_BUILD + "/log", LogHandler),
    (_BUILD + "/log/search", LogSearchHandler),
    (_BUILD + "/metrics", MetricsHandler),
    (_BUILD + "/steps", StepsHandler),
    (_BUILD + "/archive", ArchiveHandler),
    (_BUILD + "/stream", StreamHandler),
    (_BUILD + "/artifacts/?", ArtifactsHandler),
    (_BUILD + "/artifacts/(.+)", ArtifactHandler),
    (_BUILD + "/picture", PictureHandler),
    (_BUILD + "/scene", BuildSceneHandler),
    (_BUILD + "/layers", BuildLayersHandler),
    (_BUILD + "/markers", BuildMarkersHandler),
    (_BUILD + "/nets", BuildNetsHandler),
    (_BUILD + "/net", BuildNetHandler),
    (_BUILD + "/place", BuildPlaceHandler),
    (r"/api/a6hub/lint", LintHandler),
    (r"/api/a6hub/flows/?", FlowsHandler),
    (r"/api/a6hub/flows/([^/]+)/variables", VariablesHandler),
    (r"/api/a6hub/presets/?", PresetsHandler),
    (r"/api/a6hub/presets/([^/]+)", PresetHandler),
    (r"/api/a6hub/designs/validate", ValidateHandler),
    (r"/api/a6hub/designs/analysis", AnalysisHandler),
    (r"/api/a6hub/designs/config", DesignConfigHandler),
    (r"/api/a6hub/statistics", StatisticsHandler),
    (r"/api/a6hub/layouts/scene", SceneHandler),
    (r"/api/a6hub/layouts/layers", LayersHandler),
    (r"/api/a6hub/layouts/markers", MarkersHandler),
    (r"/api/a6hub/layouts/differences", DifferencesHandler),
]
