"""Where a supervisor runs: one small module for each place, one protocol (see ``base``)."""

from __future__ import annotations

from .base import Executor
from .local import LocalExecutor

EXECUTORS: dict[str, Executor] = {e.name: e for e in (LocalExecutor(),)}

__all__ = ["EXECUTORS", "Executor"]
