"""Timing settings of the steps: LibreLane's variables, handed to the tools as plain numbers and paths."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from librelane.common import process_list_file
from librelane.config import Variable
from librelane.steps import OpenROAD

if TYPE_CHECKING:
    from collections.abc import Mapping

STOCK = (
    "LAYERS_RC",
    "VIAS_R",
    "DESIGN_REPAIR_MAX_SLEW_PCT",
    "DESIGN_REPAIR_MAX_CAP_PCT",
    "PL_RESIZER_SETUP_SLACK_MARGIN",
    "PL_RESIZER_HOLD_SLACK_MARGIN",
    "PL_RESIZER_HOLD_MAX_BUFFER_PCT",
    "CTS_MAX_CAP",
    "CTS_MAX_SLEW",
)
"""Variables of stock steps that Express understands the same way."""


def _stock_variables() -> list[Any]:
    steps = (OpenROAD.RepairDesignPostGPL, OpenROAD.ResizerTimingPostCTS, OpenROAD.CTS)
    pool = {variable.name: variable for step in steps for variable in step.config_vars}
    return [pool[name] for name in STOCK]


TIMING_VARIABLES = [
    *_stock_variables(),
    Variable(
        "EXPRESS_SIZING",
        bool,
        "Let design repair change the drive strength of cells on paths that miss setup, not only of those that break "
        "a limit of slew or load.",
        default=True,
    ),
    Variable(
        "EXPRESS_WORST_PATHS",
        int,
        "How many paths the timing estimate reports for setup and for hold, in each corner.",
        default=10,
    ),
]


def _cell_and_pin(text: str | None) -> list[str] | None:
    cell, _, pin = (text or "").partition("/")
    return [cell, pin.split("/")[-1]] if cell and pin else None


def _for_corner(values: Mapping[str, Any] | None, corner: str) -> dict[str, dict[str, float]]:
    """What LAYERS_RC or VIAS_R says for a corner; later patterns win."""
    found: dict[str, dict[str, float]] = {}
    for pattern, layers in (values or {}).items():
        if fnmatch.fnmatch(corner, pattern):
            for layer, given in layers.items():
                found.setdefault(layer, {}).update({key: float(value) for key, value in given.items()})
    return found


def _libraries(config: Mapping[str, Any], toolbox: Any, corner: str) -> list[str]:
    paths = toolbox.get_timing_files_categorized(config, corner)[1] + list(config["EXTRA_LIBS"] or [])
    return list(dict.fromkeys(str(path) for path in paths))


def _corner(config: Mapping[str, Any], toolbox: Any, name: str) -> dict[str, Any]:
    technology = toolbox.filter_views(config, config["TECH_LEFS"], name) or toolbox.filter_views(
        config, config["TECH_LEFS"]
    )
    return {
        "name": name,
        "libraries": _libraries(config, toolbox, name),
        "technology_lef": str(technology[0]),
        "layers_rc": _for_corner(config["LAYERS_RC"], name),
        "vias_r": _for_corner(config["VIAS_R"], name),
    }


def _corners(config: Mapping[str, Any]) -> list[str]:
    """Names of the corners, the default one first."""
    return list(dict.fromkeys([config["DEFAULT_CORNER"], *(config["STA_CORNERS"] or [])]))


def liberty_files(config: Mapping[str, Any], toolbox: Any) -> list[str]:
    """All files that the corners need, each once, those of the default corner first."""
    return list(dict.fromkeys(path for name in _corners(config) for path in _libraries(config, toolbox, name)))


def timing_settings(config: Mapping[str, Any], toolbox: Any) -> dict[str, Any]:
    """The `timing` part of a job: constraints, corners (the default one first), and what repair may do."""

    def number(name: str) -> float | None:
        value = config.get(name)
        return None if value is None else float(value)

    ports = config["CLOCK_PORT"] or []
    driver = _cell_and_pin(config["SYNTH_DRIVING_CELL"])
    period = float(config["CLOCK_PERIOD"])
    share = number("MAX_TRANSITION_CONSTRAINT")
    excluded = [*(config["EXTRA_EXCLUDED_CELLS"] or []), *process_list_file(config["PNR_EXCLUDED_CELL_FILE"])]
    return {
        "constraints": {
            "period": period,
            "clocks": [ports] if isinstance(ports, str) else list(ports),
            "io_share": float(config["IO_DELAY_CONSTRAINT"]) / 100,
            "uncertainty": float(config["CLOCK_UNCERTAINTY_CONSTRAINT"]),
            "derate": float(config["TIME_DERATING_CONSTRAINT"]) / 100,
            "output_load": float(config["OUTPUT_CAP_LOAD"]) / 1000,
            "driver": driver,
            "clock_driver": _cell_and_pin(config["SYNTH_CLK_DRIVING_CELL"]) or driver,
            "max_transition": share,
            "max_capacitance": number("MAX_CAPACITANCE_CONSTRAINT"),
            "max_fanout": number("MAX_FANOUT_CONSTRAINT"),
        },
        "corners": [_corner(config, toolbox, name) for name in _corners(config)],
        "worst_paths": config["EXPRESS_WORST_PATHS"],
        "excluded": sorted(excluded),
        "sizing": bool(config["EXPRESS_SIZING"]),
        "slew_margin": float(config["DESIGN_REPAIR_MAX_SLEW_PCT"]) / 100,
        "capacitance_margin": float(config["DESIGN_REPAIR_MAX_CAP_PCT"]) / 100,
        "setup_margin": number("PL_RESIZER_SETUP_SLACK_MARGIN") or 0.0,
        "hold_margin": number("PL_RESIZER_HOLD_SLACK_MARGIN") or 0.0,
        "hold_buffer_share": (number("PL_RESIZER_HOLD_MAX_BUFFER_PCT") or 0.0) / 100,
        "default_transition": number("DEFAULT_MAX_TRAN"),
        "clock_max_slew": number("CTS_MAX_SLEW"),
        "clock_max_capacitance": number("CTS_MAX_CAP"),
    }
