"""The cells of one corner of timing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.timing.cellreader import opened
from a6hub_jupyter.express.timing.cells import STRENGTH, Cell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from a6hub_jupyter.express.timing.cellreader import CellReader


class Library(Mapping[str, Cell]):
    """The cells of one corner, from one or more Liberty files; earlier files win, as in OpenSTA.

    Raises ProblemError when a file cannot be read or is malformed.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._readers: dict[str, CellReader] = {}
        self.names: list[str] = []
        self.comments: list[str] = []
        for path in paths:
            try:
                reader = opened(path)
            except OSError as error:
                raise ProblemError(f"The Liberty file {path} cannot be read: {error.strerror}.") from error
            except ValueError as error:
                raise ProblemError(f"The Liberty file {path} is cut short or malformed ({error}).") from error
            self.names.append(reader.head.argument)
            self.comments.append(reader.head.values.get("comment", ""))
            for name in reader.file.names():
                self._readers.setdefault(name, reader)
        if not self._readers:
            raise ProblemError("The corner has no Liberty file with cells: LIB must name one.")
        first = next(iter(self._readers.values()))
        self.slew_factor = first.slew_factor
        self.head = first.head
        """Units, thresholds and conditions of the first file."""

    def __getitem__(self, name: str) -> Cell:
        try:
            return self._readers[name].cell(name)
        except ValueError as error:
            raise ProblemError(f"The cell {name} is malformed in its Liberty file ({error}).") from error

    def __contains__(self, name: object) -> bool:
        return name in self._readers

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def described(self) -> list[str]:
        """The name of each file's library, and whether it says of itself that its delays are estimates."""
        note = " (functional, ESTIMATED DELAYS: not characterised)"
        return [
            name + (note if "estimated" in comment else "")
            for name, comment in zip(self.names, self.comments, strict=True)
        ]

    def strengths(self, name: str) -> list[Cell]:
        """The cells that can stand in for `name`, weakest first."""
        stem = STRENGTH.sub("", name)
        family = self[name].family()
        found = [self[other] for other in self._readers if STRENGTH.sub("", other) == stem]
        found = [c for c in found if c.name == name or (c.family() == family and not c.unfit)]
        return sorted(found, key=lambda c: (c.drive(), c.area, c.name))
