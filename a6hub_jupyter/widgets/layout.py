"""The layout widget."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from traitlets import Dict, Int, TraitError, Unicode, validate

from .bundle import bootstrap
from .relayed import RelayedWidget

# What our extension of JupyterLab shows where the kernel does not know the widget any more.
MIME_TYPE = "application/vnd.a6hub.layout+json"
_SHOWN = ("build_id", "path", "view", "markers", "net", "other", "other_build")


class LayoutWidget(RelayedWidget):
    """Shows the layout of a build, or of a file. The layout comes from the server straight to the page.

    ``view`` says what is shown, and changes as one moves: ``{"x", "y", "width"}`` in um (the middle, and the width of
    the picture) and ``"hidden"``, the layers left out, as ``"68/20"``. Setting it restores a view; ``{}`` shows all.
    ``selection`` is the shape that was picked: ``{"layer", "datatype", "name", "cell", "path", "box", "net",
    "instance"}``, box in um; net and instance are "" where no DEF tells them.
    """

    _esm = bootstrap()
    _view = Unicode("layout").tag(sync=True)
    _fallback = Unicode("This layout is shown by a Jupyter server; open the notebook there to see it.").tag(sync=True)
    _reloads = Int(0).tag(sync=True)
    build_id = Unicode(help="The id of the build whose layout to show; empty for a file.").tag(sync=True)
    path = Unicode(help="The file to show; empty for a build.").tag(sync=True)
    view = Dict(help="What is shown: x, y, width (um) and hidden (layers).").tag(sync=True)
    selection = Dict(help="The shape that was picked, {} for none.").tag(sync=True)
    markers = Unicode(help="A report (.lyrdb) whose markers to show; empty for those of the build.").tag(sync=True)
    net = Unicode(help="The net that is highlighted; empty for none. Nets are those of a build.").tag(sync=True)
    other = Unicode(help="A file to compare with; empty for none.").tag(sync=True)
    other_build = Unicode(help="The id of a build to compare with; empty for none.").tag(sync=True)

    picture: bytes | None = None
    """A PNG for where there is no server to ask: nbconvert, a reader on the web."""
    page: str | None = None
    """HTML that shows a small layout where there is no server, to zoom."""

    def _repr_mimebundle_(self, **options: Any) -> Any:
        view = super()._repr_mimebundle_(**options)
        bundle: dict[str, Any] = dict(view[0] if isinstance(view, tuple) else view or {})
        bundle[MIME_TYPE] = {name: value for name in _SHOWN if (value := getattr(self, name))}
        bundle["text/plain"] = f"Layout of {self.build_id or self.path}"
        if self.page:
            bundle["text/html"] = self.page
        if self.picture:
            bundle["image/png"] = base64.b64encode(self.picture).decode()
        return bundle, view[1] if isinstance(view, tuple) else {}

    @validate("view")
    def _check_view(self, proposal: Any) -> dict[str, Any]:
        view: dict[str, Any] = dict(proposal["value"])
        for name, value in view.items():
            if name == "hidden":
                if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
                    raise TraitError("view: 'hidden' is a list of layers, such as ['68/20'].")
                view[name] = list(value)
            elif name not in {"x", "y", "width"}:
                raise TraitError(f"view has no '{name}'; it has x, y, width (um) and hidden (layers).")
            elif isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TraitError(f"view: '{name}' is a number, in um.")
        return view

    @property
    def layers(self) -> list[dict[str, Any]]:
        """The layers present, bottom first: layer, datatype, name, fill and frame colour, and whether visible now."""
        from ..client.layouts import layers_of  # noqa: PLC0415 - the client imports this module

        layers = layers_of(self)
        hidden = self.view.get("hidden")
        for layer in layers:
            if hidden is not None:
                layer["visible"] = f"{layer['layer']}/{layer['datatype']}" not in hidden
        return layers

    def goto(self, x: float, y: float, width: float | None = None) -> None:
        """Show the place ``x``, ``y`` (um) in the middle, ``width`` um wide (default: as wide as now)."""
        place = {"x": float(x), "y": float(y)}
        if width is not None:
            if not width > 0:
                raise ValueError("width is a number above 0, in um.")
            place["width"] = float(width)
        self.view = {**self.view, **place}

    def show(self, *names: str) -> None:
        """Show these layers alone, by name (``"met1.drawing"``) or number (``"68/20"``); without any, all."""
        numbers = {f"{layer['layer']}/{layer['datatype']}": layer["name"] for layer in self.layers}
        wanted = set()
        for name in names:
            found = [number for number, known in numbers.items() if name in {number, known}]
            if not found:
                raise ValueError(f"The layout has no layer '{name}'. It has {', '.join(numbers.values())}.")
            wanted.update(found)
        hidden = [number for number in numbers if number not in wanted] if names else []
        self.view = {**self.view, "hidden": hidden}

    def highlight(self, net: str | None = None) -> None:
        """Show a net in full, with the rest dimmed; without one, all as before.

        ValueError when the design has no such net, with names that are alike.
        """
        if net:
            from ..client.layouts import check_net  # noqa: PLC0415 - the client imports this module

            check_net(self, net)
        self.net = net or ""

    def nets(self, text: str = "", limit: int = 100) -> list[str]:
        """Return the names of nets that contain ``text``, the shortest first, at most ``limit`` (1000)."""
        from ..client.layouts import nets_of  # noqa: PLC0415 - the client imports this module

        return nets_of(self, text, limit)

    def differences(self) -> list[dict[str, Any]]:
        """Return where the two layouts differ: ``{"layer", "box", "only_in"}`` for each piece, box in um.

        ValueError when there is no other one to compare with.
        """
        from ..client.layouts import differences_of  # noqa: PLC0415 - the client imports this module

        return differences_of(self)

    def reload(self) -> None:
        """Read the layout again, and keep the view."""
        self._reloads += 1

    def snapshot(self, path: str | Path | None = None, *, width: int = 800, height: int = 600) -> bytes:
        """Return a PNG of the present view, ``width`` by ``height`` pixels; written to ``path`` if there is one."""
        from ..client.layouts import snapshot_of  # noqa: PLC0415 - the client imports this module

        picture = snapshot_of(self, width, height)
        if path is not None:
            Path(path).write_bytes(picture)
        return picture

    def to_html(self, path: str | Path) -> Path:
        """Write one file that shows this layout in any browser, offline, to zoom; print its size and return its path.

        It has the view, the layers and the markers as they are now.
        """
        from ..client.layouts import write_page  # noqa: PLC0415 - the client imports this module

        return write_page(self, Path(path))
