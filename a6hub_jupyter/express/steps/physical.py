"""From netlist to routed DEF."""

from __future__ import annotations

from librelane.state import DesignFormat
from librelane.steps import Step

from a6hub_jupyter.express.steps.base import (
    CLOCK_TREE_PICTURE,
    CONGESTION_PICTURE,
    DATABASE,
    PLACEMENT_PICTURE,
    SYNTHESISED,
    DesignStep,
    ExpressStep,
)


@Step.factory.register()
class Floorplan(ExpressStep):
    """Sizes the die for the netlist and lays out rows, ports and well taps."""

    id = "Express.Floorplan"
    name = "Floorplan"
    tool = "floorplan"
    inputs = [DesignFormat.NETLIST]  # noqa: RUF012
    outputs = [DesignFormat.DEF, DATABASE, SYNTHESISED]  # noqa: RUF012


@Step.factory.register()
class Placement(DesignStep):
    """Places the cells with coloquinte and buffers nets that drive too many pins."""

    id = "Express.Placement"
    name = "Placement"
    tool = "placement"
    outputs = [*DesignStep.outputs, PLACEMENT_PICTURE]  # noqa: RUF012


@Step.factory.register()
class ClockTree(DesignStep):
    """Puts a tree of buffers between each clock port and its registers."""

    id = "Express.ClockTree"
    name = "Clock Tree"
    tool = "clocktree"
    outputs = [*DesignStep.outputs, CLOCK_TREE_PICTURE]  # noqa: RUF012


@Step.factory.register()
class PowerGrid(ExpressStep):
    """Fills the rows and lays rails, straps and the vias between them."""

    id = "Express.PowerGrid"
    name = "Power Grid"
    tool = "powergrid"
    inputs = [DATABASE]  # noqa: RUF012
    outputs = [DesignFormat.DEF, DATABASE]  # noqa: RUF012


@Step.factory.register()
class Routing(DesignStep):
    """Routes all nets by negotiation, repairs what breaks design rules, and adds antenna diodes."""

    id = "Express.Routing"
    name = "Routing"
    tool = "routing"
    outputs = [*DesignStep.outputs, CONGESTION_PICTURE]  # noqa: RUF012


@Step.factory.register()
class WriteLEF(ExpressStep):
    """Writes the LEF of the finished block: what another design needs to use it as a hard macro."""

    id = "Express.WriteLEF"
    name = "Write LEF"
    tool = "lefwriter"
    begins_after = "KLayout.StreamOut"
    inputs = [DATABASE, DesignFormat.GDS]  # noqa: RUF012
    outputs = [DesignFormat.LEF]  # noqa: RUF012


@Step.factory.register()
class PoweredNetlist(ExpressStep):
    """Writes the final netlist with all placed cells and their supply pins."""

    id = "Express.PoweredNetlist"
    name = "Powered Netlist"
    tool = "powerednetlist"
    begins_after = "Express.Routing"
    inputs = [DATABASE]  # noqa: RUF012
    outputs = [DesignFormat.POWERED_NETLIST]  # noqa: RUF012
