"""The keywords of designs and builds: options of ours in lower case, LibreLane's variables in upper case."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from .errors import RequestRefusedError, UnknownKeywordError

OPTIONS = (
    "pdk",
    "scl",
    "flow",
    "substituting_steps",
    "presets",
    "toolchain",
    "from_step",
    "to_step",
    "only",
    "skip",
    "tags",
    "timeout",
    "cores",
    "memory",
)
# What people give in lower case, since Design() takes it so.
VARIABLES = {"clock_port": "CLOCK_PORT", "clock_period": "CLOCK_PERIOD"}


def split(keywords: dict[str, Any], where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return variables and options; TypeError with the nearest name for a keyword that is neither.

    Whether LibreLane has a variable of that name is the server's to say, which knows the flow: see ``check``.
    """
    variables: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, value in keywords.items():
        if name in OPTIONS:
            options[name] = value
        elif name in VARIABLES:
            variables[VARIABLES[name]] = value
        elif name.isupper():
            variables[name] = value
        else:
            close = difflib.get_close_matches(name, [*OPTIONS, *VARIABLES], n=1)
            hint = f"Did you mean '{close[0]}'?" if close else "LibreLane's own variables are in upper case."
            raise TypeError(f"{where}() has no option '{name}'. {hint}")
    return variables, options


def check(keywords: Iterable[str], errors: Sequence[dict[str, str]], status: int = 422) -> None:
    """Raise UnknownKeywordError, a TypeError, where the server knows no variable that was given as a keyword."""
    sentences = {f"config.{name}": f"LibreLane has no variable '{name}'." for name in keywords}
    unknown = [e for e in errors if e.get("message") == sentences.get(e.get("field", ""))]
    if unknown:
        raise UnknownKeywordError(status, {"errors": list(errors)})


def refused(keywords: Iterable[str], error: RequestRefusedError) -> RequestRefusedError:
    """Return a refusal as it is to be raised: an UnknownKeywordError where a keyword is at fault."""
    try:
        check(keywords, error.errors, error.status)
    except UnknownKeywordError as unknown:
        return unknown
    return error
