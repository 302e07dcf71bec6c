"""Express.PowerGrid: fillers, rails along the rows, straps both ways, and vias where they cross.

python -m a6hub_jupyter.express.powergrid job.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import rows
from a6hub_jupyter.express.database import Bar, Database, PowerGrid, Rail, Stack, Strap
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.geometry import Box, Shape, centered
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.macropower import MacroPower
from a6hub_jupyter.express.powergaps import crosses, missing_bars, missing_feeders, missing_straps
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import Technology, up_to_grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.lef import Lef

EDGE = 1000
"""Least distance of a strap from the die's edge, nm."""
INSET = 100
"""How much narrower than the strap an array of cuts is, nm."""


def cut_array(size: int, enclosure: int, pitch: tuple[int, int], width: int, height: int) -> list[Box]:
    """Cuts around (0, 0) that fit a width x height box with their enclosure; at least one. nm."""

    def positions(length: int, step: int) -> list[int]:
        count = max(1, (length - 2 * enclosure - size) // step + 1)
        return [k * step - (count - 1) * step // 2 for k in range(count)]

    half = size // 2
    return [centered(x, y, half, half) for x in positions(width, pitch[0]) for y in positions(height, pitch[1])]


def array_via(lef: Lef, stack: list[str], cut: str, width: int, height: int) -> list[Shape]:
    """Metal and as many cuts as fit where two power wires cross in a width x height box; shapes around (0, 0), nm."""
    k = stack.index(cut)
    lower, upper = stack[k - 1], stack[k + 1]
    layer, rule, size = lef.layers[cut], lef.cut_rule(cut), lef.cut_size(cut)
    overhang = {
        metal: max([v for e in layer.enclosures if e.side in ("BOTH", side) for v in (e.first, e.second)] or [0])
        for metal, side in ((lower, "BELOW"), (upper, "ABOVE"))
    }
    least = size + layer.spacing
    given = (rule[cut].spacing if rule else None) or (size + layer.spacing * 3 // 2,) * 2
    pitch = max(up_to_grid(given[0] / 2) * 2, least), max(up_to_grid(given[1] / 2) * 2, least)
    cuts = cut_array(size, max(overhang.values()), pitch, width - INSET, height)
    reach_x, reach_y = max(box.x2 for box in cuts), max(box.y2 for box in cuts)
    shapes = [Shape(cut, box) for box in cuts]
    for metal in (lower, upper):
        half_width = max(width // 2, up_to_grid(reach_x + overhang[metal]))
        half_height = max(height // 2, up_to_grid(reach_y + overhang[metal]))
        shapes.append(Shape(metal, centered(0, 0, half_width, half_height)))
    return shapes


class PowerPlanner:
    """Lays out the power grid of a floorplan. Hard macros are fed as `macropower.py` says."""

    def __init__(self, job: Job, technology: Technology, database: Database) -> None:
        self._job, self._database = job, database
        self._lef, self._stack = technology.lef, technology.stack
        self._macros = MacroPower(job, database, technology.lef, technology.stack)
        self.grid = PowerGrid()

    def plan(self) -> PowerGrid:
        """Rails on every row boundary, straps, bars, and vias wherever two of one net cross."""
        self.grid.rails = list(self._rails())
        self.grid.straps = list(self._straps())
        self.grid.bars = list(self._bars())
        if self._database.blocks:
            self._macros.check()
            self.grid.straps += list(missing_straps(self._job, self._database, self.grid, self._macros))
            self.grid.straps += list(self._feeders())
            self.grid.bars += list(missing_bars(self._job, self.grid, self._macros.pins(self._job.strap_layer)))
            self.grid.straps = [strap for strap in self.grid.straps if self._is_tied(strap)]
        rail_vias = self._cuts_between(self._job.rail_layer, self._job.strap_layer)
        for strap in self.grid.straps:
            for rail in self.grid.rails:
                middle = (strap.left + strap.right) // 2
                if crosses(strap, rail):
                    width, height = strap.right - strap.left, self._job.rail_width
                    self._cross(strap.net, middle, rail.y, rail_vias, width, height)
        bar_vias = self._cuts_between(self._job.strap_layer, self._job.bar_layer) if self.grid.bars else []
        for bar in self.grid.bars:
            low = [(s.net, Box(s.left, s.bottom, s.right, s.top)) for s in self.grid.straps]
            for net, box in [*low, *((pin.net, pin.box) for pin in self._macros.pins(self._job.strap_layer))]:
                bottom, top = max(box.y1, bar.bottom), min(box.y2, bar.top)
                if net == bar.net and top - bottom == bar.top - bar.bottom:
                    self._cross(net, *Box(box.x1, bottom, box.x2, top).center, bar_vias, box.width, top - bottom)
        for pin, box in self._macros.overlaps(self.grid.straps, self._least_overlap()) if self._database.blocks else ():
            self._cross(pin.net, *box.center, [self._macros.cut], box.width, box.height)
        return self.grid

    def _feeders(self) -> Iterator[Strap]:
        if any(True for _ in self._macros.pins(self._macros.below)):
            yield from missing_feeders(self._job, self._database, self.grid.straps, self._macros, self._least_overlap())

    def _least_overlap(self) -> tuple[int, int]:
        """The least width and height in which a strap and a pin below it can be joined, nm."""
        pads = [shape.box for shape in array_via(self._lef, self._stack, self._macros.cut, 0, 0)]
        return max(box.width for box in pads), max(box.height for box in pads)

    def _is_tied(self, strap: Strap) -> bool:
        """Whether a rail or a bar reaches a strap: a piece between a macro and the edge may lie beside both."""
        on_bars = (b.net == strap.net and strap.bottom <= b.bottom and b.top <= strap.top for b in self.grid.bars)
        return any(crosses(strap, rail) for rail in self.grid.rails) or any(on_bars)

    def _cuts_between(self, lower: str, upper: str) -> list[str]:
        first, last = self._stack.index(lower), self._stack.index(upper)
        return self._stack[first + 1 : last : 2]

    def _cross(self, net: str, x: int, y: int, cuts: list[str], width: int, height: int) -> None:
        """Add the vias where two wires cross in a width x height box around (x, y)."""
        names = [f"power_{cut}_{width}_{height}" for cut in cuts]
        for name, cut in zip(names, cuts, strict=True):
            if name not in self.grid.vias:
                self.grid.vias[name] = array_via(self._lef, self._stack, cut, width, height)
        self.grid.stacks.append(Stack(net, x, y, names))

    def _rails(self) -> Iterator[Rail]:
        """Rails where there are rows above or below; those at the ends of the rows reach the die's edge."""
        database = self._database
        for row in range(database.row_count + 1):
            net = (self._job.ground_net, self._job.power_net)[row % 2]
            parts = sorted(span for r in (row - 1, row) if 0 <= r < database.row_count for span in database.spans(r))
            left, right = parts[0] if parts else (0, 0)
            for a, b in [*parts[1:], (database.width * 2, 0)] if parts else []:
                if a <= right:
                    right = max(right, b)
                    continue
                y = row * database.row_height
                yield Rail(net, y, self._to_edge(y, left, 0), self._to_edge(y, right, database.width))
                left, right = a, b

    def _to_edge(self, y: int, end: int, edge: int) -> int:
        """Where a rail that ends at `end` ends: at the edge of the die, if rows end there and no macro is between."""
        database, half = self._database, self._job.rail_width // 2
        low, high = sorted((end, edge))
        is_last = end == (database.row_left if edge == 0 else database.row_right)
        taken = any(b.x1 < high and low < b.x2 and b.y1 < y + half and y - half < b.y2 for b in database.kept_free)
        return edge if is_last and not taken else end

    def _straps(self) -> Iterator[Strap]:
        """Pairs of vertical straps at the pitch asked for, at least one pair, cut where hard macros use their layer."""
        job, width, barriers = self._job, self._database.width, self._macros.barriers()
        pair = 2 * job.strap_width + job.strap_spacing
        if pair + 2 * EDGE > width:
            raise ProblemError(
                f"The die is {width / 1000:.1f} um wide, too narrow for a pair of power straps ({pair / 1000:.1f} um): "
                "lower FP_CORE_UTIL, or set DIE_AREA."
            )
        for low in positions(width, pair, job.strap_offset, job.strap_pitch):
            for k, net in enumerate((job.power_net, job.ground_net)):
                left = (low + k * (job.strap_width + job.strap_spacing)) // 10 * 10
                bottom = 0
                blocks = [b for b in barriers if b.x1 < left + job.strap_width and left < b.x2]
                for box in sorted(blocks, key=lambda b: b.y1):
                    if box.y1 > bottom:
                        yield Strap(net, left, left + job.strap_width, bottom, box.y1)
                    bottom = max(bottom, box.y2)
                if bottom < self._database.height:
                    yield Strap(net, left, left + job.strap_width, bottom, self._database.height)

    def _bars(self) -> Iterator[Bar]:
        """Pairs of horizontal straps over the full width, unless PDN_MULTILAYER says no."""
        job, height = self._job, self._database.height
        pair = 2 * job.bar_width + job.bar_spacing
        if not job.bar_layer:
            return
        if pair + 2 * EDGE > height:
            print(f"The die is too low for a pair of straps on {job.bar_layer}: there are none.")
            return
        for low in positions(height, pair, job.bar_offset, job.bar_pitch):
            for k, net in enumerate((job.power_net, job.ground_net)):
                bottom = (low + k * (job.bar_width + job.bar_spacing)) // 10 * 10
                yield Bar(net, bottom, bottom + job.bar_width)


def positions(length: int, pair: int, offset: int, pitch: int) -> list[int]:
    """Where the pairs of straps begin along `length`; one in the middle where the offset leaves no room. nm."""
    step = min(pitch, max(length // 2, 2 * pair))
    at = offset if offset + pair <= length - 2 * EDGE else max(EDGE, (length - pair) // 2)
    return list(range(at, length - EDGE - pair + 1, step))


def grid_shapes(job: Job, database: Database) -> Iterator[tuple[str, Shape]]:
    """All metal and cuts of the power grid, with their nets."""
    grid, half = database.grid, job.rail_width // 2
    for rail in grid.rails:
        yield rail.net, Shape(job.rail_layer, Box(rail.left, rail.y - half, rail.right, rail.y + half))
    for strap in grid.straps:
        yield strap.net, Shape(job.strap_layer, Box(strap.left, strap.bottom, strap.right, strap.top))
    for bar in grid.bars:
        yield bar.net, Shape(job.bar_layer, Box(0, bar.bottom, database.width, bar.top))
    for stack in grid.stacks:
        for name in stack.vias:
            for layer, box in grid.vias[name]:
                yield stack.net, Shape(layer, box.moved(stack.x, stack.y))


def build(job: Job) -> Metrics:
    """Add fillers and the power grid to the database."""
    technology = Technology.of(job)
    database = Database.load_placed(job.given("database"))
    rows.spread(database, technology.lef.macros)
    database.fillers = rows.fill(database, technology.lef.macros, job.decaps, job.fillers)
    database.grid = PowerPlanner(job, technology, database).plan()
    database.save(job.output(DATABASE_FILE))
    write_def(job, technology, database)
    grid = database.grid
    across = f"{len(grid.bars)} on {job.bar_layer}, " if grid.bars else ""
    print(
        f"{len(database.fillers)} fillers, {len(grid.rails)} rails on {job.rail_layer}, "
        f"{len(grid.straps)} straps on {job.strap_layer}, {across}{len(grid.stacks)} via stacks."
    )
    return {
        "design__instance__count": len(database.everything()),
        "design__instance__count__class:fill_cell": len(database.fillers),
        "design__instance__count__class:tap_cell": len(database.taps),
    }


if __name__ == "__main__":
    run(build)
