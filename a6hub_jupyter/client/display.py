"""How a build shows itself: the widget where there is a front end for it, and a page that needs none."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from IPython.display import display

from ..widgets.build import BuildWidget
from .errors import A6HubError
from .page import log_tail, static_page, summary
from .server import current_server
from .thumbnail import picture_for_notebook

# Bytes of a picture that go into the notebook, twice: in the page, and by itself. A larger one is made smaller.
MAX_PICTURE = 150_000
THUMBNAIL_WIDTH = 500
# What our extension of JupyterLab shows, from the id alone: also without the kernel that made the output.
MIME_TYPE = "application/vnd.a6hub.build+json"
# Enough for the last lines, however they are coloured and padded.
TAIL_BYTES = 32_768


class BuildDisplay:
    """Shows one build; what is shown is brought up to date when the build has ended."""

    def __init__(self, build_id: str) -> None:
        self._build_id = build_id
        self._display_id = f"a6hub-{uuid.uuid4().hex}"
        self._widget: BuildWidget | None = None
        self._final = False
        self._display: Any = display  # IPython's is not typed

    @property
    def shown(self) -> bool:
        """Whether a cell shows the build."""
        return self._widget is not None

    def show(self, data: dict[str, Any]) -> None:
        """Show the build in the present cell."""
        if self._widget is None:
            self._widget = BuildWidget(build_id=self._build_id)
        self._widget._fallback = summary(data)
        self._final = data["finished"] is not None
        self._display(self._bundle(data), raw=True, display_id=self._display_id)

    def finish(self, data: dict[str, Any]) -> None:
        """Put the end into the cell that shows the build, so that the saved notebook has it."""
        if self._widget is not None and not self._final:
            self._final = True
            self._widget._fallback = summary(data)
            self._display(self._bundle(data), raw=True, display_id=self._display_id, update=True)

    def _bundle(self, data: dict[str, Any]) -> dict[str, Any]:
        assert self._widget is not None  # noqa: S101 - show() made it
        view = self._widget._repr_mimebundle_()
        bundle: dict[str, Any] = dict(view[0] if isinstance(view, tuple) else view or {})
        picture = self._picture(data)
        bundle[MIME_TYPE] = {"build_id": data["id"]}
        bundle["text/plain"] = summary(data)
        bundle["text/html"] = static_page(data, picture, self._tail(data))
        if picture:
            bundle["image/png"] = base64.b64encode(picture).decode()
        return bundle

    def _picture(self, data: dict[str, Any]) -> bytes | None:
        if not data.get("has_picture"):
            return None
        try:
            picture = current_server().get_bytes(f"builds/{data['id']}/picture")
        except A6HubError:
            return None
        return picture_for_notebook(picture, MAX_PICTURE, THUMBNAIL_WIDTH)

    def _tail(self, data: dict[str, Any]) -> str:
        if not data.get("log_size"):
            return ""
        try:
            raw = current_server().get_bytes(f"builds/{data['id']}/log", {"Range": f"bytes=-{TAIL_BYTES}"})
        except A6HubError:
            return ""
        return log_tail(raw)
