"""What a build has made: the files of its run directory, and the picture of its layout."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..auth import BUILDS, READ, Refusal
from ..builds.record import Record
from .base import A6HubHandler, guarded
from .files import FileHandler, media_type

# A Classic run has about 1,500 files; a runaway step must not make the answer grow without end.
MAX_LISTED = 20_000


def artifact_path(record: Record, relative: str) -> Path:
    """Return a file of the run directory; Refusal 404 for all that is outside or not there, links resolved."""
    run_dir = Path(record.request.run_dir)
    try:
        path = (run_dir / relative).resolve()
        if path.is_relative_to(run_dir.resolve()) and path.is_file():
            return path
    except (OSError, ValueError, RuntimeError):
        pass
    raise Refusal(404, "The build has no such file.", field="path", remedy="…/artifacts lists the files it has.")


def view_path(record: Record, view: str, name: str, step: str) -> Path:
    """Return the file of one of the build's views; Refusal 404 that says whether ``step`` will still make it."""
    relative = record.snapshot.views.get(view)
    if relative is not None:
        return artifact_path(record, relative)
    if record.live:
        raise Refusal(404, f"The build has no {name} yet.", remedy=f"Wait for the step {step}.")
    sentence = f"The build has no {name}: it ended ({record.snapshot.state}) without one."
    raise Refusal(404, sentence, remedy=f"Its log says why; build again, up to the step {step} at least.")


def list_files(run_dir: Path, most: int, wanted: Sequence[str] = ()) -> tuple[list[dict[str, Any]], bool]:
    """Return the files, the final views first, and whether there are more than ``most``.

    Each is path (relative), size in bytes and time of modification; ``wanted`` are paths that they are, or lie below.
    """
    found: list[dict[str, Any]] = []
    cut = False
    for directory, names, files in os.walk(run_dir):
        # what is cut off is never the end of all that a build is for
        names[:] = sorted((n for n in names if n != "tmp"), key=lambda n: (n != "final", n))
        for name in sorted(files):
            path = Path(directory, name)
            relative = path.relative_to(run_dir).as_posix()
            if wanted and not any(relative == w or relative.startswith(w.rstrip("/") + "/") for w in wanted):
                continue
            if len(found) >= most:
                cut = True
                break
            try:
                status = path.lstat()
            except OSError:
                continue
            modified = datetime.fromtimestamp(status.st_mtime, timezone.utc).isoformat(timespec="milliseconds")
            found.append({"path": relative, "size": status.st_size, "modified": modified.replace("+00:00", "Z")})
        if cut:
            break
    return sorted(found, key=lambda f: (not f["path"].startswith("final/"), f["path"])), cut


class ArtifactsHandler(A6HubHandler):
    """``builds/{id}/artifacts``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Answer with the list of files; ``truncated`` says that there are more."""
        run_dir = Path(self.record(build_id).request.run_dir)
        files, cut = await asyncio.to_thread(list_files, run_dir, MAX_LISTED)
        await self.finish({"artifacts": files, "truncated": cut})


class ArtifactHandler(FileHandler):
    """``builds/{id}/artifacts/{path}``."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str, relative: str) -> None:
        """Send a file as a download."""
        path = artifact_path(self.record(build_id), relative)
        await self.send_file(path, content_type=media_type(path), download=path.name)


class PictureHandler(FileHandler):
    """``builds/{id}/picture``: the layout as LibreLane's KLayout.Render drew it."""

    @guarded(READ, BUILDS)
    async def get(self, build_id: str) -> None:
        """Send the PNG; 404 until there is one."""
        record = self.record(build_id)
        path = view_path(record, "render", "picture of its layout", "KLayout.Render")
        await self.send_file(path, content_type="image/png")
