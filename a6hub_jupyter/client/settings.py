"""A design's configuration: a dict that tells whoever looks on when it is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Settings(dict[str, Any]):
    """LibreLane's variables of a design by name. ``on_change`` is called after each change."""

    def __init__(self, *given: Any, **values: Any) -> None:
        super().__init__(*given, **values)
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each change."""
        self._listeners.append(listener)

    def changed(self) -> None:
        """Tell whoever looks on."""
        for listener in self._listeners:
            listener()

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.changed()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.changed()

    def __ior__(self, other: Any) -> Settings:  # type: ignore[override,misc]
        self.update(other)
        return self

    def update(self, *given: Any, **values: Any) -> None:
        """Change several at once."""
        super().update(*given, **values)
        self.changed()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a value, set first where there is none."""
        value = super().setdefault(key, default)
        self.changed()
        return value

    def pop(self, key: str, *default: Any) -> Any:
        """Take a value away and return it."""
        value = super().pop(key, *default)
        self.changed()
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last value away and return it with its name."""
        item = super().popitem()
        self.changed()
        return item

    def clear(self) -> None:
        """Take all away."""
        super().clear()
        self.changed()

    def replace(self, values: Mapping[str, Any]) -> None:
        """Have these values and no others, told as one change."""
        super().clear()
        self.update(values)
