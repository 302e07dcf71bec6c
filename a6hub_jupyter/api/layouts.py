"""Layouts for the browser: the scene (gzipped plain OASIS), the properties of its layers, and markers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..auth import LAYOUTS, READ, Refusal
from ..builds.journal import read_json
from ..builds.record import Record
from ..express import sky130
from ..layout.cache import SceneFiles
from ..layout.errors import LayoutError
from .artifacts import artifact_path
from .base import A6HubHandler, guarded

SUFFIXES = (".gds", ".gds.gz", ".oas", ".oas.gz", ".gds2")
REPORT_SUFFIXES = (".lyrdb", ".lyrdb.gz")

# A build has one report for each checker; this many is more than any flow writes.
MAX_REPORTS = 50


class LayoutHandler(A6HubHandler):
    """Finds the layout and has its scene made."""

    auth_resource = LAYOUTS

    async def of_build(self, build_id: str) -> SceneFiles:
        """Return the scene of a build's GDS, with the PDK's layer properties."""
        record = self.record(build_id)
        view = record.snapshot.views.get("gds")
        if view is None:
            raise Refusal(404, "The build has no layout yet.", remedy="Wait for the step KLayout.StreamOut.")
        config = read_json(Path(record.request.run_dir) / "resolved.json")
        lyp = config.get("KLAYOUT_PROPERTIES") if isinstance(config, dict) else None
        return await self._scene(artifact_path(record, view), _properties_file(lyp, record))

    async def of_path(self) -> SceneFiles:
        """Return the scene of the file that ``path`` names."""
        return await self._scene(self.given_path("layout", SUFFIXES), None)

    def given_path(self, kind: str, suffixes: tuple[str, ...]) -> Path:
        """Return the file that ``path`` names; Refusal when it is not there, or no such file by its name."""
        given = self.get_query_argument("path", "")
        if not given.lower().endswith(suffixes):
            raise Refusal(
                422,
                f"This is no {kind} file.",
                field="path",
                remedy=f"Name a file that ends in {', '.join(suffixes)}.",
            )
        path = self.services.roots.resolve(given, "path")
        if not path.is_file():
            raise Refusal(404, f"The {kind} '{given}' does not exist.", field="path", remedy="Check the path.")
        return path

    async def _scene(self, path: Path, lyp: Path | None) -> SceneFiles:
        try:
            return await self.services.scenes.scene(path, lyp)
        except LayoutError as error:
            raise Refusal(422, error.message, field="path", remedy=error.remedy) from error

    async def send_markers(self, reports: list[Path]) -> None:
        """Send the markers of these reports; none is an empty list."""
        if not reports:
            await self.finish({"categories": [], "markers": [], "note": None})
            return
        try:
            markers = await self.services.scenes.markers(reports)
        except LayoutError as error:
            raise Refusal(422, error.message, field="path", remedy=error.remedy) from error
        await self.send_file(markers, content_type="application/json", gzip=True)

    async def send_scene(self, files: SceneFiles) -> None:
        """Send the OASIS; it lies gzipped in the cache and goes out as it is."""
        await self.send_file(files.scene, content_type="application/octet-stream", gzip=True)

    async def send_layers(self, files: SceneFiles) -> None:
        """Send the layers that are present, in draw order."""
        await self.send_file(files.layers, content_type="application/json", ranges=False)


def _properties_file(path: object, record: Record) -> Path | None:
    """Return the layer properties of the build's PDK; without them a layout gets colours of our own.

    The path comes from a file of the run directory, which is the user's: only the PDK's own is taken.
    """
    if not isinstance(path, str) or "\0" in path:
        return None
    root = record.request.pdk_root or sky130.default_root()
    resolved = Path(path).resolve()
    return resolved if resolved.is_relative_to(Path(root).resolve()) and resolved.is_file() else None


class BuildSceneHandler(LayoutHandler):
    """``builds/{id}/scene``."""

    @guarded(READ, LAYOUTS)
    async def get(self, build_id: str) -> None:
        """Send the scene of the build's layout."""
        await self.send_scene(await self.of_build(build_id))


class BuildLayersHandler(LayoutHandler):
    """``builds/{id}/layers``."""

    @guarded(READ, LAYOUTS)
    async def get(self, build_id: str) -> None:
        """Send the layers of the build's layout."""
        await self.send_layers(await self.of_build(build_id))


class SceneHandler(LayoutHandler):
    """``layouts/scene?path=``."""

    @guarded(READ, LAYOUTS)
    async def get(self) -> None:
        """Send the scene of a file."""
        await self.send_scene(await self.of_path())


class LayersHandler(LayoutHandler):
    """``layouts/layers?path=``."""

    @guarded(READ, LAYOUTS)
    async def get(self) -> None:
        """Send the layers of a file."""
        await self.send_layers(await self.of_path())


class BuildMarkersHandler(LayoutHandler):
    """``builds/{id}/markers``."""

    @guarded(READ, LAYOUTS)
    async def get(self, build_id: str) -> None:
        """Send what the checkers of the build have found, with places."""
        run_dir = Path(self.record(build_id).request.run_dir)
        await self.send_markers(await asyncio.to_thread(find_reports, run_dir))


class MarkersHandler(LayoutHandler):
    """``layouts/markers?path=``."""

    @guarded(READ, LAYOUTS)
    async def get(self) -> None:
        """Send the markers of a report database."""
        await self.send_markers([self.given_path("report", REPORT_SUFFIXES)])


def find_reports(run_dir: Path) -> list[Path]:
    """Return the report databases in a run directory, in the order of its steps; links to elsewhere are left out."""
    found = (path.resolve() for path in sorted(run_dir.rglob("*.lyrdb")))
    inside = run_dir.resolve()
    reports = [path for path in found if path.is_relative_to(inside) and path.is_file()]
    return list(dict.fromkeys(reports))[:MAX_REPORTS]
