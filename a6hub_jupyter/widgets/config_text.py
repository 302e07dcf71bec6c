"""A configuration as text, JSON or YAML, that can be edited or pasted over."""

from __future__ import annotations

import html
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

MOST_VALUES = 100_000
ROWS = range(10, 29)


class TextError(ValueError):
    """The text is no configuration; ``line`` is where, from 1, if that is known."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(sentence if line is None else f"Line {line}: {sentence}")


def dumped(config: Mapping[str, Any], kind: str) -> str:
    """Return a configuration as ``JSON`` or ``YAML``."""
    if kind != "YAML":
        return json.dumps(dict(config), indent=2, ensure_ascii=False)
    from ruamel.yaml import YAML  # noqa: PLC0415 - few look at it

    out = io.StringIO()
    YAML().dump(dict(config), out)
    return out.getvalue()


def parsed(text: str, kind: str) -> dict[str, Any]:
    """Return the configuration that a text of ``JSON`` or ``YAML`` holds; TextError where it holds none."""
    data = _yaml(text) if kind == "YAML" else _json(text)
    if not isinstance(data, dict):
        raise TextError("a configuration is a mapping from names to values.", 1)
    left = [MOST_VALUES]
    return {name: _plain(name, value, left) for name, value in data.items()}


def line_of(name: str, text: str) -> int | None:
    """Return the line on which a name of the outermost level stands, from 1."""
    pattern = re.compile(rf"""^([ \t{{]*)["']?{re.escape(name)}["']?[ \t]*:""", re.MULTILINE)
    found = min(pattern.finditer(text), key=lambda m: len(m[1].expandtabs()), default=None)
    return None if found is None else text.count("\n", 0, found.start()) + 1


class ConfigText(widgets.VBox):  # type: ignore[misc]
    """Shows a configuration; ``on_edit`` is called with each whole one that the user makes of the text."""

    def __init__(self, on_edit: Callable[[dict[str, Any]], None]) -> None:
        self.kind = "JSON"
        self._on_edit = on_edit
        self._config: Mapping[str, Any] = {}
        self._quiet = False
        self.area = widgets.Textarea(continuous_update=True)
        self.area.add_class("a6-area")
        self.area.observe(self._edited, "value")
        self._said = widgets.HTML()
        self._said.add_class("a6-note")
        self._discard = widgets.Button(
            description="Take back", icon="undo", tooltip="Show what the design has", layout={"display": "none"}
        )
        self._discard.on_click(lambda _: self._render())
        super().__init__([self.area, widgets.HBox([self._said, self._discard])])
        self.add_class("a6-text")
        self._findings: Sequence[tuple[str, Mapping[str, str]]] = ()

    def show(self, config: Mapping[str, Any], kind: str) -> None:
        """Show what the design has; a text that says the same stays as the user has written it."""
        self._config, same = config, kind == self.kind
        self.kind = kind
        try:
            same = same and parsed(self.area.value, kind) == config
        except TextError:
            same = False
        if not same:
            self._render()

    def tell(self, findings: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        """Show what was found, each with the line of its field: (``error`` or ``warning``, finding)."""
        self._findings = findings
        if self._discard.layout.display != "none":  # what does not parse comes first
            return
        rows = []
        for level, finding in findings:
            line = line_of(finding["field"].removeprefix("config.").partition(".")[0], self.area.value)
            sentence = html.escape(f"{finding['message']} {finding['remedy']}")
            where = "" if line is None else f"Line {line}: "
            role = "alert" if level == "error" else "status"
            rows.append(f"<div class='a6-{level}' role='{role}'>{where}{sentence}</div>")
        self._said.value = "".join(rows)

    def _render(self) -> None:
        self._quiet = True
        text = dumped(self._config, self.kind)
        self.area.description = f"Configuration as {self.kind}"
        self.area.rows = min(max(text.count("\n") + 2, ROWS[0]), ROWS[-1])
        self.area.value = text
        self._quiet = False
        self._discard.layout.display = "none"
        self.tell(self._findings)

    def _edited(self, change: Mapping[str, Any]) -> None:
        if self._quiet:
            return
        try:
            config = parsed(change["new"], self.kind)
        except TextError as error:
            self._discard.layout.display = ""
            self._said.value = f"<div class='a6-error' role='alert'>{html.escape(str(error))}</div>"
            return
        self._discard.layout.display = "none"
        if config == self._config:
            self.tell(self._findings)
        else:
            self._said.value = ""
            self._on_edit(config)


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise TextError(f"this is no JSON: {_lower(error.msg)} (column {error.colno}).", error.lineno) from None
    except RecursionError:
        raise TextError("this is nested too deeply.") from None
    except _TwiceError as error:
        name = error.args[0]
        lines = [n for n, line in enumerate(text.splitlines(), 1) if f"{json.dumps(name)}" in line]
        raise TextError(f"{name} stands here twice.", lines[-1] if lines else None) from None


class _TwiceError(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise _TwiceError(name)
        result[name] = value
    return result


def _yaml(text: str) -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415 - few look at it
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context or "it cannot be read").split())
        raise TextError(f"this is no YAML: {_lower(problem)}.", None if mark is None else mark.line + 1) from None
    except (YAMLError, ValueError) as error:
        raise TextError(f"this is no YAML: {' '.join(str(error).split())[:200]}.") from None
    except RecursionError:
        raise TextError("this is nested too deeply.") from None


def _plain(name: Any, value: Any, left: list[int]) -> Any:
    """Return a value as JSON can hold it; TextError for what it cannot, and for too many through YAML's aliases."""
    left[0] -= 1
    if left[0] < 0:
        raise TextError(f"{name} holds too many values.")
    if not isinstance(name, str):
        raise TextError(f"the name {name!r} is no text.")
    if isinstance(value, Mapping):
        return {key: _plain(key, inner, left) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(name, inner, left) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise TextError(f"{name} is no finite number.")
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TextError(f"{name} is a {type(value).__name__}; put it in quotes to have it as text.")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
