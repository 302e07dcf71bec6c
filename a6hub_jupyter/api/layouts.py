"""Layouts for the browser: the scene (gzipped plain OASIS) and the properties of its layers."""

from __future__ import annotations

from pathlib import Path

from ..auth import LAYOUTS, READ, Refusal
from ..builds.journal import read_json
from ..layout.cache import SceneFiles
from ..layout.errors import LayoutError
from .artifacts import artifact_path
from .base import A6HubHandler, guarded

SUFFIXES = (".gds", ".gds.gz", ".oas", ".oas.gz", ".gds2")


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
        return await self._scene(artifact_path(record, view), _file(lyp))

    async def of_path(self) -> SceneFiles:
        """Return the scene of the file that ``path`` names."""
        given = self.get_query_argument("path", "")
        if not given.lower().endswith(SUFFIXES):
            raise Refusal(
                422,
                "This is no layout file.",
                field="path",
                remedy=f"Name a file that ends in {', '.join(SUFFIXES)}.",
            )
        path = self.services.roots.resolve(given, "path")
        if not path.is_file():
            raise Refusal(404, f"The layout '{given}' does not exist.", field="path", remedy="Check the path.")
        return await self._scene(path, None)

    async def _scene(self, path: Path, lyp: Path | None) -> SceneFiles:
        try:
            return await self.services.scenes.scene(path, lyp)
        except LayoutError as error:
            raise Refusal(422, error.message, field="path", remedy=error.remedy) from error

    async def send_scene(self, files: SceneFiles) -> None:
        """Send the OASIS; it lies gzipped in the cache and goes out as it is."""
        await self.send_file(files.scene, content_type="application/octet-stream", gzip=True)

    async def send_layers(self, files: SceneFiles) -> None:
        """Send the layers that are present, in draw order."""
        await self.send_file(files.layers, content_type="application/json")


def _file(path: str | None) -> Path | None:
    """Return a file that is there; without layer properties a layout gets colours of our own."""
    return Path(path) if path and Path(path).is_file() else None


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
