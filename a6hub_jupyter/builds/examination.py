"""What is known of a build request before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..auth import Refusal
from ..librelane import pdks

T = TypeVar("T")


@dataclass
class Examination:
    """What is known of a request: what is wrong with it, and, where nothing is, all that a build is made of.

    ``toolchain_errors`` keep it from being built here, but say nothing against its configuration. ``answer`` is the
    inspector's (``librelane.checking.check``).
    """

    errors: list[dict[str, str]] = field(default_factory=list)
    toolchain_errors: list[dict[str, str]] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    pdk: pdks.PDK | None = None
    toolchain: str = ""
    reason: str | None = None
    provided: dict[str, str] = field(default_factory=dict)
    preparations: list[dict[str, str]] = field(default_factory=list)
    presets: list[str] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)

    def attempt(self, what: Callable[..., T], *arguments: Any) -> T | None:
        """Return what a function returns; None, and entries here, where it refuses."""
        try:
            return what(*arguments)
        except Refusal as refusal:
            if refusal.status != 422:
                raise
            self.add(refusal.entries)
            return None

    def add(self, entries: Iterable[dict[str, str]]) -> None:
        """Add entries for fields that have none yet."""
        named = {e["field"] for e in self.errors}
        self.errors += [e for e in entries if e["field"] not in named]

    def refuse(self) -> None:
        """Refusal 422 with all that is wrong, if anything is."""
        errors = [*self.toolchain_errors, *self.errors]
        if errors:
            first = errors[0]
            more = f" ({len(errors) - 1} more below.)" if len(errors) > 1 else ""
            raise Refusal(422, first["message"] + more, field=first["field"], remedy=first["remedy"], errors=errors)
