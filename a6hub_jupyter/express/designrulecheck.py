"""Express.DRC: the design rules of the technology LEF on the final GDS.

python -m a6hub_jupyter.express.designrulecheck job.json
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import klayout.db as kdb
from klayout import rdb

from a6hub_jupyter.express import checkpictures, layerchecks, layermap
from a6hub_jupyter.express.cores import cores
from a6hub_jupyter.express.designrules import RuleCheck, Violation
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import Technology

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics

REPORT_FILE = "drc.klayout.lyrdb"
PICTURE_FILE = "violations.png"
SHOWN = 20


def read_layout(path: str, top: str) -> tuple[kdb.Layout, kdb.Cell]:
    """A layout file and its top cell; ProblemError when there is none of that name."""
    layout = kdb.Layout()
    layout.read(path)
    cell = layout.cell(top)
    if cell is None:
        raise ProblemError(f"The layout {path} has no cell '{top}'.")
    return layout, cell


def used_layers(job: Job, technology: Technology, layout: kdb.Layout, top: kdb.Cell) -> dict[str, int]:
    """The metals and cuts to look at, bottom up: LEF name to layer index in the layout.

    From the layer of the pins to that of the straps, and on to the topmost that has shapes: what a macro or an added
    GDS brings in above the straps is looked at as well. ProblemError when the layer map lacks one of them.
    """
    stack = technology.stack
    gds_layers = layermap.drawing_layers(job.layer_map)
    drawn = [k for k, n in enumerate(stack) if n in gds_layers and not top.bbox(layout.layer(*gds_layers[n])).empty()]
    first, last = stack.index(technology.pin_layer), max([stack.index(job.strap_layer), *drawn])
    if (last - first) % 2:
        last += 1  # a cut is looked at together with the metal over it
    used = stack[first : last + 1]
    missing = [name for name in used if name not in gds_layers]
    if missing:
        raise ProblemError(f"KLAYOUT_DEF_LAYER_MAP gives no GDS layer for {', '.join(missing)}.")
    return {name: layout.layer(*gds_layers[name]) for name in used}


def write_report(job: Job, unit: float, violations: list[Violation]) -> None:
    """A KLayout report database with one category per rule."""
    report = rdb.ReportDatabase("Express.DRC")
    report.description = "Design rules of the technology LEF, checked on the final layout"
    report.top_cell_name = job.top
    cell = report.create_cell(job.top)
    categories: dict[str, rdb.RdbCategory] = {}
    for violation in violations:
        category = categories.get(violation.rule)
        if category is None:
            category = categories[violation.rule] = report.create_category(violation.rule)
            category.description = f"{violation.kind} on {violation.layer}"
        report.create_item(cell.rdb_id(), category.rdb_id()).add_value(violation.shape.to_dtype(unit))
    report.save(str(job.output(REPORT_FILE)))


def check(job: Job) -> Metrics:
    """Check the layout, print what is found, and write it as a report database."""
    technology = Technology.of(job)
    layout, top = read_layout(job.given("layout"), job.top)
    used = used_layers(job, technology, layout, top)
    regions = {}
    for name, index in used.items():
        regions[name] = kdb.Region(top.begin_shapes_rec(index))
        regions[name].merge()
    rules = RuleCheck(technology.lef, list(used), layout.dbu * 1000)
    violations = layerchecks.violations(rules, regions, cores())
    write_report(job, layout.dbu, violations)
    die = top.bbox()
    boxes = [(v.box.left, v.box.bottom, v.box.right, v.box.top) for v in violations]
    checkpictures.violations(job.output(PICTURE_FILE), (die.left, die.bottom, die.right, die.top), boxes)
    by_rule: dict[str, list[Violation]] = defaultdict(list)
    for violation in violations:
        by_rule[violation.rule].append(violation)
    for name, found in by_rule.items():
        print(f"{name}: {len(found)} violations")
        for violation in found[:SHOWN]:
            print(f"  at {violation.box.to_dtype(layout.dbu)} um")
    for rule, names in rules.not_checked().items():
        print(f"Not checked: {rule} ({', '.join(names)})")
    print(f"Design rules on {len(used)} layers: {len(violations)} violations.")
    return {"klayout__drc_error__count": len(violations)}


if __name__ == "__main__":
    run(check)
