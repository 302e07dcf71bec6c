"""A build as a notebook sees it: a handle by id on what the server knows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from .display import BuildDisplay
from .errors import ServerNotFoundError
from .layouts import comparison, layout_of_build, library_of_build
from .progress import ENDED, ProgressPrinter
from .server import current_server

if TYPE_CHECKING:
    from pathlib import Path

    import gdstk

# A server that is asked to tell what is new does so within a second (a clock that somebody sees moves as often). What
# comes in quick succession is taken together; one that answers at once without news is not asked again at once.
WAIT_SECONDS, BURST_SECONDS, POLL_SECONDS = 1, 0.05, 0.25
SERVER_PATIENCE = 60.0


class Build:
    """One run of LibreLane. All it keeps is the id (and the last answer): the truth is on the server."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._display = BuildDisplay(data["id"])

    @property
    def id(self) -> str:
        """The build id; ``a6hub.build(id)`` finds the build again, in any kernel."""
        return str(self._data["id"])

    def refresh(self) -> dict[str, Any]:
        """Ask the server, and return the build as it is now (the API's form)."""
        return self._ask()

    def _ask(self, **params: str) -> dict[str, Any]:
        if self._data["state"] not in ENDED:
            self._data = current_server().get(f"builds/{self.id}", **params)
        return self._data

    @property
    def state(self) -> str:
        """One of queued, starting, running, succeeded, failed, cancelled, timed_out, lost."""
        return str(self.refresh()["state"])

    @property
    def error(self) -> str | None:
        """Why the build failed, None if it did not."""
        error = self.refresh()["error"]
        return error["message"] if error else None

    @property
    def command(self) -> str | None:
        """Text for a terminal that runs the same LibreLane again, beside this run; None until it has been started."""
        command = self.refresh()["command"]
        return str(command["shell"]) if command else None

    @property
    def steps(self) -> pd.DataFrame:
        """The flow's steps in order: name, state, seconds; the index is LibreLane's step id."""
        columns = ["id", "name", "state", "seconds"]
        frame: pd.DataFrame = pd.DataFrame(self.refresh()["steps"], columns=columns).set_index("id")
        return frame

    @property
    def metrics(self) -> pd.Series[Any]:
        """LibreLane's metrics so far, by LibreLane's names and in its units (um, um^2, ns)."""
        metrics: pd.Series[Any] = pd.Series(self.refresh()["metrics"], dtype=object, name=self.id).sort_index()
        return metrics

    @property
    def artifacts(self) -> pd.DataFrame:
        """The files of the run directory: size in bytes, time of modification; the index is the path.

        ``attrs["truncated"]`` says whether there are more than the server lists (20,000).
        """
        answer = current_server().get(f"builds/{self.id}/artifacts")
        columns = ["path", "size", "modified"]
        frame: pd.DataFrame = pd.DataFrame(answer["artifacts"], columns=columns).set_index("path")
        frame.attrs["truncated"] = answer["truncated"]
        return frame

    def read(self, path: str) -> bytes:
        """Return an artifact's content; ``path`` as in ``artifacts``."""
        return current_server().get_bytes(f"builds/{self.id}/artifacts/{quote(path)}")

    def log(self, tail: int | None = None) -> str:
        """Return what the tools printed, or the last ``tail`` bytes of it."""
        if tail and not self.refresh()["log_size"]:
            return ""  # there is no part of nothing
        headers = {"Range": f"bytes=-{tail}"} if tail else None
        return current_server().get_bytes(f"builds/{self.id}/log", headers).decode(errors="replace")

    @property
    def layout(self) -> Any:
        """The finished layout as a widget to pan and zoom."""
        return layout_of_build(self.id)

    def compare(self, other: Build | str | Path, *, side_by_side: bool = False) -> Any:
        """Show where the layout of this build and that of another one (or its id), or a layout file, differ.

        ``side_by_side`` shows them beside each other; ``.differences()`` of what is returned is the exact XOR.
        """
        return comparison(self.id, other, side_by_side)

    @property
    def library(self) -> gdstk.Library:
        """The finished layout as a ``gdstk.Library`` (units: micrometres)."""
        library: gdstk.Library = library_of_build(self.id)
        return library

    def cancel(self) -> Build:
        """End the build, with all the tools it runs; one that has ended is left as it is."""
        self._data = current_server().post(f"builds/{self.id}/cancel", {})
        return self

    def retry(self) -> Build:
        """Start a new build with the same request; this one must have ended."""
        return Build(current_server().post(f"builds/{self.id}/retry", {}))

    def resume(self, **options: Any) -> Build:
        """Start a build that goes on in this one's run directory, where it failed or at ``from_step``.

        ``options`` are from_step, to_step, only, skip (step ids) and timeout (seconds); this build must have ended.
        """
        return Build(current_server().post(f"builds/{self.id}/resume", options))

    def delete(self, *, run_directory: bool = False) -> None:
        """Remove the record of this build, with ``run_directory`` also LibreLane's files; it must have ended."""
        current_server().delete(f"builds/{self.id}", run_directory=str(run_directory).lower())

    def note(self, notes: str | None = None, *, tags: list[str] | None = None) -> Build:
        """Write notes or tags onto the build; ``builds(tag=...)`` and ``builds(text=...)`` find it by them."""
        changes = {k: v for k, v in (("notes", notes), ("tags", tags)) if v is not None}
        self._data = current_server().patch(f"builds/{self.id}", changes)
        return self

    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> Build:
        """Wait for the end, at most ``timeout`` seconds (TimeoutError), and return the build.

        ``progress`` prints the steps as they come, on a terminal with a bar; the default is to do so where no widget is
        shown.
        """
        deadline = time.monotonic() + timeout if timeout is not None else None
        printer = ProgressPrinter() if (progress if progress is not None else not self._display.shown) else None
        try:
            data = self._refresh_patiently()
            while True:
                if printer:
                    printer.tell(data)
                if data["state"] in ENDED:
                    self._display.finish(data)
                    return self
                self._check_deadline(deadline)
                near = deadline is not None and deadline - time.monotonic() < WAIT_SECONDS
                data = self._wait_for_news(0 if near else WAIT_SECONDS)
        except BaseException:
            if printer:
                printer.clear()
            raise

    def __await__(self) -> Generator[Any, None, Build]:
        """Wait without blocking the kernel: ``await build``."""
        return self._wait_async().__await__()

    async def _wait_async(self) -> Build:
        data = await asyncio.to_thread(self._refresh_patiently)
        while data["state"] not in ENDED:
            data = await asyncio.to_thread(self._wait_for_news, WAIT_SECONDS)
        self._display.finish(data)
        return self

    def _wait_for_news(self, seconds: int) -> dict[str, Any]:
        """Return the build when there is something new, or after ``seconds`` at most; and not too soon after the last.

        A server of an earlier version, and one of which many ask this, answers at once.
        """
        begun, known = time.monotonic(), self._data["seq"]
        data = self._refresh_patiently(wait=str(seconds), after=str(known))
        if data["state"] not in ENDED:
            pause = BURST_SECONDS if data["seq"] > known else POLL_SECONDS - (time.monotonic() - begun)
            time.sleep(max(0.0, pause))
        return data

    def _refresh_patiently(self, **params: str) -> dict[str, Any]:
        """Ask the server; one that is being started again gets a minute to come back."""
        deadline = time.monotonic() + SERVER_PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(ServerNotFoundError):
                return self._ask(**params)
            time.sleep(POLL_SECONDS)
        return self._ask(**params)

    def _check_deadline(self, deadline: float | None) -> None:
        if deadline is not None and time.monotonic() > deadline:
            state = self._data["state"]
            raise TimeoutError(f"The build {self.id} is still {state}; it goes on, and wait() can be called again.")

    def _ipython_display_(self) -> None:
        self._display.show(self.refresh())

    def __repr__(self) -> str:
        data = self._data
        return f"Build({self.id!r}, {data['state']}, {data['progress']} %)"


def build(build_id: str) -> Build:
    """Return the build with this id, whoever started it; RequestRefusedError if there is none."""
    return Build(current_server().get(f"builds/{build_id}"))


def builds(**filters: str) -> Builds:
    """Return the newest builds (``limit``, at most 200); ``design``, ``state``, ``tag``, ``text`` narrow them down."""
    return Builds(Build(data) for data in current_server().get("builds", **filters)["builds"])


class Builds(list[Build]):
    """Builds, newest first; a notebook shows them as a table."""

    def to_frame(self) -> pd.DataFrame:
        """Return design, state, progress (percent), creation time, PDK and flow; the index is the build id."""
        rows = [
            {
                "id": b.id,
                "design": b._data["design"]["name"],
                **{k: b._data[k] for k in ("state", "progress", "created", "pdk", "flow")},
            }
            for b in self
        ]
        columns = ["id", "design", "state", "progress", "created", "pdk", "flow"]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=columns).set_index("id")
        return frame

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())
