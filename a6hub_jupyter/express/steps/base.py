"""What all steps of the Express flow share: variables, and running a tool on a job."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from librelane.common import Path as ViewPath
from librelane.config import Variable
from librelane.state import DesignFormat
from librelane.steps import KLayout, OpenROAD, Step, StepError
from librelane.steps import common_variables as common

from a6hub_jupyter.express.job import DATABASE_FILE, PROBLEM_FILE, Job
from a6hub_jupyter.express.lefwords import nanometres
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.steps import floorplanning
from a6hub_jupyter.express.steps.ahead import Announced
from a6hub_jupyter.express.steps.timing import TIMING_VARIABLES, timing_settings
from a6hub_jupyter.express.steps.tools import run_tool

if TYPE_CHECKING:
    from librelane.state import State

DATABASE = DesignFormat("express_db", "express.json", "Express Design Database")
DATABASE.register()
SYNTHESISED = DesignFormat("express_synthesised", "synthesised.v", "Netlist as Synthesised")
SYNTHESISED.register()
RTL = DesignFormat("express_rtl", "rtl.json", "Design as Read")
RTL.register()
PLACEMENT_PICTURE = DesignFormat("express_placement", "placement.png", "Picture of the Placement")
CLOCK_TREE_PICTURE = DesignFormat("express_clock_tree", "clock_tree.png", "Picture of the Clock Tree")
CONGESTION_PICTURE = DesignFormat("express_congestion", "congestion.png", "Picture of the Congestion")
VIOLATIONS_PICTURE = DesignFormat("express_violations", "violations.png", "Picture of the Violations")
PICTURES = (PLACEMENT_PICTURE, CLOCK_TREE_PICTURE, CONGESTION_PICTURE, VIOLATIONS_PICTURE)
for picture in PICTURES:
    picture.register()

SHARED = (
    "FP_CORE_UTIL",
    "FP_ASPECT_RATIO",
    "FP_SIZING",
    "CORE_AREA",
    *floorplanning.MARGINS,
    "FP_TRACKS_INFO",
    "FP_TAPCELL_DIST",
    "CTS_ROOT_BUFFER",
    "CTS_CLK_BUFFERS",
    "CTS_SINK_CLUSTERING_SIZE",
    "KLAYOUT_DEF_LAYER_MAP",
)
"""Variables of stock steps that Express understands the same way."""


def stock_variables() -> list[Any]:
    """The variables named in SHARED, as LibreLane's own steps declare them."""
    steps = (OpenROAD.Floorplan, OpenROAD.CTS, OpenROAD.TapEndcapInsertion, KLayout.StreamOut)
    pool = {variable.name: variable for step in steps for variable in step.config_vars}
    return [pool[name] for name in SHARED]


LEAST_FANOUT = 2
"""A tree of buffers that drive one pin each would have no end."""
CLOCK_FANOUT = 16
"""How many registers one clock buffer drives at most, unless CTS_SINK_CLUSTERING_SIZE says."""

EXPRESS_VARIABLES = [
    Variable(
        "EXPRESS_DENSITY",
        Decimal,
        "The local density that global placement aims at: lower spreads the cells out.",
        default=Decimal("0.55"),
        units="fraction",
    ),
    Variable(
        "EXPRESS_EFFORT",
        int,
        "Effort of placement, 1 (fast) to 9 (slow).",
        default=3,
    ),
    Variable(
        "EXPRESS_ROUTE_SECONDS",
        int,
        "After this time the router begins no further pass.",
        default=600,
        units="s",
    ),
    Variable(
        "EXPRESS_EQUIVALENCE_SECONDS",
        int,
        "After this time the proof that the final netlist equals the synthesised one is given up, and fails.",
        default=300,
        units="s",
    ),
    Variable(
        "EXPRESS_RTL_EQUIVALENCE_SECONDS",
        int,
        "After this time the proof that the synthesised netlist equals the RTL is given up.",
        default=20,
        units="s",
    ),
    Variable(
        "EXPRESS_RTL_EQUIVALENCE_CELLS",
        int,
        "The synthesised netlist is compared with the RTL when it has no more cells than this; 0 leaves that out.",
        default=300,
    ),
]


