"""Who may do what: actions on resources, and the paths that requests may name.

Jupyter Server asks its authorizer ``is_authorized(handler, user, action, resource)``. An administrator who writes one
sees these resources; a hub's default authorizer allows every authenticated user all of them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

BUILDS, LAYOUTS = "a6hub:builds", "a6hub:layouts"
# flows and their variables, presets, designs and their configuration: what is said before a build
DESIGNS = "a6hub:designs"
READ, WRITE, EXECUTE = (
    "read",
    "write",
    "execute",
)  # starting and ending builds runs programs: that is "execute", not "write"

# Linux' own limit; what is longer cannot name a file
MAX_PATH = 4096


class Refusal(Exception):  # noqa: N818 - it is an answer to a client, not a defect
    """A request that cannot be granted: an HTTP status, one sentence, and one entry for each bad field.

    ``retry_after`` is in seconds; ``headers`` are more headers of the answer, since tornado drops those set before.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        remedy: str | None = None,
        errors: Iterable[dict[str, str]] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = list(errors)
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        self.body: dict[str, object] = {"message": message}
        if field:
            self.body["field"] = field
        if remedy:
            self.body["remedy"] = remedy
        if self.errors:
            self.body["errors"] = self.errors

    @property
    def entries(self) -> list[dict[str, str]]:
        """One entry for each bad field."""
        names = ("field", "message", "remedy")
        return self.errors or [{n: str(self.body.get(n, "")) for n in names}]


class Roots:
    """The directories below which requests may name files. Symbolic links are resolved before the comparison."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = [Path(r).expanduser().resolve() for r in roots]

    def resolve(self, path: str, field: str, base: Path | None = None) -> Path:
        """Return ``path`` resolved; relative ones count from ``base`` (default: the server's root). Refusal 422."""
        if not isinstance(path, str) or "\0" in path or len(path) > MAX_PATH:
            raise Refusal(422, "This is no usable path.", field=field, remedy="Give the path as a plain string.")
        if path.startswith("~"):
            path = os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser raises for unknown users
        try:
            resolved = ((base or self._roots[0]) / path).resolve()
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                resolved.stat()  # a name that is too long for the file system is refused here, not later
        except (OSError, RuntimeError, ValueError) as error:
            raise Refusal(
                422, "This path cannot be followed.", field=field, remedy="Name a plain directory or file."
            ) from error
        if any(resolved.is_relative_to(root) for root in self._roots):
            return resolved
        raise Refusal(
            422,
            f"'{path}' lies outside the Jupyter server's root directory.",
            field=field,
            remedy=f"Move it below {self._roots[0]}, or have A6HubApp.extra_roots name its directory.",
        )

    def shorten(self, path: Path | str) -> str:
        """Return a path relative to the first root that holds it, for people to read."""
        for root in self._roots:
            if Path(path).is_relative_to(root):
                return Path(path).relative_to(root).as_posix()
        return str(path)
