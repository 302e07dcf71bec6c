"""A cell as a network of switches: pin capacitance, drive resistance, stage delays.

Delays are Elmore delays: the resistance of the weakest minimal set of conducting transistors times the load,
stages summed up. Four constants are fitted, on inv_1 of SkyWater's public tt library.
Source of the method: W. C. Elmore, J. Applied Physics 19 (1948); N. Weste, D. Harris, CMOS VLSI Design, ch. 4.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

RESISTANCE = {"n": 2.2, "p": 5.6}
"""kOhm um of channel width, effective for the 50 % delay of 1v8 nfet and pfet_hvt."""
GATE_CAPACITANCE, DRAIN_CAPACITANCE = 1.4e-3, 1.0e-3
"""pF per um of gate width, and of drain width."""
DELAY_PER_SLEW, SLEW_PER_RC = 0.25, 1.4
"""Delay per input slew; output slew over resistance times capacitance."""
RAILS = ("VPWR", "VGND", "KAPWR")
STACK_MOST = 6
DEVICE = re.compile(r"^[XM]\S*\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+\s+\S*?(nfet|pfet)\S*\s+.*?w=([\d.e+]+)u", re.M)

Channel = tuple[str, frozenset[str], str]
"""Type (n or p), the two ends, the gate."""


class Transistors:
    """The transistors of one SPICE subcircuit."""

    def __init__(self, spice: str) -> None:
        self._channels: dict[Channel, float] = defaultdict(float)
        self._gate_width: dict[str, float] = defaultdict(float)
        self._drain_width: dict[str, float] = defaultdict(float)
        self._drives: dict[str, tuple[float, float, list[str]]] = {}
        for drain, gate, source, kind, text in DEVICE.findall(spice):
            width = float(text) if float(text) < 100 else float(text) / 1e6
            self._channels[kind[0], frozenset((drain, source)), gate] += width
            self._gate_width[gate] += width
            for end in (drain, source):
                self._drain_width[end] += width / 2

    def capacitance(self, node: str) -> float:
        """Gate and drain capacitance at a node, pF."""
        return GATE_CAPACITANCE * self._gate_width[node] + DRAIN_CAPACITANCE * self._drain_width[node]

    def channel_capacitance(self, node: str) -> float:
        """Capacitance of a node and of the stacked channels behind it, pF."""
        seen, todo = {node}, [node]
        while todo:
            here = todo.pop()
            for _, ends, _ in self._channels:
                if here in ends:
                    for other in ends - seen - set(RAILS):
                        seen.add(other)
                        todo.append(other)
        drains = sum(self._drain_width[n] for n in sorted(seen))
        return DRAIN_CAPACITANCE * drains + GATE_CAPACITANCE * self._gate_width[node]

    def _paths(self, node: str, kind: str, rail: str, passed: tuple[str, ...] = ()) -> Iterator[frozenset[str]]:
        """Gates along each simple channel path from a node to a rail."""
        if len(passed) > STACK_MOST:
            return
        for channel_kind, ends, gate in self._channels:
            if channel_kind != kind or node not in ends or len(ends) != 2:
                continue
            other = next(n for n in ends if n != node)
            if other == rail:
                yield frozenset((gate,))
            elif other not in passed and other not in RAILS:
                for path in self._paths(other, kind, rail, (*passed, node)):
                    yield path | {gate}

    def drive(self, node: str) -> tuple[float, float, list[str]]:
        """Resistance to rise and to fall (kOhm), and the gates that decide."""
        if node in self._drives:
            return self._drives[node]
        resistances: list[float | None] = []
        gates: set[str] = set()
        for kind, rail in (("p", "VPWR"), ("n", "VGND")):
            found = set(self._paths(node, kind, rail))
            minimal = [p for p in found if not any(q < p for q in found)]
            gates |= set().union(*minimal) if minimal else set()
            values = [self._resistance(node, rail, kind, path) for path in minimal]
            resistances.append(max(values, default=None))
        known = [r for r in resistances if r]
        rise, fall = (r or max(known, default=10.0) for r in resistances)
        self._drives[node] = (rise, fall, sorted(gates))
        return self._drives[node]

    def _resistance(self, node: str, rail: str, kind: str, conducting: frozenset[str]) -> float:
        """Between a node and a rail with these gates conducting, all fingers in parallel; kOhm."""
        index = {rail: 0, node: 1}
        branches = []
        for (channel_kind, ends, gate), width in self._channels.items():
            other_rail = any(n in RAILS and n != rail for n in ends)
            if channel_kind == kind and gate in conducting and len(ends) == 2 and not other_rail:
                a, b = (index.setdefault(n, len(index)) for n in sorted(ends))
                branches.append((a, b, width / RESISTANCE[kind]))
        laplacian = np.eye(len(index)) * 1e-9
        for a, b, conductance in branches:
            laplacian[a, a] += conductance
            laplacian[b, b] += conductance
            laplacian[a, b] -= conductance
            laplacian[b, a] -= conductance
        current = np.zeros(len(index) - 1)
        current[0] = 1.0
        return float(np.linalg.solve(laplacian[1:, 1:], current)[0])

    def delay(self, node: str, pin: str, passed: tuple[str, ...] = ()) -> float | None:
        """Delay from a pin to a node without load, ns; None when the pin does not reach it."""
        rise, fall, gates = self.drive(node)
        worst: float | None = None
        for gate in gates:
            if gate == pin:
                at_gate: float | None = 0.0
            elif gate in passed or gate == node or gate in RAILS:
                continue
            else:
                at_gate = self.delay(gate, pin, (*passed, node))
                if at_gate is not None:
                    resistance = sum(self.drive(gate)[:2]) / 2
                    at_gate += DELAY_PER_SLEW * SLEW_PER_RC * resistance * self.capacitance(gate)
            if at_gate is not None:
                worst = at_gate if worst is None else max(worst, at_gate)
        return None if worst is None else worst + (rise + fall) / 2 * self.channel_capacitance(node)
