"""What goes wrong, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class A6HubError(Exception):
    """Base of our errors. A notebook shows the sentence, not the way through our code that led to it."""

    def _render_traceback_(self) -> list[str]:
        """Tell IPython what to show (its protocol for exceptions)."""
        return [f"{type(self).__name__}: {self}"]


class ServerNotFoundError(A6HubError):
    """There is no Jupyter server to talk to, or it does not answer."""


class RequestRefusedError(A6HubError, ValueError):
    """The server refused a request; ``errors`` has one entry ``{field, message, remedy}`` for each bad field."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.errors: Sequence[dict[str, str]] = body.get("errors") or [
            {k: str(body[k]) for k in ("field", "message", "remedy") if k in body}
        ]
        lines = [_line(e) for e in self.errors if e.get("message")]
        super().__init__("\n".join(lines) or f"The server answered with status {status}.")


class UnknownKeywordError(RequestRefusedError, TypeError):
    """A keyword is no variable of LibreLane's; the sentence names the nearest."""


def _line(error: dict[str, str]) -> str:
    """Return ``field: sentence remedy``, the field under its name in Python."""
    name = error.get("field", "").removeprefix("config.")
    return f"{name + ': ' if name else ''}{error['message']} {error.get('remedy', '')}".strip()
