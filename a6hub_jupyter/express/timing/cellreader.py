"""Makes the cells of one Liberty file, each when it is first asked for; files are read once in a process."""

from __future__ import annotations

import contextlib
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.timing.cells import Arc, Cell, Check, Pin, Table
from a6hub_jupyter.express.timing.liberty import Group, LibertyText
from a6hub_jupyter.express.timing.unateness import BOTH, sense

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Array = np.ndarray[Any, Any]

TRANSITIONS = ("rise", "fall")
TIME_UNITS = {"1ns": 1.0, "100ps": 0.1, "10ps": 0.01, "1ps": 0.001}
COMBINATIONAL = ("combinational", "combinational_rise", "combinational_fall", "three_state_enable")
EDGES = ("rising_edge", "falling_edge", "preset", "clear")
CHECKS = ("setup", "hold", "recovery", "removal")
LOAD = "total_output_net_capacitance"


def opened(path: str | Path) -> CellReader:
    """The reader of a file, kept while the file stays as it is: corners share files, and so do steps."""
    state = Path(path).stat()
    return _reader(str(path), state.st_mtime_ns, state.st_size)


@functools.cache
def _reader(path: str, _changed: int, _size: int) -> CellReader:
    return CellReader(Path(path).read_text(errors="replace"))


def read_ahead(paths: Iterable[str]) -> Iterator[None]:
    """Read files, and then their cells, for libraries of this process that will be made of them; a little at a time."""
    readers = []
    for path in paths:
        with contextlib.suppress(OSError, ValueError):  # the step that needs it will say so
            readers.append(opened(path))
        yield
    for reader in readers:
        for name in reader.file.names():
            with contextlib.suppress(ValueError):
                reader.cell(name)
            yield


