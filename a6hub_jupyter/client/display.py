"""How a build shows itself: the widget where there is a front end for it, and a page that needs none."""

from __future__ import annotations

import base64
import html
import uuid
from typing import Any

from IPython.display import display

from ..widgets.build import BuildWidget
from .errors import A6HubError
from .server import current_server

# A picture larger than this is left out of the notebook (bytes); the build's artifacts have it.
MAX_PICTURE = 400_000

HEADLINES = (
    ("design__instance__count__stdcell", "standard cells", "{:,.0f}"),
    ("design__die__area", "die area (µm²)", "{:,.0f}"),
    ("route__wirelength", "wire length (µm)", "{:,.0f}"),
    ("klayout__drc_error__count", "rule violations", "{:,.0f}"),
    ("design__lvs_error__count", "layout vs. netlist errors", "{:,.0f}"),
)


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
        self._final = data["finished"] is not None
        self._display(self._bundle(data), raw=True, display_id=self._display_id)

    def finish(self, data: dict[str, Any]) -> None:
        """Put the end into the cell that shows the build, so that the saved notebook has it."""
        if self._widget is not None and not self._final:
            self._final = True
            self._display(self._bundle(data), raw=True, display_id=self._display_id, update=True)

    def _bundle(self, data: dict[str, Any]) -> dict[str, Any]:
        assert self._widget is not None  # noqa: S101 - show() made it
        view = self._widget._repr_mimebundle_()
        bundle: dict[str, Any] = dict(view[0] if isinstance(view, tuple) else view or {})
        bundle["text/plain"] = f"Build {data['id']}: {data['state']}"
        bundle["text/html"] = static_page(data, self._picture(data))
        return bundle

    def _picture(self, data: dict[str, Any]) -> bytes | None:
        if not data["has_picture"]:
            return None
        try:
            picture = current_server().get_bytes(f"builds/{data['id']}/picture")
        except A6HubError:
            return None
        return picture if len(picture) <= MAX_PICTURE else None


def static_page(data: dict[str, Any], picture: bytes | None) -> str:
    """Return the build as HTML without scripts: for nbconvert, for untrusted notebooks."""
    escape = html.escape
    note = f" ({escape(data['pdk_note'])})" if data["pdk_note"] else ""
    state = escape(data["state"].replace("_", " "))
    head = f"<b>{escape(data['design']['name'])}</b> {state} · {escape(data['flow'])} on {escape(data['pdk'])}{note}"
    parts = [f"<div>{head}</div>"]
    if data["error"]:
        parts.append(f"<div>✗ {escape(data['error']['message'])}</div>")
    rows = [
        f"<tr><td style='text-align:left'>{label}</td><td>{form.format(data['metrics'][name])}</td></tr>"
        for name, label, form in HEADLINES
        if isinstance(data["metrics"].get(name), (int, float))
    ]
    if rows:
        parts.append(f"<table>{''.join(rows)}</table>")
    if picture:
        source = base64.b64encode(picture).decode()
        parts.append(
            f"<img alt='Layout of {escape(data['design']['name'])}' style='max-width:480px' "
            f"src='data:image/png;base64,{source}'>"
        )
    done = [s for s in data["steps"] if s["state"] in {"done", "failed"}]
    if done:
        items = "".join(
            f"<tr><td>{'✓' if s['state'] == 'done' else '✗'}</td><td style='text-align:left'>{escape(s['name'])}</td>"
            f"<td>{s['seconds'] or 0:.1f} s</td></tr>"
            for s in done
        )
        parts.append(f"<details><summary>{len(done)} steps</summary><table>{items}</table></details>")
    return "".join(parts)
