"""What the physical steps hand on: die, netlist, placement, ports, power grid. Lengths in nm."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express.geometry import Box, Shape, oriented
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.verilog import Netlist, Port

if TYPE_CHECKING:
    from a6hub_jupyter.express.lefcells import Macro

FEWEST_SITES = 8
"""A shorter part of a row is left empty."""


@dataclass
class Component:
    """A placed cell: lower left corner in nm; orientation N or FS, as the rows alternate."""

    name: str
    cell: str
    x: int
    y: int
    orientation: str = "N"

    def place(self, box: Box, macro: Macro) -> Box:
        """A box of the cell in die coordinates."""
        return oriented(box, macro.width, macro.height, self.orientation).moved(self.x, self.y)


@dataclass
class PlacedPort:
    """A port on a side of the die (WEST, EAST, SOUTH, NORTH); `at` is the coordinate along that side, nm."""

    name: str
    net: str
    direction: str
    side: str
    at: int

    def point(self, width: int, height: int) -> tuple[int, int]:
        """Where it meets the edge of a die of width x height, nm."""
        on_side = {"WEST": (0, self.at), "EAST": (width, self.at), "SOUTH": (self.at, 0)}
        return on_side.get(self.side, (self.at, height))


@dataclass
class Strap:
    """A vertical power strap: net and edges."""

    net: str
    left: int
    right: int
    bottom: int
    top: int


@dataclass
class Bar:
    """A horizontal power strap over the full width: net, lower and upper edge."""

    net: str
    bottom: int
    top: int


@dataclass
class Rail:
    """A power rail along a row boundary: net, centre line and ends."""

    net: str
    y: int
    left: int
    right: int


@dataclass
class Stack:
    """Vias over each other where power wires cross: net, centre, and the names of the vias."""

    net: str
    x: int
    y: int
    vias: list[str]


@dataclass
class PowerGrid:
    """Rails, straps both ways, and the vias where they cross; `vias` are boxes around (0, 0) by via name."""

    straps: list[Strap] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    rails: list[Rail] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    vias: dict[str, list[Shape]] = field(default_factory=dict)


@dataclass
class Database:
    """One design between floorplan and routing."""

    netlist: Netlist
    width: int
    height: int
    row_height: int
    site_width: int
    row_left: int
    row_right: int
    ports: list[PlacedPort] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    blocks: list[Component] = field(default_factory=list)
    """Hard macros, placed by MACROS."""
    kept_free: list[Box] = field(default_factory=list)
    """The hard macros with their halos: no rows and no vertical straps there."""
    taps: list[Component] = field(default_factory=list)
    fillers: list[Component] = field(default_factory=list)
    grid: PowerGrid = field(default_factory=PowerGrid)
    row_bottom: int = 0
    row_top: int | None = None
    """Between these, in y, are the rows; None: up to the die's edge."""

    @property
    def row_count(self) -> int:
        """Places for rows, from the lower edge of the die up; those outside the core have no spans."""
        return self.height // self.row_height

    def orientation_at(self, y: int) -> str:
        """Rows alternate, so that neighbours share a rail."""
        return "N" if (y // self.row_height) % 2 == 0 else "FS"

    def everything(self) -> list[Component]:
        """All placed cells, hard macros, taps and fillers."""
        return [*self.components, *self.blocks, *self.taps, *self.fillers]

    def cells(self) -> list[Component]:
        """What the netlist names: cells and hard macros."""
        return [*self.components, *self.blocks]

    def copied(self) -> Database:
        """A copy in which cells, nets and ports can be added and moved; the power grid is shared."""
        nets = {net: list(connections) for net, connections in self.netlist.nets.items()}
        return replace(
            self,
            netlist=replace(self.netlist, cells=dict(self.netlist.cells), nets=nets),
            ports=[replace(port) for port in self.ports],
            components=[replace(component) for component in self.components],
            fillers=list(self.fillers),
        )

    def spans(self, row: int) -> list[tuple[int, int]]:
        """The parts of a row that cells may use, in nm on sites: all but hard macros, and slivers beside them."""
        low, high, site = row * self.row_height, (row + 1) * self.row_height, self.site_width
        if low < self.row_bottom or high > (self.height if self.row_top is None else self.row_top):
            return []
        spans = [(self.row_left, self.row_right)]
        for box in self.kept_free:
            if box.y1 >= high or box.y2 <= low:
                continue
            left, right = box.x1 // site * site, -(-box.x2 // site) * site
            spans = [part for a, b in spans for part in ((a, min(b, left)), (max(a, right), b)) if part[0] < part[1]]
        return [(a, b) for a, b in spans if b - a >= FEWEST_SITES * site]

    def room(self) -> int:
        """The area of all rows, nm2."""
        return sum(b - a for row in range(self.row_count) for a, b in self.spans(row)) * self.row_height

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(self, default=vars) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Database:
        """Read what `save` wrote."""
        data: dict[str, Any] = json.loads(Path(path).read_text())
        nets = {net: [(i, p) for i, p in pins] for net, pins in data["netlist"]["nets"].items()}
        ports = [Port(**port) for port in data["netlist"]["ports"]]
        data["netlist"] = Netlist(data["netlist"]["top"], data["netlist"]["cells"], nets, ports)
        data["ports"] = [PlacedPort(**port) for port in data["ports"]]
        data["kept_free"] = [Box(*box) for box in data["kept_free"]]
        for kind in ("components", "blocks", "taps", "fillers"):
            data[kind] = [Component(**component) for component in data[kind]]
        grid = data["grid"]
        vias = {name: [Shape(la, Box(*box)) for la, box in shapes] for name, shapes in grid["vias"].items()}
        data["grid"] = PowerGrid(
            [Strap(**s) for s in grid["straps"]],
            [Bar(**b) for b in grid["bars"]],
            [Rail(**r) for r in grid["rails"]],
            [Stack(**s) for s in grid["stacks"]],
            vias,
        )
        return cls(**data)

    @classmethod
    def load_placed(cls, path: str | Path) -> Database:
        """Read a design whose cells have places. ProblemError where placement was left out."""
        found = cls.load(path)
        if not found.components:
            raise ProblemError("The cells have no places yet: run Express.Placement first, do not skip it.")
        return found
