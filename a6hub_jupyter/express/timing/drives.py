"""How single cells respond to slew and load, and which cells may stand in for which."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np

    from a6hub_jupyter.express.lefcells import Macro
    from a6hub_jupyter.express.timing.cells import Arc, Cell, Table
    from a6hub_jupyter.express.timing.library import Library


def lookup(table: Table, row: float, column: float) -> float:
    """One value of a table, as `TableStack` finds it in bulk."""
    i, f = _interval(table.rows, row)
    j, g = _interval(table.columns, column)
    values = table.values
    i2, j2 = min(i + 1, len(table.rows) - 1), min(j + 1, len(table.columns) - 1)
    low = values[i, j] * (1 - g) + values[i, j2] * g
    high = values[i2, j] * (1 - g) + values[i2, j2] * g
    return float(low * (1 - f) + high * f)


def _interval(axis: np.ndarray[tuple[int], np.dtype[np.float64]], at: float) -> tuple[int, float]:
    if len(axis) < 2:
        return 0, 0.0
    k = min(max(int(axis.searchsorted(at, side="right")) - 1, 0), len(axis) - 2)
    return k, float((at - axis[k]) / (axis[k + 1] - axis[k]))


def response(arc: Arc, output: int, slew: float, load: float) -> tuple[float, float] | None:
    """Delay and output slew of an arc for one output transition, ns; None when it does not make that."""
    delay, edge = arc.delays[output], arc.slews[output]
    if delay is None:
        return None
    return lookup(delay, slew, load), lookup(edge, slew, load) if edge is not None else slew


def worst_response(cell: Cell, slew: float, load: float) -> tuple[float, float]:
    """The largest delay and output slew over all arcs of a cell's first output, ns."""
    found = [
        answer
        for arc in cell.outputs()[0].arcs
        for output in (0, 1)
        if (answer := response(arc, output, slew, load)) is not None
    ]
    return max((d for d, _ in found), default=0.0), max((s for _, s in found), default=0.0)


class Choice:
    """Cells that repair may use: in the LEF, with a Liberty model, and not excluded by a pattern."""

    def __init__(self, library: Library, macros: Mapping[str, Macro], excluded: Iterable[str]) -> None:
        self._library = library
        self._macros = macros
        self._excluded = list(excluded)
        self._strengths: dict[str, list[Cell]] = {}

    def allows(self, name: str) -> bool:
        """Whether a cell may be used. Hard macros stand for themselves alone, whatever their pins are called."""
        if name not in self._macros or self._macros[name].is_block:
            return False
        return not any(fnmatch.fnmatchcase(name, pattern) for pattern in self._excluded)

    def matching(self, pattern: str) -> list[str]:
        """Allowed cells with a Liberty model whose names match a pattern that has wildcards."""
        return [name for name in fnmatch.filter(self._library, pattern) if name != pattern and self.allows(name)]

    def stronger(self, name: str) -> list[Cell]:
        """Allowed cells of the same function with more drive than `name`, weakest first."""
        if name not in self._strengths:
            family = self._library.strengths(name)
            drive = self._library[name].drive()
            self._strengths[name] = [c for c in family if c.drive() > drive and self.allows(c.name)]
        return self._strengths[name]

    def _has_two_signals(self, name: str) -> bool:
        """Whether a cell may be a buffer, by its LEF: to read all cells of a Liberty file takes longer than repair."""
        return sum(pin.is_signal for pin in self._macros[name].pins.values()) == 2

    def delays(self) -> list[Cell]:
        """All allowed buffers and delay cells that are not for the clock, the smallest first."""
        found = []
        for name in self._library:
            if not (self.allows(name) and self._has_two_signals(name)):
                continue
            cell = self._library[name]
            inputs, outputs = cell.inputs(), cell.outputs()
            if len(cell.pins) < 2 or len(inputs) != 1 or len(outputs) != 1 or cell.storage or cell.unfit:
                continue
            if outputs[0].function.strip("() ") == inputs[0].name and outputs[0].arcs:
                found.append(cell)
        return sorted(found, key=lambda c: (c.area, c.name))
