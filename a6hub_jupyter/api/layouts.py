"""Layouts for the browser: the scene (gzipped plain OASIS), the properties of its layers, and markers."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

from ..auth import LAYOUTS, READ, Refusal
from ..builds.journal import read_json
from ..builds.record import Record
from ..express import sky130
from ..layout.cache import SceneFiles
from ..layout.errors import LayoutError
from ..layout.netindex import NetIndex
from ..layout.reports import find_reports
from .artifacts import view_path
from .base import guarded
from .files import FileHandler
from .turns import Kind

SUFFIXES = (".gds", ".gds.gz", ".oas", ".oas.gz", ".gds2")
REPORT_SUFFIXES = (".lyrdb", ".lyrdb.gz", ".xml", ".rpt", ".drc")

# Requests for something made from a layout; the cache makes two at once, one for all who ask for the same.
CONVERSIONS = Kind("conversions of layouts", at_once=50, waiting=0)

T = TypeVar("T")

# Longer names than synthesis makes, and as many as a person reads.
MAX_NAME, MAX_FOUND = 1000, 1000
MAX_LEFS = 200
# A kilometre: no chip is as large. A picometre: nothing on it is as small.
MAX_UM, MIN_UM = 1e9, 1e-6

# Of a picture's sides, and of the list of layers that it leaves out.
MIN_PIXELS, MAX_PIXELS = 16, 4096
MAX_HIDDEN = 8192
HIDDEN = re.compile(r"\d{1,9}/\d{1,9}(?:,\d{1,9}/\d{1,9})*")


class LayoutHandler(FileHandler):
    """Finds the layout and has its scene made."""

    auth_resource = LAYOUTS

    async def of_build(self, build_id: str) -> SceneFiles:
        """Return the scene of a build's GDS, with the PDK's layer properties."""
        record = self.record(build_id)
        gds = self.gds_of(record)
        config = read_json(Path(record.request.run_dir) / "resolved.json")
        lyp = config.get("KLAYOUT_PROPERTIES") if isinstance(config, dict) else None
        return await self._scene(gds, _properties_file(lyp, record))

    def gds_of(self, record: Record) -> Path:
        """Return the GDS of a build; Refusal when it has none yet."""
        return view_path(record, "gds", "layout", "KLayout.StreamOut")

    async def of_path(self) -> SceneFiles:
        """Return the scene of the file that ``path`` names."""
        return await self._scene(self.given_path("layout", SUFFIXES), None)

    def given_path(self, kind: str, suffixes: tuple[str, ...], field: str = "path") -> Path:
        """Return the file that ``field`` names; Refusal when it is not there, or no such file by its name."""
        given = self.get_query_argument(field, "")
        if not given.lower().endswith(suffixes):
            raise Refusal(
                422,
                f"This is no {kind} file.",
                field=field,
                remedy=f"Name a file that ends in {', '.join(suffixes)}.",
            )
        path = self.services.roots.resolve(given, field)
        if not path.is_file():
            raise Refusal(404, f"The {kind} '{given}' does not exist.", field=field, remedy="Check the path.")
        return path

    def number(self, name: str) -> float:
        """Return a query argument as a number; Refusal when it is none."""
        try:
            value = float(self.get_query_argument(name, ""))
        except ValueError:
            value = math.nan
        if not abs(value) < MAX_UM:  # nor is what is no number
            raise Refusal(422, f"'{name}' is a number, in um.", field=name, remedy=f"Give {name}, such as {name}=12.5.")
        return value

    async def _scene(self, path: Path, lyp: Path | None) -> SceneFiles:
        async with self.conversion():
            return await self.services.scenes.scene(path, lyp)

    @contextlib.asynccontextmanager
    async def conversion(self, field: str | None = "path") -> AsyncIterator[None]:
        """Have something made from a layout, or found made; Refusal 429, or 422 for what cannot be made."""
        try:
            async with self.turn(CONVERSIONS):
                yield
        except LayoutError as error:
            raise Refusal(422, error.message, field=field, remedy=error.remedy) from error

    async def send_markers(self, reports: list[Path]) -> None:
        """Send the markers of these reports; none is an empty list."""
        if not reports:
            await self.finish({"categories": [], "markers": [], "note": None})
            return
        async with self.conversion():
            markers = await self.services.scenes.markers(reports)
        await self.send_file(markers, content_type="application/json", gzip=True)

    async def send_scene(self, files: SceneFiles) -> None:
        """Send the OASIS; it lies gzipped in the cache and goes out as it is."""
        await self.send_file(files.scene, content_type="application/octet-stream", gzip=True)

    async def send_snapshot(self, files: SceneFiles) -> None:
        """Send a PNG of the layout: all of it, or what ``x``, ``y`` and ``size`` (um) say."""
        pixels = self.whole("width", 800), self.whole("height", 600)
        asked = [name for name in ("x", "y", "size") if self.get_query_argument(name, "")]
        view = [self.number(name) for name in ("x", "y", "size")] if asked else []
        if view and view[2] < MIN_UM:
            raise Refusal(
                422,
                f"'size' is a number of at least {MIN_UM:g}, in um.",
                field="size",
                remedy="Leave x, y and size out.",
            )
        hidden = self.get_query_argument("hidden", "")
        if hidden and (len(hidden) > MAX_HIDDEN or not HIDDEN.fullmatch(hidden)):
            raise Refusal(422, "'hidden' lists layers.", field="hidden", remedy="Write them as 68/20,69/20.")
        async with self.conversion():
            picture = await self.services.scenes.snapshot(files, pixels, view, hidden)
        await self.send_file(picture, content_type="image/png", ranges=False)

    def whole(self, name: str, default: int) -> int:
        """Return a number of pixels from the query; Refusal when it is none that a picture may have."""
        value = self.number(name) if self.get_query_argument(name, "") else default
        if value != int(value) or not MIN_PIXELS <= value <= MAX_PIXELS:
            remedy = f"Give a whole number from {MIN_PIXELS} to {MAX_PIXELS}."
            raise Refusal(422, f"'{name}' is no size of a picture.", field=name, remedy=remedy)
        return int(value)

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


class BuildSnapshotHandler(LayoutHandler):
    """``builds/{id}/snapshot``."""

    @guarded(READ, LAYOUTS)
    async def get(self, build_id: str) -> None:
        """Send a picture of the build's layout."""
        await self.send_snapshot(await self.of_build(build_id))


