"""A job for tools that a test runs in this process."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from a6hub_jupyter.express.job import Job


def job(directory: Path, **settings: object) -> Job:
    """A job in `directory` with the given settings; all others are empty."""
    empty: dict[str, object] = {"str": "", "int": 0, "float": 0.5, "list[str]": [], "list[int] | None": None}
    values = {f.name: empty.get(str(f.type)) for f in dataclasses.fields(Job)}
    return Job(**{**values, "step_directory": str(directory), **settings})  # type: ignore[arg-type]
