"""Express.PowerGrid: fillers, rails along the rows, vertical straps, and via stacks where they cross.

python -m a6hub_jupyter.express.powergrid job.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express import rows
from a6hub_jupyter.express.database import Database, PowerGrid, Rail, Stack, Strap
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.geometry import Box, Shape, centered
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
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


def stack_vias(lef: Lef, stack: list[str], job: Job) -> dict[str, list[Shape]]:
    """One via definition for each cut between rail and strap, as wide as the strap."""
    vias = {}
    first, last = stack.index(job.rail_layer), stack.index(job.strap_layer)
    for k in range(first + 1, last, 2):
        lower, cut, upper = stack[k - 1 : k + 2]
        layer, rule, size = lef.layers[cut], lef.cut_rule(cut), lef.cut_size(cut)
        overhang = {
            metal: max([v for e in layer.enclosures if e.side in ("BOTH", side) for v in (e.first, e.second)] or [0])
            for metal, side in ((lower, "BELOW"), (upper, "ABOVE"))
        }
        least = size + layer.spacing
        given = (rule[cut].spacing if rule else None) or (size + layer.spacing * 3 // 2,) * 2
        pitch = max(up_to_grid(given[0] / 2) * 2, least), max(up_to_grid(given[1] / 2) * 2, least)
        cuts = cut_array(size, max(overhang.values()), pitch, job.strap_width - INSET, job.rail_width)
        top = max(box.y2 for box in cuts)
        half_width = job.strap_width // 2
        shapes = [Shape(cut, box) for box in cuts]
        for metal in (lower, upper):
            half_height = max(job.rail_width // 2, up_to_grid(top + overhang[metal]))
            shapes.append(Shape(metal, centered(0, 0, half_width, half_height)))
        vias[f"power_{cut}"] = shapes
    return vias


def plan(job: Job, technology: Technology, database: Database) -> PowerGrid:
    """Rails on every row boundary, pairs of straps at the pitch asked for (at least one pair)."""
    width = database.width
    nets = (job.ground_net, job.power_net)
    rails = [Rail(nets[row % 2], row * database.row_height) for row in range(database.row_count + 1)]
    pair = 2 * job.strap_width + job.strap_spacing
    if pair + 2 * EDGE > width:
        raise ProblemError(
            f"The die is {width / 1000:.1f} um wide, too narrow for a pair of power straps ({pair / 1000:.1f} um): "
            "lower FP_CORE_UTIL, or set DIE_AREA."
        )
    pitch = min(job.strap_pitch, max(width // 2, 2 * pair))
    x = job.strap_offset if job.strap_offset + pair <= width - 2 * EDGE else max(EDGE, (width - pair) // 2)
    straps = []
    while x + pair <= width - EDGE:
        for k, net in enumerate((job.power_net, job.ground_net)):
            left = (x + k * (job.strap_width + job.strap_spacing)) // 10 * 10
            straps.append(Strap(net, left, left + job.strap_width))
        x += pitch
    stacks = [Stack(s.net, (s.left + s.right) // 2, r.y) for s in straps for r in rails if r.net == s.net]
    return PowerGrid(straps, rails, stacks, stack_vias(technology.lef, technology.stack, job))


def grid_shapes(job: Job, database: Database) -> Iterator[tuple[str, Shape]]:
    """All metal and cuts of the power grid, with their nets."""
    grid, half = database.grid, job.rail_width // 2
    for rail in grid.rails:
        yield rail.net, Shape(job.rail_layer, Box(0, rail.y - half, database.width, rail.y + half))
    for strap in grid.straps:
        yield strap.net, Shape(job.strap_layer, Box(strap.left, 0, strap.right, database.height))
    for stack in grid.stacks:
        for shapes in grid.vias.values():
            for layer, box in shapes:
                yield stack.net, Shape(layer, box.moved(stack.x, stack.y))


def build(job: Job) -> Metrics:
    """Add fillers and the power grid to the database."""
    technology = Technology.of(job)
    database = Database.load_placed(job.given("database"))
    database.fillers = rows.fill(database, technology.lef.macros, job.decaps, job.fillers)
    database.grid = plan(job, technology, database)
    database.save(job.output(DATABASE_FILE))
    write_def(job, technology, database)
    print(
        f"{len(database.fillers)} fillers, {len(database.grid.rails)} rails on {job.rail_layer}, "
        f"{len(database.grid.straps)} straps on {job.strap_layer}, {len(database.grid.stacks)} via stacks."
    )
    return {
        "design__instance__count": len(database.everything()),
        "design__instance__count__class:fill_cell": len(database.fillers),
        "design__instance__count__class:tap_cell": len(database.taps),
    }


if __name__ == "__main__":
    run(build)
