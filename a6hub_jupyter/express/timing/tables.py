"""Liberty tables stacked for evaluation in bulk: bilinear between the points, linear beyond the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from a6hub_jupyter.express.timing.cells import Table

    Array = np.ndarray[Any, Any]


class TableStack:
    """Tables by number. `add` them all, then `evaluate` any of them at any point."""

    def __init__(self) -> None:
        self._tables: list[Table] = []
        self._numbers: dict[int, int] = {}
        self._packed: tuple[Array, Array, Array, Array, Array] | None = None

    def add(self, table: Table | None) -> int:
        """The number of a table; -1 for None."""
        if table is None:
            return -1
        number = self._numbers.get(id(table))
        if number is None:
            number = self._numbers[id(table)] = len(self._tables)
            self._tables.append(table)
            self._packed = None
        return number

    def _pack(self) -> tuple[Array, Array, Array, Array, Array]:
        """Axes padded with infinity, values with zeros, and how many intervals each axis has (at least one)."""
        count = max(len(self._tables), 1)
        most_rows = max([2, *(len(t.rows) for t in self._tables)])
        most_columns = max([2, *(len(t.columns) for t in self._tables)])
        rows = np.full((count, most_rows), np.inf)
        columns = np.full((count, most_columns), np.inf)
        values = np.zeros((count, most_rows, most_columns))
        row_intervals, column_intervals = np.ones(count, np.int64), np.ones(count, np.int64)
        for k, table in enumerate(self._tables):
            high, wide = len(table.rows), len(table.columns)
            rows[k, :high], columns[k, :wide] = table.rows, table.columns
            values[k, :high, :wide] = table.values
            row_intervals[k], column_intervals[k] = max(high - 1, 1), max(wide - 1, 1)
        return rows, columns, values, row_intervals, column_intervals

    def evaluate(self, numbers: Array, row: Array, column: Array) -> Array:
        """Values of the tables `numbers` at the points (row, column), one each."""
        if self._packed is None:
            self._packed = self._pack()
        rows, columns, values, row_intervals, column_intervals = self._packed
        i, f = _locate(rows[numbers], row, row_intervals[numbers])
        j, g = _locate(columns[numbers], column, column_intervals[numbers])
        low = values[numbers, i, j] * (1 - g) + values[numbers, i, j + 1] * g
        high = values[numbers, i + 1, j] * (1 - g) + values[numbers, i + 1, j + 1] * g
        result: Array = low * (1 - f) + high * f
        return result


def _locate(axes: Array, at: Array, intervals: Array) -> tuple[Array, Array]:
    """The interval of each axis that a point is in or nearest to, and where in it: 0 to 1, or beyond.

    An axis with a single point has an interval that reaches to infinity: the fraction is 0 there.
    """
    index = np.minimum(np.maximum((axes <= at[:, None]).sum(axis=1) - 1, 0), intervals - 1)
    every = np.arange(len(at))
    start = axes[every, index]
    return index, (at - start) / (axes[every, index + 1] - start)