class CellReader:
    """Makes cells from the groups of one file, in our units."""

    def __init__(self, text: str) -> None:
        self.file = LibertyText(text)
        self._cells: dict[str, Cell] = {}
        self.head = head = self.file.head
        unit = head.values.get("time_unit", "1ns").replace(" ", "")
        if unit not in TIME_UNITS:
            raise ValueError(f"time_unit {unit} is not known")
        self._time = TIME_UNITS[unit]
        load = head.lists.get("capacitive_load_unit", ["1", "pf"])
        self._load = float(load[0]) * (1e-3 if load[1].lower() == "ff" else 1.0)
        self._templates = {g.argument: g for g in head.each("lu_table_template")}
        low = (head.number("slew_lower_threshold_pct_rise") or 20.0) / 100
        high = (head.number("slew_upper_threshold_pct_rise") or 80.0) / 100
        derate = head.number("slew_derate_from_library") or 1.0
        self.slew_factor = float(np.log((1 - low) / (1 - high))) / derate
        """Slew of a step behind a single RC, in units of RC."""

    def _scaled(self, value: float | None, unit: float) -> float | None:
        return None if value is None else value * unit

    def cell(self, name: str) -> Cell:
        """A cell, made when it is first asked for."""
        if name not in self._cells:
            self._cells[name] = self._made(name)
        return self._cells[name]

    def _made(self, name: str) -> Cell:
        group = self.file.cell(name)
        storage = next((g.name for g in group.each("ff", "latch", "statetable", "ff_bank", "latch_bank")), "")
        state = next(iter(group.each("ff", "latch")), None)
        cell = Cell(
            name,
            group.number("area") or 0.0,
            storage.removesuffix("_bank") if storage != "statetable" else "",
            {},
            tuple(sorted(state.values.items())) if state else (),
            "clock_gating_integrated_cell" in group.values,
            "true" in (group.values.get("dont_use"), group.values.get("dont_touch")),
        )
        described: dict[str, list[Group]] = {}
        for pin in group.each("pin"):
            for bit in pin.arguments:
                described.setdefault(bit, []).append(pin)
        for bus in group.each("bus", "bundle"):
            for bit, part in self._bits(bus):
                described.setdefault(bit, [bus]).append(part)
        cell.pins = {bit: self._pin(bit, groups) for bit, groups in described.items()}
        return cell

    def _bits(self, bus: Group) -> Iterator[tuple[str, Group]]:
        """Names and groups of the bits of a bus; several groups may be about one bit."""
        kind = next((g for g in self.head.each("type") if g.argument == bus.values.get("bus_type")), None)
        if kind is not None:
            ends = int(kind.number("bit_from") or 0), int(kind.number("bit_to") or 0)
            for index in range(min(ends), max(ends) + 1):
                yield f"{bus.argument}[{index}]", bus
        for pin in bus.each("pin"):
            for name in pin.arguments:
                match = re.fullmatch(r"(.*)\[(\d+):(\d+)\]", name)
                if match is None:
                    yield name, pin
                    continue
                low, high = sorted((int(match[2]), int(match[3])))
                for index in range(low, high + 1):
                    yield f"{match[1]}[{index}]", pin

    def _pin(self, name: str, groups: list[Group]) -> Pin:
        """A pin from the groups that are about it, the more particular ones last."""
        groups = [group for k, group in enumerate(groups) if all(group is not other for other in groups[:k])]

        def number(attribute: str) -> float | None:
            values = (group.number(attribute) for group in reversed(groups))
            return next((value for value in values if value is not None), None)

        def word(attribute: str) -> str:
            return next((group.values[attribute] for group in reversed(groups) if attribute in group.values), "")

        direction = word("direction")
        way = "out" if direction == "output" else "in"
        middle = number("capacitance")
        if middle is None:
            middle = self.head.number(f"default_{way}put_pin_cap") or 0.0
        caps = [number(f"{t}_capacitance") for t in TRANSITIONS]
        rise, fall = ((middle if c is None else c) * self._load for c in caps)
        transition = number("max_transition")
        most = number("max_capacitance")
        pin = Pin(
            name,
            direction,
            (rise, fall),
            word("function"),
            word("clock") == "true",
            self._scaled(self.head.number("default_max_transition") if transition is None else transition, self._time),
            self._scaled(self.head.number("default_max_capacitance") if most is None else most, self._load)
            if direction == "output"
            else None,
            number("max_fanout") or (self.head.number("default_max_fanout") if direction == "output" else None),
        )
        for timing in (timing for group in groups for timing in group.each("timing")):
            for related in timing.values.get("related_pin", "").split():
                self._timing(pin, related, timing)
        return pin

    def _timing(self, pin: Pin, related: str, timing: Group) -> None:
        kind = timing.values.get("timing_type", "combinational")
        tables = {g.name: g for g in timing.groups}

        def pair(pattern: str) -> list[Table | None]:
            names = [pattern.format(t) for t in TRANSITIONS]
            return [self._table(tables[n]) if n in tables else None for n in names]

        if kind in COMBINATIONAL or kind in EDGES:
            delays, slews = pair("cell_{}"), pair("{}_transition")
            if any(delays):
                way = timing.values.get("timing_sense", BOTH)
                if way == BOTH and pin.function:
                    way = sense(pin.function, related)
                pin.arcs.append(Arc(related, kind, way, delays, slews))
        else:
            name, _, edge = kind.rpartition("_")
            if name in CHECKS and edge in ("rising", "falling"):
                pin.checks.append(Check(related, name, int(edge == "falling"), pair("{}_constraint")))

    def _table(self, group: Group) -> Table:
        """A one- or two-dimensional table, its first axis the input slew or the slew of the related pin."""
        template = self._templates.get(group.argument)
        axes: list[Array] = []
        names: list[str] = []
        for k in (1, 2, 3):
            points = group.numbers(f"index_{k}") or (template.numbers(f"index_{k}") if template else [])
            if points:
                axes.append(np.array(points))
                names.append(template.values.get(f"variable_{k}", "") if template else "")
        values = np.array(group.numbers("values"))
        if len(axes) > 2:
            raise ValueError(f"{group.name} has three dimensions")
        if values.size != int(np.prod([len(a) for a in axes])):
            raise ValueError(f"{group.name} has {values.size} values for its axes")
        units = [self._load if n == LOAD else self._time for n in names]
        axes = [axis * unit for axis, unit in zip(axes, units, strict=True)]
        values = values.reshape([len(a) for a in axes]) * self._time
        second_first = LOAD in names[:1] or names[:1] == ["constrained_pin_transition"]
        none = np.zeros(1)
        if not axes:
            return Table(none, none, values.reshape(1, 1))
        if len(axes) == 1:
            return (
                Table(none, axes[0], values.reshape(1, -1))
                if second_first
                else Table(axes[0], none, values.reshape(-1, 1))
            )
        return Table(axes[1], axes[0], values.T) if second_first else Table(axes[0], axes[1], values)
