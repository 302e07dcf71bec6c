"""The Liberty model of a finished block: what a design that has it as a hard macro times its paths with.

An estimate, and it says so: interface timing alone, no power, no function. Source of the syntax: Liberty User Guide,
volume 1.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from a6hub_jupyter.express.timing.analysis import EARLY
from a6hub_jupyter.express.verilog import BIT, CONSTANTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from a6hub_jupyter.express.timing.interface import Delay, Interface, Margin
    from a6hub_jupyter.express.timing.liberty import Group
    from a6hub_jupyter.express.verilog import Port

    Array = np.ndarray[Any, Any]

COMMENT = "estimated by Express from the routed layout: interface timing, no sign-off"
TRANSITIONS = ("rise", "fall")
EDGES = ("rising", "falling")
UNITS = ("voltage_unit", "current_unit", "pulling_resistance_unit", "leakage_power_unit")
OF_THE_CELLS = (
    "nom_process",
    "nom_voltage",
    "nom_temperature",
    "slew_derate_from_library",
    *(f"{end}_threshold_pct_{t}" for end in ("input", "output", "slew_lower", "slew_upper") for t in TRANSITIONS),
)
"""What slews and delays are measured by is as in the library of the cells."""


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)


def _table(name: str, template: str, table: Array) -> Iterator[str]:
    yield f"        {name} ({template}) {{"
    rows = ", \\\n                 ".join(f'"{_numbers(row)}"' for row in table)
    yield f"          values ( {rows} );\n        }}"


class LibertyModel:
    """Writes the model of one corner. `head`: that of the cells' own library; `area` in um2."""

    def __init__(self, name: str, area: float, interface: Interface, head: Group) -> None:
        self._name, self._area, self._interface, self._head = name, area, interface, head
        self._margins: dict[str, list[Margin]] = {}
        for margin in interface.margins():
            self._margins.setdefault(margin.port, []).append(margin)
        self._delays: dict[str, list[Delay]] = {}
        for delay in interface.delays():
            self._delays.setdefault(delay.target, []).append(delay)

    def lines(self, library: str) -> Iterator[str]:
        """The whole file, as the library of that name."""
        yield f'library ("{library}") {{\n  comment : "{COMMENT}";\n  delay_model : table_lookup;'
        yield '  time_unit : "1ns";\n  capacitive_load_unit (1, pf);'
        given = self._head.values
        yield from (f'  {unit} : "{given[unit]}";' for unit in UNITS if unit in given)
        yield from (f"  {attribute} : {given[attribute]};" for attribute in OF_THE_CELLS if attribute in given)
        yield from self._template(
            "delay", "input_net_transition", "total_output_net_capacitance", self._interface.loads
        )
        yield from self._template(
            "margin", "related_pin_transition", "constrained_pin_transition", self._interface.slews
        )
        buses = [(name, list(ports)) for name, ports in groupby(self._interface.graph.netlist.ports, _bus)]
        for name, ports in buses:
            if BIT.fullmatch(ports[0].name):
                yield from self._type(name, _indices(ports))
        yield f'  cell ("{self._name}") {{\n    area : {self._area:.6g};\n    dont_use : true;'
        yield "    interface_timing : true;\n    is_macro_cell : true;"
        for name, ports in buses:
            if BIT.fullmatch(ports[0].name):
                yield f'    bus ("{name}") {{\n      bus_type : "{name}";\n      direction : {_direction(ports[0])};'
                for port in ports:
                    yield from self._pin(port)
                yield "    }"
            else:
                yield from self._pin(ports[0])
        yield "  }\n}"

    def _template(self, name: str, rows: str, columns: str, points: Sequence[float]) -> Iterator[str]:
        yield f"  lu_table_template ({name}) {{\n    variable_1 : {rows};\n    variable_2 : {columns};"
        yield f'    index_1 ("{_numbers(self._interface.slews)}");\n    index_2 ("{_numbers(points)}");\n  }}'

    @staticmethod
    def _type(name: str, indices: list[int]) -> Iterator[str]:
        yield f'  type ("{name}") {{\n    base_type : array;\n    data_type : bit;\n    bit_width : {len(indices)};'
        yield f"    bit_from : {indices[0]};\n    bit_to : {indices[-1]};\n  }}"

    def _pin(self, port: Port) -> Iterator[str]:
        interface = self._interface
        yield f'    pin ("{port.name}") {{\n      direction : {_direction(port)};'
        if port.direction == "INPUT":
            rise, fall = interface.capacitance(port.name)
            yield f"      capacitance : {max(rise, fall):.6g};"
            yield f"      rise_capacitance : {rise:.6g};\n      fall_capacitance : {fall:.6g};"
            if port.name in interface.constraints.clocks:
                yield "      clock : true;"
            most = interface.most_slew(port.name)
            if most is not None:
                yield f"      max_transition : {most:.6g};"
        elif port.net in CONSTANTS:
            yield f'      function : "{port.net[-1]}";'
        else:
            most = interface.most_load(port.name)
            if most is not None:
                yield f"      max_capacitance : {most:.6g};"
        for margin in self._margins.get(port.name, ()):
            yield from self._margin(margin)
        for _, delays in groupby(self._delays.get(port.name, ()), _timing_group):
            yield from self._delay(list(delays))
        yield "    }"

    @staticmethod
    def _margin(margin: Margin) -> Iterator[str]:
        yield f'      timing () {{\n        related_pin : "{margin.clock}";'
        yield f"        timing_type : {margin.kind}_{EDGES[margin.edge]};"
        for t, table in enumerate(margin.tables):
            if table is not None:
                yield from _table(f"{TRANSITIONS[t]}_constraint", "margin", table)
        yield "      }"

    @staticmethod
    def _delay(delays: list[Delay]) -> Iterator[str]:
        """One timing group: what an edge launches, or what both transitions of an input cause."""
        first = delays[0]
        pick = np.minimum if first.mode == EARLY else np.maximum
        yield f'      timing () {{\n        related_pin : "{first.source}";'
        if first.edge:
            yield f"        timing_type : {EDGES[first.cause]}_edge;\n        timing_sense : non_unate;"
        else:
            yield f"        timing_type : combinational;\n        timing_sense : {_sense(delays)};"
        if first.mode == EARLY:
            yield "        min_delay_flag : true;"
        for t, word in enumerate(TRANSITIONS):
            times = [table for delay in delays if (table := delay.delays[t]) is not None]
            slews = [table for delay in delays if (table := delay.slews[t]) is not None]
            if times:
                yield from _table(f"cell_{word}", "delay", pick.reduce(times))
                yield from _table(f"{word}_transition", "delay", pick.reduce(slews))
        yield "      }"


def _bus(port: Port) -> str:
    match = BIT.fullmatch(port.name)
    return match[1] if match else port.name


def _indices(ports: Iterable[Port]) -> list[int]:
    return [int(match[2]) for port in ports if (match := BIT.fullmatch(port.name))]


def _timing_group(delay: Delay) -> tuple[str, int, bool, int]:
    """Delays with the same of these are one timing group: both causes together, but for the edges of clocks."""
    return delay.source, delay.mode, delay.edge, delay.cause if delay.edge else 0


def _direction(port: Port) -> str:
    return port.direction.lower()


def _sense(delays: Iterable[Delay]) -> str:
    """Whether the output follows the input, its opposite, or either."""
    ways = {t == delay.cause for delay in delays for t in (0, 1) if delay.delays[t] is not None}
    return "non_unate" if len(ways) > 1 else "positive_unate" if True in ways else "negative_unate"