class SnapshotHandler(LayoutHandler):
    """``layouts/snapshot?path=``."""

    @guarded(READ, LAYOUTS)
    async def get(self) -> None:
        """Send a picture of a file."""
        await self.send_snapshot(await self.of_path())


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


class NetsHandler(LayoutHandler):
    """What the three routes for nets have in common: the index of the build's DEF."""

    async def ask(self, build_id: str, question: Callable[[NetIndex], T]) -> T:
        """Return the answer of the index, made now unless it is there; Refusal when the build has no DEF yet."""
        record = self.record(build_id)
        path = view_path(record, "def", "DEF", "Express.Routing or OpenROAD.DetailedRouting")
        async with self.conversion(field=None):
            lefs = await asyncio.to_thread(_lefs, record)
            index = NetIndex(await self.services.scenes.nets(path, lefs))
            return await asyncio.to_thread(question, index)


class BuildNetsHandler(NetsHandler):
    """``builds/{id}/nets``."""

    @guarded(READ, LAYOUTS)
    async def get(self, build_id: str) -> None:
        """Send the nets and instances whose names contain ``text``."""
        text = self.get_query_argument("text", "")
        given = self.get_query_argument("limit", "100")
        if len(text) > MAX_NAME:
            raise Refusal(422, "No name is so long.", field="text", remedy=f"Give at most {MAX_NAME} characters.")
        if not given.isascii() or not given.isdigit() or len(given) > 6 or not 1 <= int(given) <= MAX_FOUND:
            raise Refusal(422, f"'limit' is a number from 1 to {MAX_FOUND}.", field="limit", remedy="Leave it out.")
        await self.finish(await self.ask(build_id, lambda index: index.search(text, int(given))))


class BuildNetHandler(NetsHandler):
    """``builds/{id}/net?name=``."""

    @guarded(READ, LAYOUTS)
    async def get(self, build_id: str) -> None:
        """Send a net with its pins and its shapes."""
        name = self.get_query_argument("name", "")
        net = await self.ask(build_id, lambda index: index.net(name) if 0 < len(name) <= MAX_NAME else None)
        if net is None:
            raise Refusal(
                404, f"The design has no net '{name[:80]}'.", field="name", remedy="…/nets finds nets by their names."
            )
        await self.finish(net)


class BuildPlaceHandler(NetsHandler):
    """``builds/{id}/place?x=&y=``."""

    @guarded(READ, LAYOUTS)
    async def get(self, build_id: str) -> None:
        """Send the nets and the instances at a place."""
        x, y = self.number("x"), self.number("y")
        await self.finish(await self.ask(build_id, lambda index: index.at(x, y)))


def _lefs(record: Record) -> list[Path]:
    """Return the LEF files of the build's PDK and design: via and pin shapes. Other places are left out."""
    config = read_json(Path(record.request.run_dir) / "resolved.json")
    if not isinstance(config, dict):
        return []
    tech = config.get("TECH_LEFS")
    # One for each corner, all with the same geometry.
    given: list[object] = list(tech.values())[:1] if isinstance(tech, dict) else []
    for name in ("CELL_LEFS", "PAD_LEFS", "EXTRA_LEFS"):
        more = config.get(name)
        given += more if isinstance(more, list) else []
    root = Path(record.request.pdk_root or sky130.default_root()).resolve()
    allowed = root, Path(record.request.run_dir).resolve(), Path(record.request.design_dir).resolve()
    found = [Path(each).resolve() for each in given[:MAX_LEFS] if isinstance(each, str) and "\0" not in each]
    return [path for path in found if any(path.is_relative_to(place) for place in allowed) and path.is_file()]


class DifferencesHandler(LayoutHandler):
    """``layouts/differences``: of ``path`` or ``build``, and ``other`` or ``other_build``."""

    @guarded(READ, LAYOUTS)
    async def get(self) -> None:
        """Send markers where two layouts differ."""
        one, first = self._side("path", "build")
        other, second = self._side("other", "other_build")
        if first == second:
            first, second = f"the first ({first})", f"the second ({second})"
        async with self.conversion():
            markers = await self.services.scenes.differences(one, other, (first, second))
        await self.send_file(markers, content_type="application/json", gzip=True)

    def _side(self, file: str, build: str) -> tuple[Path, str]:
        """Return the layout that one of these two fields gives, and what it is called."""
        build_id = self.get_query_argument(build, "")
        if not build_id:
            path = self.given_path("layout", SUFFIXES, file)
            return path, path.name
        if self.get_query_argument(file, ""):
            raise Refusal(
                422,
                f"'{file}' and '{build}' name two layouts.",
                field=build,
                remedy=f"Leave '{file}' or '{build}' out.",
            )
        try:
            return self.gds_of(self.record(build_id)), build_id
        except Refusal as refusal:
            entry = refusal.entries[0]
            raise Refusal(refusal.status, entry["message"], field=build, remedy=entry["remedy"]) from refusal
