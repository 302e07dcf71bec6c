"""One variable of a configuration form: its input, its unit, where its value is from, what is wrong with it."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from .config_values import read, shown


class Looks:
    """Layouts and styles that all rows of a form share: each is an object in the browser, and takes its time."""

    def __init__(self) -> None:
        self.plain = widgets.Layout()
        self.label = widgets.Text().style
        self.note = widgets.HTML().style


def icon_button(icon: str, does: str, **options: Any) -> widgets.Button:
    """Return a button that shows its icon alone; ``does`` is its name for a screen reader, and its tooltip."""
    button = widgets.Button(icon=icon, description=does, tooltip=does, **options)
    button.add_class("a6-icon")
    return button


class ConfigRow(widgets.Box):  # type: ignore[misc]
    """Shows one variable, name and meaning beside its field.

    ``on_edit`` is called with what the user has made of it; None for the default.
    """

    def __init__(self, variable: Mapping[str, Any], on_edit: Callable[[str, Any], None], looks: Looks) -> None:
        self.variable = variable
        self._on_edit = on_edit
        self._looks = looks
        self._quiet = False
        self._value: Any = None
        self._input = self._make_input()
        self._input.observe(self._edited, "value")
        self._input.add_class("a6-field")
        self._said = widgets.HTML(layout=looks.plain, style=looks.note)
        self._said.add_class("a6-note")
        self._said.add_class("a6-said")
        self._reset = icon_button("undo", f"Set {variable['name']} back to its default", layout=looks.plain)
        self._reset.add_class("a6-reset")
        self._reset.on_click(lambda _: self._on_edit(variable["name"], None))
        about = widgets.HTML(_summary(variable["description"]), layout=looks.plain, style=looks.note)
        about.add_class("a6-note")
        about.add_class("a6-about")
        super().__init__([self._input, self._reset, about, self._said], layout=looks.plain)
        self.add_class("a6-row")

    def _make_input(self) -> Any:
        kind = self.variable["type"]
        common = {
            "description": self.variable["name"],
            "tooltip": self.variable["description"],
            "style": self._looks.label,
            "layout": self._looks.plain,
        }
        default = shown(self.variable["default"])
        if kind["kind"] in {"boolean", "choice"}:
            choices = ["true", "false"] if kind["kind"] == "boolean" else [str(c) for c in kind["choices"]]
            return widgets.Dropdown(
                options=[(f"{default or 'none'} (default)", ""), *((c, c) for c in choices)], **common
            )
        return widgets.Text(placeholder=default or "none", continuous_update=True, **common)

    def show(self, value: Any) -> None:
        """Show the value that the design has, None for none."""
        if read(self._input.value, self.variable["type"]) != value:
            self._quiet = True
            try:
                self._input.value = shown(value)
            except widgets.trait_types.traitlets.TraitError:
                self._input.value = ""  # no choice of this list: the message below says what it is
            finally:
                self._quiet = False
        self._value = value
        (self.remove_class if value is None else self.add_class)("a6-set")

    def tell(self, resolved: Mapping[str, Any] | None, findings: list[tuple[str, Mapping[str, str]]]) -> None:
        """Show where the value is from, and what was found: (``error`` or ``warning``, finding)."""
        origin = (resolved or {}).get("origin", "")
        if resolved and self._value is None:
            value = shown(resolved["value"]) or "none"
            origin = "" if origin == "default" else f"from {'the PDK' if origin == 'pdk' else origin}"
            if isinstance(self._input, widgets.Text):
                self._input.placeholder = value
            else:
                self._name_default(f"{value} ({origin or 'default'})")
                origin = ""
        else:
            origin = ""
        where = ", ".join(part for part in (self.variable["units"], origin[:80]) if part)
        self._said.value = (f"<div class='a6-from'>{html.escape(where)}</div>" if where else "") + "".join(
            f"<div class='a6-{level}' role='{'alert' if level == 'error' else 'status'}'>"
            f"{html.escape(f['message'])} {html.escape(f['remedy'])}</div>"
            for level, f in findings
        )
        bad = any(level == "error" for level, _ in findings)
        (self.add_class if bad else self.remove_class)("a6-bad")

    def _name_default(self, label: str) -> None:
        options = [(label, ""), *self._input.options[1:]]
        if options != list(self._input.options):
            self._quiet, value = True, self._input.value
            self._input.options = options
            self._input.value = value
            self._quiet = False

    def _edited(self, change: Mapping[str, Any]) -> None:
        if not self._quiet:
            self._on_edit(self.variable["name"], read(change["new"], self.variable["type"]))


def _summary(description: str) -> str:
    return html.escape(textwrap.shorten(description.replace("`", ""), 220, placeholder=" …"))
