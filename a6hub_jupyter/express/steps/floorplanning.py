"""Settings of floorplan, power grid and hard macros, for the job file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from librelane.state import DesignFormat
from librelane.steps import Odb, OpenROAD

from a6hub_jupyter.express.lefwords import nanometres
from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from librelane.common import Toolbox

SHARED = (
    "FP_MACRO_HORIZONTAL_HALO",
    "FP_MACRO_VERTICAL_HALO",
    "IO_PIN_ORDER_CFG",
    "ERRORS_ON_UNMATCHED_IO",
)
"""Variables of stock steps that Express understands the same way."""
MARGINS = ("LEFT_MARGIN_MULT", "BOTTOM_MARGIN_MULT", "RIGHT_MARGIN_MULT", "TOP_MARGIN_MULT")
ORIENTATIONS = ("N", "S", "FN", "FS")


def variables() -> list[Any]:
    """The variables named in SHARED, as LibreLane's own steps declare them."""
    steps = (OpenROAD.TapEndcapInsertion, Odb.CustomIOPlacement)
    pool = {variable.name: variable for step in steps for variable in step.config_vars}
    return [pool[name] for name in SHARED]


def settings(config: Any, toolbox: Toolbox) -> dict[str, Any]:
    """Fields of the job, by name. ProblemError for a macro that cannot be placed."""

    def length(name: str) -> int:
        return nanometres(str(config[name]))

    core = config["CORE_AREA"] if config["FP_SIZING"] == "absolute" else None
    if core and not config["DIE_AREA"]:
        raise ProblemError("CORE_AREA is given without DIE_AREA: give both, or neither.")
    multilayer = bool(config["PDN_MULTILAYER"])
    return {
        "bar_layer": config["PDN_HORIZONTAL_LAYER"] if multilayer else "",
        "bar_width": length("PDN_HWIDTH"),
        "bar_spacing": length("PDN_HSPACING"),
        "bar_pitch": length("PDN_HPITCH"),
        "bar_offset": length("PDN_HOFFSET"),
        "macros": macros(config),
        "macro_lefs": [str(lef) for lef in toolbox.get_macro_views(config, DesignFormat.LEF)],
        "macro_modules": [
            str(path)
            for view in (DesignFormat.VERILOG_HEADER, DesignFormat.NETLIST, DesignFormat.POWERED_NETLIST)
            for path in toolbox.get_macro_views(config, view)
        ],
        "halo": [length("FP_MACRO_HORIZONTAL_HALO"), length("FP_MACRO_VERTICAL_HALO")],
        "pin_order": str(config["IO_PIN_ORDER_CFG"]) if config["IO_PIN_ORDER_CFG"] else None,
        "pins_unmatched": config["ERRORS_ON_UNMATCHED_IO"],
        "core_area": [nanometres(str(v)) for v in core] if core else None,
        "margins": [float(config[name]) for name in MARGINS],
        "endcap_cell": config["ENDCAP_CELL"],
        "diode_cell": config["DIODE_CELL"],
    }


def macros(config: Any) -> list[dict[str, Any]]:
    """Instances of hard macros: name, cell, x and y in nm, orientation."""
    found = []
    for cell, macro in (config["MACROS"] or {}).items():
        for name, instance in macro.instances.items():
            orientation = str(instance.orientation or "N")
            if instance.location is None:
                raise ProblemError(f"MACROS gives no location for {name} ({cell}): Express places no macros itself.")
            if orientation not in ORIENTATIONS:
                raise ProblemError(
                    f"MACROS turns {name} ({cell}) to {orientation}, where no power strap could cross those of the "
                    f"macro: set its orientation to one of {', '.join(ORIENTATIONS)}."
                )
            x, y = (nanometres(str(v)) for v in instance.location)
            found.append({"name": name, "cell": cell, "x": x, "y": y, "orientation": orientation})
    return found
