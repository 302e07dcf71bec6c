"""What the design must keep: the constraints of LibreLane's base SDC file, from the same variables.

The clocks have one period and rise at 0; inputs and outputs take their share of it; the clock is propagated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Constraints:
    """Times in ns, loads in pF, shares between 0 and 1. `clocks` are ports; with none, one that no port carries."""

    period: float
    clocks: tuple[str, ...] = ()
    io_share: float = 0.0
    uncertainty: float = 0.0
    derate: float = 0.0
    output_load: float = 0.0
    driver: tuple[str, str] | None = None
    """Cell and output pin in front of each input."""
    clock_driver: tuple[str, str] | None = None
    max_transition: float | None = None
    max_capacitance: float | None = None
    max_fanout: float | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Constraints:
        """From the constraints part of a job's timing settings."""
        known = {**settings}
        for name in ("driver", "clock_driver"):
            known[name] = tuple(known[name]) if known.get(name) else None
        known["clocks"] = tuple(known.get("clocks", ()))
        return cls(**known)

    @property
    def io_delay(self) -> float:
        """Outside delay of inputs and of outputs, ns."""
        return self.period * self.io_share

    def sdc(self) -> list[str]:
        """The same as commands of an SDC file."""
        lines = []
        names = self.clocks or ("__VIRTUAL_CLK__",)
        for clock in names:
            port = f" [get_ports {{{clock}}}]" if self.clocks else ""
            lines.append(f"create_clock -name {{{clock}}} -period {self.period:g}{port}")
        if len(names) > 1:
            groups = " ".join(f"-group {{{clock}}}" for clock in names)
            lines.append(f"set_clock_groups -asynchronous {groups}")
        lines += [
            "set inputs {}",
            f"set clocks {{{' '.join(self.clocks)}}}",
            "foreach port [all_inputs] {",
            "  if { [lsearch -exact $clocks [get_property $port full_name]] < 0 } { lappend inputs $port }",
            "}",
            f"set_input_delay {self.io_delay:g} -clock {{{names[0]}}} $inputs",
            f"set_output_delay {self.io_delay:g} -clock {{{names[0]}}} [all_outputs]",
        ]
        if self.driver:
            lines.append(f"set_driving_cell -lib_cell {self.driver[0]} -pin {self.driver[1]} $inputs")
        cell = self.clock_driver or self.driver
        if cell and self.clocks:
            ports = f"[get_ports {{{' '.join(self.clocks)}}}]"
            lines.append(f"set_driving_cell -lib_cell {cell[0]} -pin {cell[1]} {ports}")
        lines += [
            f"set_load {self.output_load:g} [all_outputs]",
            f"set_clock_uncertainty {self.uncertainty:g} [all_clocks]",
            f"set_timing_derate -early {1 - self.derate:g}",
            f"set_timing_derate -late {1 + self.derate:g}",
            "set_propagated_clock [all_clocks]",
        ]
        return lines


@dataclass(frozen=True)
class Corner:
    """One corner: its Liberty files, technology LEF, and LibreLane's overrides of wire and via values."""

    name: str
    libraries: tuple[str, ...]
    technology_lef: str
    layers_rc: dict[str, dict[str, float]] = field(default_factory=dict)
    vias_r: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Corner:
        """From the corner's part of a job's timing settings."""
        return cls(
            settings["name"],
            tuple(settings["libraries"]),
            settings["technology_lef"],
            settings.get("layers_rc") or {},
            settings.get("vias_r") or {},
        )
