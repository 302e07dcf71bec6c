"""What every executor can do with a supervisor. All that it knows of a build lies in the build directory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path


class Executor(ABC):
    """A place where supervisors run."""

    name: str

    @abstractmethod
    def submit(self, build_dir: Path) -> None:
        """Start the supervisor of a build; OSError when it cannot be started."""

    @abstractmethod
    def alive(self, build_dir: Path) -> bool:
        """Return whether the supervisor of a build is alive, also one that another server started."""

    @abstractmethod
    def sweep(self, build_dir: Path) -> None:
        """End what is left of a build whose supervisor is gone."""

    @abstractmethod
    def cancel(self, build_dir: Path) -> bool:
        """Ask the supervisor to end the build; False if there is no supervisor to ask."""
