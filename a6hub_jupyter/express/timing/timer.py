"""Timing of a design in the flow's database, from its routed layout or from its placement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.timing.analysis import Analysis
from a6hub_jupyter.express.timing.constraints import Constraints, Corner
from a6hub_jupyter.express.timing.graph import Graph
from a6hub_jupyter.express.timing.interface import Interface
from a6hub_jupyter.express.timing.libertywriter import LibertyModel
from a6hub_jupyter.express.timing.library import Library
from a6hub_jupyter.express.timing.pinmap import PinMap
from a6hub_jupyter.express.timing.placedtree import placed_tree
from a6hub_jupyter.express.timing.slacks import Slacks
from a6hub_jupyter.express.timing.wires import RoutedTrees, WireRules, Wires

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.technology import Technology
    from a6hub_jupyter.express.timing.defnets import RoutedNets
    from a6hub_jupyter.express.timing.wires import RcTree

VIAS_AT_PIN = 2
"""Vias between a pin and the layer that most of a wire is on, for the estimate from the placement."""
ESTIMATED_LAYERS = 3
"""Wires that are not routed yet are taken as spread over so many of the lowest routing layers."""


class Timer:
    """The libraries and wire values of one corner, kept for repeated analysis."""

    def __init__(self, corner: Corner, constraints: Constraints, technology: Technology) -> None:
        self.corner = corner
        self.constraints = constraints
        self.technology = technology
        self.library = Library(corner.libraries)
        self.rules = WireRules.of(Lef(corner.technology_lef), corner.layers_rc, corner.vias_r)
        layers = [layer.name for layer in technology.layers][:ESTIMATED_LAYERS]
        self.per_um = self.rules.average(layers)
        cuts = [self.rules.cuts.get(cut.name, 0.0) for cut in technology.cuts[:VIAS_AT_PIN]]
        self.pin_vias = sum(cuts)
        self._trees: dict[str, tuple[object, RcTree]] = {}
        """Of each net: driver, places of the pins, and the tree for them: few nets change from round to round."""

    @property
    def wire_values(self) -> tuple[tuple[float, float], float]:
        """What trees from the placement are made with: kOhm and pF per um, kOhm of the vias at a pin."""
        return self.per_um, self.pin_vias

    def analyse(self, database: Database, trees: list[RcTree]) -> Slacks:
        """All slacks of the design with these wires."""
        graph = Graph(database.netlist, self.library)
        return Slacks(Analysis(graph, Wires(trees), self.constraints, self.library.slew_factor))

    def model(self, database: Database, graph: Graph, trees: list[RcTree]) -> LibertyModel:
        """The Liberty model of the design as a hard macro, with these wires."""
        interface = Interface(graph, Wires(trees), self.constraints, self.library.slew_factor)
        area = database.width * database.height / 1e6
        return LibertyModel(database.netlist.top, area, interface, self.library.head)

    def placed(self, pins: PinMap) -> list[RcTree]:
        """Trees of all nets, from where their pins are."""
        return [tree for net in pins.nets() if (tree := self.placed_net(pins, net)) is not None]

    def placed_net(self, pins: PinMap, net: str) -> RcTree | None:
        """The tree of one net from its placed pins; None without a driver or with nothing to drive."""
        driver, points = pins.driver(net), pins.points(net)
        if driver is None or driver not in points or len(points) < 2:
            return None
        key = driver, list(points.items())
        known = self._trees.get(net)
        if known is None or known[0] != key:
            known = key, placed_tree(net, driver, points, self.per_um, self.pin_vias)
            self._trees[net] = known
        return known[1]

    def routed(self, pins: PinMap, routed: RoutedNets) -> tuple[list[RcTree], list[str], int]:
        """Trees of all nets as routed, the nets taken from the placement for want of wires, and open pieces."""
        reach = max(self.technology.pitch_x, self.technology.pitch_y)
        maker = RoutedTrees(routed, self.rules, self.technology.stack, reach)
        trees, unrouted = [], []
        for net in pins.nets():
            driver, boxes = pins.driver(net), pins.boxes(net)
            if driver is None or driver not in boxes or len(boxes) < 2:
                continue
            tree = maker.tree(net, driver, boxes)
            if tree is None:
                unrouted.append(net)
                tree = self.placed_net(pins, net)
            if tree is not None:
                trees.append(tree)
        return trees, unrouted, maker.joined


def timers(settings: Mapping[str, Any], technology: Technology) -> list[Timer]:
    """A timer for each corner of a job's timing settings, the default corner first."""
    constraints = Constraints.of(settings["constraints"])
    return [Timer(Corner.of(corner), constraints, technology) for corner in settings["corners"]]
