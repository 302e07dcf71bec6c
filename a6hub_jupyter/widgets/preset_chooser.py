"""Choosing presets: several, in an order that is shown."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from .config_row import icon_button


class PresetChooser(widgets.HBox):  # type: ignore[misc]
    """Shows the presets that are chosen; ``on_choose`` is called with their names when the user changes them.

    The names are in their order, each laid over those before it. ``descriptions`` has a sentence for each preset.
    """

    def __init__(self, descriptions: Mapping[str, str], on_choose: Callable[[list[str]], None]) -> None:
        self._descriptions = descriptions
        self._on_choose = on_choose
        self._chosen: list[str] = []
        self._quiet = False
        self._add = widgets.Dropdown(description="Preset", options=[("add…", "")])
        self._add.add_class("a6-add")
        self._add.observe(self._added, "value")
        self._says = widgets.HTML()
        self._says.add_class("a6-note")
        super().__init__([self._add])
        self.add_class("a6-presets")
        self._fill()

    def show(self, names: Sequence[str]) -> None:
        """Show what the design has."""
        if list(names) != self._chosen:
            self._chosen = list(names)
            self._fill()

    def tell(self, resolved: Mapping[str, Mapping[str, Any]], errors: Sequence[Mapping[str, str]]) -> None:
        """Show how many values each preset decides, of all as they are resolved, and what is wrong with the choice."""
        wrong = [f"{e['message']} {e['remedy']}" for e in errors if e["field"] == "presets"]
        if wrong:
            self._says.value = f"<span class='a6-error' role='alert'>{html.escape(' '.join(wrong))}</span>"
            return
        if not resolved:  # nothing is, while something else is wrong
            return
        counts = [
            f"{sum(v['origin'] == f'preset {name}' for v in resolved.values())} from {name}" for name in self._chosen
        ]
        sentence = f"{', '.join(counts)}; {'the later wins, ' if len(counts) > 1 else ''}your own values win."
        self._says.value = f"<span class='a6-from'>{html.escape(sentence)}</span>" if counts else ""

    def _fill(self) -> None:
        rest = [n for n in self._descriptions if n not in self._chosen]
        self._quiet = True
        self._add.options = [("add…", ""), *((n, n) for n in rest)]
        self._add.value = ""
        self._quiet = False
        chips = [self._chip(n, name) for n, name in enumerate(self._chosen)]
        self.children = [self._add, *chips, self._says]
        self._says.value = ""

    def _chip(self, place: int, name: str) -> widgets.HBox:
        label = widgets.HTML(
            f"<span title='{html.escape(self._descriptions.get(name, ''), quote=True)}'>"
            f"{f'{place + 1}. ' if len(self._chosen) > 1 else ''}{html.escape(name)}</span>"
        )
        buttons = []
        if place:
            earlier = icon_button("arrow-left", f"Put {name} before {self._chosen[place - 1]}")
            earlier.on_click(lambda _: self._move(place))
            buttons.append(earlier)
        remove = icon_button("times", f"Remove {name}")
        remove.on_click(lambda _: self._choose([n for n in self._chosen if n != name]))
        chip = widgets.HBox([label, *buttons, remove])
        chip.add_class("a6-chip")
        return chip

    def _added(self, change: Mapping[str, Any]) -> None:
        if not self._quiet and change["new"]:
            self._choose([*self._chosen, change["new"]])

    def _move(self, place: int) -> None:
        names = list(self._chosen)
        names[place - 1 : place + 1] = [names[place], names[place - 1]]
        self._choose(names)

    def _choose(self, names: list[str]) -> None:
        self._chosen = names
        self._fill()
        self._on_choose(names)
