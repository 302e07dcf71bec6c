"""A form over LibreLane's variables, for notebooks."""

from __future__ import annotations

import asyncio
import html
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..client.catalogue import listed
from ..client.errors import A6HubError
from ..client.server import current_server
from .config_row import ConfigRow, Looks

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
    """Edits ``design.config``; what is changed there by code shows here. ``flow`` and ``pdk`` as for ``build``."""

    def __init__(self, design: Design, *, flow: str | None = None, pdk: str | None = None) -> None:
        self.design = design
        given = {k: v for k, v in (("flow", flow), ("pdk", pdk)) if v is not None}
        self.design.options.update(given)
        named = design.options.get("flow")
        meta = design.config.get("meta") or {}
        steps = named or meta.get("flow") or "Express"
        self.flow = steps if isinstance(steps, str) else "Custom"
        where = {k: str(design.options[k]) for k in ("pdk", "scl", "toolchain") if design.options.get(k)}
        substituted = design.options.get("substituting_steps") or meta.get("substituting_steps")
        found = listed(steps, substituting_steps=substituted, **where)["variables"]
        self._variables: dict[str, dict[str, Any]] = {v["name"]: v for v in found}
        self._rows: dict[str, ConfigRow] = {}
        self._looks = Looks()
        self._answer: dict[str, Any] = {}
        self._pending: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._number = 0
        self._most = MOST_ROWS
        self._make_bar()
        self._body = widgets.VBox()
        self._body.add_class("a6-rows")
        style = widgets.HTML(f"<style>{STYLE.read_text(encoding='utf-8')}</style>", layout={"display": "none"})
        super().__init__([style, self._bar, self._body])
        self.add_class("a6hub-form")
        design.config.on_change(self._changed)
        self.check()
        self._fill()

    def _make_bar(self) -> None:
        presets = current_server().get("presets", design_dir=str(self.design.directory))["presets"]
        chosen = self.design.options.get("presets") or []
        self._search = widgets.Text(
            placeholder="Search names and descriptions", description="Search", layout={"width": "19rem"}
        )
        self._search.style.description_width = "3.5rem"
        self._show = widgets.ToggleButtons(
            options=[("Essential", "first"), ("Changed", "changed"), ("All", "all")],
            tooltips=["What decides most", "What differs from the default", f"All variables of {self.flow}"],
        )
        self._show.style.button_width = "5.2rem"
        self._as = widgets.ToggleButtons(options=["Form", "JSON", "YAML"], tooltips=["Edit", "As JSON", "As YAML"])
        self._as.style.button_width = "3.6rem"
        options = [("none", ""), *((p["name"], p["name"]) for p in presets)]
        value = chosen[0] if len(chosen) == 1 and chosen[0] in {n for _, n in options} else ""
        self._preset = widgets.Dropdown(options=options, value=value, description="Preset", layout={"width": "12rem"})
        self._preset.style.description_width = "3.5rem"
        self._save = widgets.Button(description="Save", tooltip="Write it into the design directory", icon="save")
        self._save.layout.width = "5.5rem"
        self._status = widgets.HTML()
        self._bar = widgets.HBox([self._search, self._preset, self._show, self._as, self._save, self._status])
        self._bar.add_class("a6-bar")
        for control in (self._search, self._show, self._as):
            control.observe(self._look_anew, "value")
        self._preset.observe(self._choose_preset, "value")
        self._save.on_click(self._save_clicked)

    def _look_anew(self, _: Any) -> None:
        self._most = MOST_ROWS
        self._fill()

    def _choose_preset(self, change: dict[str, Any]) -> None:
        self.design.options["presets"] = [change["new"]] if change["new"] else []
        self._changed()

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
        if self._as.value != "Form":
            self._fill()
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
        if number == self._number:  # else a later one is on its way
            self._tell(answer)

    def check(self) -> None:
        """Ask LibreLane now."""
        self._tell(_ask(self.design.request(None, {}, "ConfigForm")))

    def _tell(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        errors, warnings = answer.get("errors", []), answer.get("warnings", [])
        elsewhere = [f for f in errors if f["field"].removeprefix("config.") not in self._rows]
        if problem := answer.get("problem"):
            self._status.value = f"<span class='a6-no' role='alert'>{html.escape(problem)}</span>"
        elif errors:
            rest = f": {html.escape(elsewhere[0]['message'])}" if elsewhere else ""
            count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
            self._status.value = f"<span class='a6-no' role='status'>✗ {count}{rest}</span>"
        else:
            looks = f", {len(warnings)} to look at" if warnings else ""
            self._status.value = f"<span class='a6-ok' role='status'>✓ valid{looks}</span>"
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
            return [n for n in self._variables if n in self.design.config]
        return list(self._variables)

    def _fill(self) -> None:
        if self._as.value != "Form":
            self._body.children = [widgets.HTML(f"<pre class='a6-text' tabindex='0'>{html.escape(self.text)}</pre>")]
            return
        names = self._names()
        children: list[Any] = []
        group = None
        for name in names[: self._most]:
            heading = "Essential" if self._is_first else self._variables[name]["group"]
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
            self._rows[name] = row = ConfigRow(self._variables[name], self._edit, self._looks)
            row.show(self.design.config.get(name))
            self._tell_row(name, row)
        return self._rows[name]

    @property
    def text(self) -> str:
        """The configuration as JSON, or as YAML where that is chosen."""
        data = dict(self.design.config)
        if self._as.value != "YAML":
            return json.dumps(data, indent=2, ensure_ascii=False)
        from ruamel.yaml import YAML  # noqa: PLC0415 - few look at it

        out = io.StringIO()
        YAML().dump(data, out)
        return out.getvalue()


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(current_server().post("designs/validate", request))
    except A6HubError as error:
        return {"problem": str(error)}