class ExpressStep(Announced, Step):  # type: ignore[misc]
    """Runs `python -m a6hub_jupyter.express.<tool> job.json` and takes its metrics."""

    tool: ClassVar[str] = ""
    begins_after: ClassVar[str | None] = None
    """The step that makes the last of what this one reads, where this one is a check that may run beside others."""
    config_vars = (
        common.io_layer_variables
        + common.pdn_variables
        + stock_variables()
        + floorplanning.variables()
        + EXPRESS_VARIABLES
        + TIMING_VARIABLES
    )

    @property
    def module(self) -> str:
        """The module that is the tool."""
        return f"a6hub_jupyter.express.{self.tool}"

    def job(self, state: State) -> Job:
        """The job for the tool: settings of this design, and the files of the present state that it reads."""
        config = self.config
        given = config["DIE_AREA"] if config["FP_SIZING"] == "absolute" else None
        clocks = config["CLOCK_PORT"] or []
        root, buffers = config["CTS_ROOT_BUFFER"], list(config["CTS_CLK_BUFFERS"])
        tap_distance = config["FP_TAPCELL_DIST"]
        return Job(
            top=config["DESIGN_NAME"],
            step_directory=self.step_dir,
            lefs=[
                str(self.toolbox.filter_views(config, config["TECH_LEFS"])[0]),
                *(str(lef) for lef in [*config["CELL_LEFS"], *(config["EXTRA_LEFS"] or [])]),
            ],
            site=config["PLACE_SITE"],
            tracks=str(config["FP_TRACKS_INFO"]) if config["FP_TRACKS_INFO"] else None,
            layer_map=str(config["KLAYOUT_DEF_LAYER_MAP"]),
            clock_ports=[clocks] if isinstance(clocks, str) else list(clocks),
            utilization=float(config["FP_CORE_UTIL"]) / 100,
            aspect_ratio=float(config["FP_ASPECT_RATIO"]),
            die_area=[nanometres(str(v)) for v in given] if given else None,
            lowest_layer=config["RT_MIN_LAYER"],
            highest_layer=config["RT_MAX_LAYER"],
            port_layer_horizontal=config["IO_PIN_H_LAYER"],
            port_layer_vertical=config["IO_PIN_V_LAYER"],
            power_net=config["VDD_PIN"],
            ground_net=config["GND_PIN"],
            power_pins=list(config["SCL_POWER_PINS"]),
            ground_pins=list(config["SCL_GROUND_PINS"]),
            rail_layer=config["PDN_RAIL_LAYER"],
            rail_width=self._length("PDN_RAIL_WIDTH"),
            strap_layer=config["PDN_VERTICAL_LAYER"],
            strap_width=self._length("PDN_VWIDTH"),
            strap_spacing=self._length("PDN_VSPACING"),
            strap_pitch=self._length("PDN_VPITCH"),
            strap_offset=self._length("PDN_VOFFSET"),
            fillers=list(config["FILL_CELLS"]),
            decaps=list(config["DECAP_CELLS"] or []),
            buffer=(config["SYNTH_BUFFER_CELL"] or "").split("/")[0],
            clock_buffers=list(dict.fromkeys([*buffers, root])),
            tap_cell=config["WELLTAP_CELL"],
            tap_distance=nanometres(str(tap_distance)) if tap_distance else 0,
            density=float(config["EXPRESS_DENSITY"]),
            effort=config["EXPRESS_EFFORT"],
            most_fanout=max(config["MAX_FANOUT_CONSTRAINT"], LEAST_FANOUT),
            clock_fanout=max(config["CTS_SINK_CLUSTERING_SIZE"] or CLOCK_FANOUT, LEAST_FANOUT),
            route_seconds=config["EXPRESS_ROUTE_SECONDS"],
            equivalence_seconds=config["EXPRESS_EQUIVALENCE_SECONDS"],
            cell_layouts=[
                str(gds)
                for gds in [
                    *config["CELL_GDS"],
                    *(config["EXTRA_GDS"] or []),
                    *self.toolbox.get_macro_views(config, DesignFormat.GDS),
                ]
            ],
            liberty=[str(lib) for lib in self.toolbox.filter_views(config, config["LIB"])],
            netlist=self._given(state, DesignFormat.NETLIST),
            database=self._given(state, DATABASE),
            layout=self._given(state, DesignFormat.GDS),
            placement=self._given(state, DesignFormat.DEF),
            synthesised=self._given(state, SYNTHESISED),
            rtl=self._given(state, RTL),
            rtl_seconds=config["EXPRESS_RTL_EQUIVALENCE_SECONDS"],
            rtl_cells=config["EXPRESS_RTL_EQUIVALENCE_CELLS"],
            timing=timing_settings(config, self.toolbox),
            **floorplanning.settings(config, self.toolbox),
        )

    def _length(self, name: str) -> int:
        return nanometres(str(self.config[name]))

    def _given(self, state: State, view: Any) -> str | None:
        """The path of a view that this step reads."""
        found = state.get_by_df(view) if view.id in {given.id for given in self.inputs} else None
        return str(found) if found else None

    def output(self, name: str) -> Any:
        """A file of this step, as LibreLane wants views."""
        return ViewPath(str(Path(self.step_dir) / name))

    def views(self) -> dict[Any, Any]:
        """The views that the tool has written."""
        name = self.config["DESIGN_NAME"]
        written = {
            DesignFormat.NETLIST: f"{name}.nl.v",
            DesignFormat.DEF: f"{name}.def",
            DesignFormat.LEF: f"{name}.lef",
            DesignFormat.POWERED_NETLIST: f"{name}.pnl.v",
            DATABASE: DATABASE_FILE,
            SYNTHESISED: f"{name}.synthesised.v",
            **{picture: picture.extension for picture in PICTURES},
        }
        return {view: self.output(written[view]) for view in self.outputs}

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Run the tool. A problem that it names becomes a StepError with that sentence."""
        _, env = self.extract_env(kwargs)
        try:
            job = self.job(state_in)
        except ProblemError as error:
            raise StepError(str(error)) from error
        result = run_tool(self, job, env)
        if result["returncode"] != 0:
            problem = Path(self.step_dir) / PROBLEM_FILE
            if problem.exists():
                raise StepError(problem.read_text().strip())
            raise StepError(
                f"{self.id} ended with code {result['returncode']}, which is a fault of Express: "
                f"please report it with {result['log_path']}."
            )
        return self.views(), result["generated_metrics"]


class DesignStep(ExpressStep):
    """A step that changes cells, nets or places, and hands the whole design on."""

    inputs = [DATABASE]  # noqa: RUF012
    outputs = [DesignFormat.NETLIST, DesignFormat.DEF, DATABASE]  # noqa: RUF012
