"""A form over LibreLane's variables, for notebooks."""

from __future__ import annotations

import asyncio
import contextlib
import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..client.catalogue import listed
from ..client.errors import A6HubError
from ..client.server import current_server
from .config_row import ConfigRow, Looks
from .config_text import ConfigText, dumped
from .preset_chooser import PresetChooser

if TYPE_CHECKING:
    from ..client.design import Design

# What decides most, in the order in which people think of it; a flow shows those that it knows.
FIRST = (
    "CLOCK_PORT",
    "CLOCK_PERIOD",
    "FP_CORE_UTIL",
    "PL_TARGET_DENSITY_PCT",
    "EXPRESS_DENSITY",
    "FP_SIZING",
    "DIE_AREA",
    "FP_ASPECT_RATIO",
    "SYNTH_STRATEGY",
    "EXPRESS_EFFORT",
    "RT_MAX_LAYER",
    "VERILOG_INCLUDE_DIRS",
)
DEBOUNCE = 0.35
MOST_ROWS = 25
STYLE = Path(__file__).with_name("config_form.css")


class ConfigForm(widgets.VBox):  # type: ignore[misc]
    """Edits ``design.config`` and the design's presets, as fields or as JSON or YAML; what code changes shows here.

    ``flow`` and ``pdk`` as for ``build``.
    """

    def __init__(self, design: Design, *, flow: str | None = None, pdk: str | None = None) -> None:
        self.design = design
        given = {k: v for k, v in (("flow", flow), ("pdk", pdk)) if v is not None}
        self.design.options.update(given)
        self._asked = self._wanted()
        self._variables: dict[str, dict[str, Any]] = _listed(self._asked)
        self._rows: dict[str, ConfigRow] = {}
        self._shown: list[str] = []
        self._looks = Looks()
        self._answer: dict[str, Any] = {}
        self._pending: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._number = 0
        self._is_anew = True
        self._most = MOST_ROWS
        self._make_bar()
        self._body = widgets.VBox()
        self._body.add_class("a6-rows")
        self._text = ConfigText(design.config.replace)
        style = widgets.HTML(f"<style>{STYLE.read_text(encoding='utf-8')}</style>", layout={"display": "none"})
        super().__init__([style, self._bar, self._body])
        self.add_class("a6hub-form")
        self._presets.show(self._chosen)
        design.config.on_change(self._changed)
        self.check()

    def _wanted(self) -> dict[str, Any]:
        """Return whose variables the design has to do with: arguments of ``catalogue.listed``."""
        options, meta = self.design.options, self.design.config.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        steps = options.get("flow") or meta.get("flow") or "Express"
        return {
            "flow": list(steps) if isinstance(steps, (list, tuple)) else str(steps),
            "substituting_steps": options.get("substituting_steps") or meta.get("substituting_steps"),
            **{k: str(options[k]) for k in ("pdk", "scl", "toolchain") if options.get(k)},
        }

    def _make_bar(self) -> None:
        presets = current_server().get("presets", design_dir=str(self.design.directory))["presets"]
        self._presets = PresetChooser({p["name"]: p["description"] for p in presets}, self._choose_presets)
        self._search = widgets.Text(placeholder="Search names and descriptions", description="Search")
        self._search.add_class("a6-search")
        self._show = widgets.ToggleButtons(
            options=[("Essential", "first"), ("Changed", "changed"), ("All", "all")],
            tooltips=["What decides most", "What differs from the default", "All variables of the flow"],
        )
        self._as = widgets.ToggleButtons(options=["Form", "JSON", "YAML"], tooltips=["Fields", "As JSON", "As YAML"])
        self._save = widgets.Button(description="Save", tooltip="Write it into the design directory", icon="save")
        self._status = widgets.HTML()
        self._status.add_class("a6-status")
        lines = [[self._search, self._show, self._as], [self._presets, self._status, self._save]]
        self._bar = widgets.VBox([widgets.HBox(line) for line in lines])
        self._bar.add_class("a6-bar")
        for control in (self._search, self._show, self._as):
            control.observe(self._look_anew, "value")
        self._save.on_click(self._save_clicked)

    def _look_anew(self, _: Any) -> None:
        self._most = MOST_ROWS
        self._fill()
        self._tell(self._answer)

    def _choose_presets(self, names: list[str]) -> None:
        self._is_anew = True
        self.design.preset(*names)

    def _save_clicked(self, _: Any) -> None:
        try:
            self._status.value = f"<span class='a6-ok'>✓ saved as {html.escape(self.design.save())}</span>"
        except A6HubError as error:
            self._status.value = f"<span class='a6-no' role='alert'>✗ {html.escape(str(error))}</span>"

    def _edit(self, name: str, value: Any) -> None:
        if value is None:
            self.design.config.pop(name, None)
        elif self.design.config.get(name) != value or name not in self.design.config:
            self.design.config[name] = value

    def _changed(self) -> None:
        """Show what the design has now, and ask LibreLane when there has been quiet for a moment."""
        for name, row in self._rows.items():
            row.show(self.design.config.get(name))
        self._presets.show(self._chosen)
        if self._as.value != "Form":
            self._text.show(self.design.config, self._as.value)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.check()
            return
        if self._pending is not None:
            self._pending.cancel()
        self._pending = loop.call_later(DEBOUNCE, self._check_soon, loop)

    def _check_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = loop.create_task(self._check_later())

    async def _check_later(self) -> None:
        self._number += 1
        number, request = self._number, self.design.request(None, {}, "ConfigForm")
        answer = await asyncio.to_thread(_ask, request)
        asked = self._wanted()
        if asked != self._asked and not answer.get("problem"):  # another flow, in ``meta`` or by code
            with contextlib.suppress(A6HubError, TypeError, ValueError):  # the errors of the answer say what is wrong
                found = await asyncio.to_thread(_listed, asked)
                self._asked, self._variables, self._rows, self._is_anew = asked, found, {}, True
        if number == self._number:  # else a later one is on its way
            self._tell(answer)

    def check(self) -> None:
        """Ask LibreLane now."""
        self._tell(_ask(self.design.request(None, {}, "ConfigForm")))

    def _tell(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        errors, warnings = answer.get("errors", []), answer.get("warnings", [])
        is_text = self._as.value != "Form"
        elsewhere = [f for f in errors if not is_text and f["field"].removeprefix("config.") not in self._shown]
        if problem := answer.get("problem"):
            self._status.value = f"<span class='a6-no' role='alert'>{html.escape(problem)}</span>"
        elif errors:
            rest = f": {html.escape(elsewhere[0]['message'])}" if elsewhere else ""
            count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
            self._status.value = f"<span class='a6-no' role='status'>✗ {count}{rest}</span>"
        else:
            looks = f", {len(warnings)} to look at" if warnings else ""
            self._status.value = f"<span class='a6-ok' role='status'>✓ valid{looks}</span>"
        self._presets.tell(answer.get("resolved", {}), errors)
        self._text.tell([*(("error", f) for f in errors), *(("warning", f) for f in warnings)])
        if not is_text and (self._is_anew or set(self._names()) - set(self._shown)):
            self._fill()  # a row that is emptied while it is edited stays until then
        for name, row in self._rows.items():
            self._tell_row(name, row)

    def _tell_row(self, name: str, row: ConfigRow) -> None:
        found = [("error", f) for f in self._answer.get("errors", []) if f["field"] == f"config.{name}"]
        found += [("warning", f) for f in self._answer.get("warnings", []) if f["field"] == f"config.{name}"]
        row.tell(self._answer.get("resolved", {}).get(name), found)

    def _names(self) -> list[str]:
        """Return the variables to show: by search among all, else what the buttons say."""
        words = self._search.value.lower().split()
        if words:
            hits = [n for n, v in self._variables.items() if all(w in f"{n} {v['description']}".lower() for w in words)]
            return sorted(hits, key=lambda n: not all(w in n.lower() for w in words))
        if self._show.value == "first":
            return [n for n in FIRST if n in self._variables]
        if self._show.value == "changed":
            resolved = self._answer.get("resolved", {})
            laid = {
                n
                for n, v in resolved.items()
                if v["origin"].startswith("preset ") and v["value"] != self._variable(n)["default"]
            }
            own = [n for n in self.design.config if n not in self._variables and n != "meta"]
            return [*own, *(n for n in self._variables if n in self.design.config or n in laid)]
        return list(self._variables)

    def _fill(self) -> None:
        self._is_anew = False
        is_text = self._as.value != "Form"
        self._search.disabled = self._show.disabled = is_text
        if is_text:
            self._text.show(self.design.config, self._as.value)
            self._body.children = [self._text]
            return
        names = self._shown = self._names()
        children: list[Any] = []
        group = None
        for name in names[: self._most]:
            heading = "Essential" if self._is_first else self._variable(name)["group"]
            if heading != group:
                group = heading
                title = widgets.HTML(f"<h3>{html.escape(group)}</h3>")
                title.add_class("a6-note")
                children.append(title)
            children.append(self._row(name))
        if len(names) > self._most:
            more = widgets.Button(description=f"Show {len(names) - self._most} more", layout={"width": "12rem"})
            more.on_click(self._show_more)
            children.append(more)
        if not names:
            sentence = "No variable has these words." if self._search.value else "All variables have their defaults."
            children.append(widgets.HTML(f"<div class='a6-about'>{sentence}</div>"))
        self._body.children = children

    @property
    def _is_first(self) -> bool:
        return self._show.value == "first" and not self._search.value.strip()

    def _show_more(self, _: Any) -> None:
        self._most += MOST_ROWS
        self._fill()

    def _row(self, name: str) -> ConfigRow:
        """Return the row of a variable; made when it is shown for the first time."""
        if name not in self._rows:
            self._rows[name] = row = ConfigRow(self._variable(name), self._edit, self._looks)
            row.show(self.design.config.get(name))
            self._tell_row(name, row)
        return self._rows[name]

    def _variable(self, name: str) -> dict[str, Any]:
        """Return a variable of the flow; what the design has beside them is taken as it is."""
        unknown = {
            "name": name,
            "type": {"kind": "mapping" if isinstance(self.design.config.get(name), dict) else "string"},
            "default": None,
            "units": None,
            "description": "No variable of this flow.",
            "group": "Beside the flow",
        }
        return self._variables.get(name, unknown)

    @property
    def _chosen(self) -> list[str]:
        names = self.design.options.get("presets") or []
        return [names] if isinstance(names, str) else list(names)

    @property
    def text(self) -> str:
        """The configuration as JSON, or as YAML where that is chosen."""
        return dumped(self.design.config, self._as.value)


def _listed(asked: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {v["name"]: v for v in listed(**asked)["variables"]}


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(current_server().post("designs/validate", request))
    except A6HubError as error:
        return {"problem": str(error)}
