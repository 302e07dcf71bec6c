"""Which library cells are the same but for their drive strength, according to their Liberty functions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

STATE_GROUPS = ("ff", "latch", "ff_bank", "latch_bank", "statetable")


@dataclass(frozen=True)
class LibraryCell:
    """What a cell does: directions and functions by pin, and its state (empty for gates), as Liberty writes them."""

    name: str
    pins: tuple[tuple[str, str, str], ...]
    state: tuple[str, ...]
    tristate: bool

    @property
    def functions(self) -> dict[str, str]:
        """Function of each output that has one."""
        return {pin: function for pin, direction, function in self.pins if direction == "output" and function}

    @property
    def is_gate(self) -> bool:
        """Whether each output is a plain function of the inputs."""
        outputs = [pin for pin, direction, _ in self.pins if direction != "input"]
        return bool(outputs) and set(outputs) == set(self.functions) and not self.state and not self.tristate

    @property
    def is_buffer(self) -> bool:
        """Whether the one output repeats the one input."""
        inputs = [pin for pin, direction, _ in self.pins if direction == "input"]
        return self.is_gate and len(inputs) == 1 and list(self.functions.values()) == inputs

    @property
    def behaviour(self) -> object:
        """Equal for cells that may stand for each other."""
        return self.pins, self.state, self.tristate


@dataclass
class CellClasses:
    """The cells of all Liberty files by name, and for each the first cell that behaves the same."""

    cells: dict[str, LibraryCell] = field(default_factory=dict)
    representative: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str]) -> CellClasses:
        """Read Liberty files. ProblemError when one cannot be read."""
        import libparse  # noqa: PLC0415  comes with LibreLane, needed here alone

        found = cls()
        for path in paths:
            try:
                with Path(path).open() as file:
                    library = libparse.LibertyParser(file).ast
            except (OSError, RuntimeError) as error:
                raise ProblemError(f"The Liberty file {path} cannot be read: {error}.") from error
            for group in library.children:
                if group.id == "cell":
                    cell = _cell(group)
                    found.cells.setdefault(cell.name, cell)
        classes: dict[object, list[str]] = defaultdict(list)
        for cell in found.cells.values():
            classes[cell.behaviour].append(cell.name)
        for names in classes.values():
            found.representative |= dict.fromkeys(names, min(names))
        return found


def _text(value: str) -> str:
    """A Liberty expression without quotes and spaces."""
    return "".join(value.replace('"', "").split())


def _cell(group: Any) -> LibraryCell:
    pins, state, tristate = [], [], False
    for inner in group.children:
        if inner.id == "pin":
            given = {a.id: _text(a.value) for a in inner.children if a.value}
            tristate = tristate or "three_state" in given
            function = given.get("state_function") or given.get("function", "")
            pins += [(_text(name), given.get("direction", ""), function) for name in inner.args]
        elif inner.id in STATE_GROUPS:
            attributes = sorted(f"{a.id}={_text(a.value)}" for a in inner.children if a.value)
            state.append(f"{inner.id}({','.join(_text(a) for a in inner.args)}){';'.join(attributes)}")
        elif inner.id in ("bus", "bundle"):
            state.append(f"{inner.id} {inner.args}")
    return LibraryCell(_text(group.args[0]), tuple(sorted(pins)), tuple(sorted(state)), tristate)
