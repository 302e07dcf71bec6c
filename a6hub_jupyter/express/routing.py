"""Express.Routing: every net as wires and vias that keep the design rules, with diodes where antennas ask for them.

python -m a6hub_jupyter.express.routing job.json
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from a6hub_jupyter.express import antennarepair, nudging, precompile, verilog
from a6hub_jupyter.express.assembly import Assembly
from a6hub_jupyter.express.congestion import Congestion, Spot
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.defwriter import write_def
from a6hub_jupyter.express.job import DATABASE_FILE, Job, run
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.repair import Finding, Metal
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.wirelength import half_perimeter, steiner_trees

if TYPE_CHECKING:
    from a6hub_jupyter.express.drawing import Drawing
    from a6hub_jupyter.express.fabric import Net
    from a6hub_jupyter.express.job import Metrics

PASSES = 120
REPAIR_ROUNDS = 12
CONGESTION_PICTURE = "congestion.png"
LOWER = 0.8
"""By how much fewer cells in the rows are advised when routing fails."""
SHOWN = 3
"""Pins that a sentence names."""


@dataclass
class Routed:
    """A design as routed: its metal, design rule findings, and nets in conflict.

    `metal` holds what is fixed in this design; what is routed, as it was when that was last checked.
    """

    assembly: Assembly
    drawings: dict[str, Drawing]
    findings: list[Finding]
    conflicts: list[str]
    metal: Metal | None = None

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left to mend."""
        return not self.conflicts and not self.findings


def route_and_repair(assembly: Assembly, until: float, before: Routed | None = None) -> Routed:
    """Negotiate, draw, check; route again what the check finds. What is left in conflict is not checked.

    `before`: the same design with a few cells fewer; routes that still fit are taken over from it.
    """
    job, router = assembly.job, assembly.router
    todo = None if before is None else router.adopt(before.assembly.router)
    conflicts = router.negotiate(todo, PASSES, until)
    kept: dict[str, bytes] = {}
    drawings: dict[str, Drawing] = {}
    if before is not None:
        kept = {name: net.entries() for name, net in before.assembly.router.nets.items()}
    for net in assembly.nets:
        is_same = before is not None and kept.get(net.name) == net.entries()
        drawings[net.name] = before.drawings[net.name] if before and is_same else assembly.draw(net)
    metal = before.metal if before else None
    if before and metal:
        metal.change(*assembly.fixed_since(before.assembly))
    if conflicts:
        return Routed(assembly, drawings, [], conflicts, metal)
    if metal is None:
        metal = Metal(assembly.technology, job.strap_layer, assembly.fixed())
    findings = metal.mend(drawings)
    for turn in range(REPAIR_ROUNDS):
        if conflicts or not findings or time.monotonic() > until:
            break
        print(f"Design rules: {len(findings)} violations left after filling notches; routing their nets again.")
        entries = {name: net.entries() for name, net in router.nets.items()}
        for finding in findings:
            assembly.make_dear(finding, turn)
        conflicts = router.negotiate(sorted({n for f in findings for n in f.nets}), PASSES, until)
        for name, net in router.nets.items():
            if entries[name] != net.entries():
                drawings[name] = assembly.draw(net)
        findings = metal.mend(drawings)
    return Routed(assembly, drawings, findings, conflicts, metal)


def route_without_antennas(job: Job, technology: Technology, database: Database, until: float) -> Routed:
    """Route; then add diodes where metal charges gates too much, and route these, a few times at most."""
    routed = nudged_until_clean(route_and_repair(assemble(job, technology, database), until), until)
    antennas = antennarepair.Antennas(job, technology)
    for _ in range(antennarepair.ROUNDS):
        if not routed.is_clean or time.monotonic() > until:
            break
        violations = antennas.violations(routed.assembly, routed.drawings)
        if not violations:
            break
        larger = antennarepair.with_diodes(job, technology, routed.assembly.database, violations)
        if larger is None:
            break
        patches = {name: len(drawing.patches) for name, drawing in routed.drawings.items()}
        candidate = nudged_until_clean(route_and_repair(routed.assembly.with_cells(larger), until, routed), until)
        if not candidate.is_clean:
            for name, drawing in routed.drawings.items():
                del drawing.patches[patches[name] :]  # they were made for cells that are not to be there
            print("The design with these diodes does not come out clean: they are left out.")
            break
        routed = candidate
    return routed


def nudged_until_clean(routed: Routed, until: float) -> Routed:
    """Where a few conflicts stay, move cells beside them and go on routing, a few times at most."""
    for turn in range(nudging.ROUNDS):
        if not 0 < len(routed.conflicts) <= nudging.MOST_NETS or time.monotonic() > until:
            break
        moved = nudging.nudged(routed.assembly.job, routed.assembly, turn)
        if moved is None:
            break
        routed = route_and_repair(routed.assembly.with_cells(moved), until, routed)
    return routed


def assemble(job: Job, technology: Technology, database: Database) -> Assembly:
    """The design on the grid; says how large it is, and which pins cannot be reached."""
    assembly, layers = Assembly(job, technology, database), technology.layers
    print(
        f"Grid of {assembly.grid.columns} x {assembly.grid.rows} tracks on {len(layers)} layers "
        f"({layers[0].name} to {layers[-1].name}), {len(assembly.nets)} nets."
    )
    for instance, pin in assembly.unreachable:
        print(f"No way to the pin {pin} of {instance} ({assembly.components[instance].cell}).")
    return assembly


def given_up(job: Job, database: Database, technology: Technology, spot: Spot, nets: int, *, late: bool) -> str:
    """Why the design cannot be routed, where it is worst, and what to do; `late`: its time was up."""
    room = database.room()
    macros = technology.lef.macros
    full = sum(macros[c.cell].width * macros[c.cell].height for c in database.components) / room
    x1, y1, x2, y2 = (v / 1000 for v in spot.box)
    lower = max(5, round(full * LOWER * 20) * 5)
    remedy = f"set FP_CORE_UTIL to about {lower}" if not job.die_area else "enlarge DIE_AREA by about a quarter"
    return (
        f"Routing ended with {nets} nets in conflict. The worst region is ({x1:.1f}, {y1:.1f}) to ({x2:.1f}, {y2:.1f}) "
        f"um: {spot.conflicts} conflicts, {100 * spot.usage:.0f} % of the free tracks taken; the cells fill "
        f"{100 * full:.0f} % of the rows. To make room, {remedy}."
    ) + (f" Its time was up: EXPRESS_ROUTE_SECONDS, now {job.route_seconds}, gives it more." if late else "")


def shut_in(nets: list[Net]) -> str:
    """Which nets find no way at all, and what to do."""
    net = nets[0]
    pins = [f"{t.instance}/{t.pin}" if t.instance else t.pin for t in net.terminals if t.chosen is None]
    others = f" (and {len(nets) - 1} more)" if len(nets) > 1 else ""
    return (
        f"Routing finds no way for the net {net.name}{others}: metal of cells, macros or the power grid shuts in "
        f"{', '.join(pins[:SHOWN])}. Move the macro there, or what is beside it, in MACROS; or enlarge DIE_AREA."
    )


def route(job: Job) -> Metrics:
    """Route the placed design. Wire length in um."""
    precompile.ready()
    technology = Technology.of(job)
    database = Database.load_placed(job.given("database"))
    until = time.monotonic() + job.route_seconds
    routed = route_without_antennas(job, technology, database, until)
    assembly, drawings, findings = routed.assembly, routed.drawings, routed.findings
    database = assembly.database
    for finding in findings:
        x, y = finding.box.center
        print(f"Violation: {finding.rule} at ({x / 1000:.3f}, {y / 1000:.3f}) um, nets {', '.join(finding.nets)}.")
    congestion = Congestion(assembly.grid, assembly.nets, assembly.router.collided)
    congestion.draw(job.output(CONGESTION_PICTURE))
    job.output(f"{job.top}.nl.v").write_text(verilog.write(database.netlist))
    database.save(job.output(DATABASE_FILE))
    write_def(job, technology, database, drawings)
    lengths = [drawing.length() / 1000 for drawing in drawings.values()]
    lost = [net for net in assembly.nets if not net.complete]
    if lost and not len(assembly.router.collided):
        raise ProblemError(shut_in(lost))
    if routed.conflicts:
        late, worst = time.monotonic() > until, congestion.worst()
        raise ProblemError(given_up(job, database, technology, worst, len(routed.conflicts), late=late))
    bound = half_perimeter(assembly.grid, assembly.nets) / 1000
    shortest = steiner_trees(assembly.grid, assembly.nets) / 1000
    print(
        f"Routed: {sum(lengths):.0f} um of wire ({sum(lengths) / max(shortest, 1):.2f} of the shortest trees through "
        f"the pins, {sum(lengths) / max(bound, 1):.2f} of the half perimeters of the nets), "
        f"{sum(len(d.vias) for d in drawings.values())} vias."
    )
    return {
        "route__drc_errors": len(findings) + len(assembly.router.collided),
        "route__wirelength": round(sum(lengths), 1),
        "route__wirelength__half_perimeter": round(bound, 1),
        "route__wirelength__steiner": round(shortest, 1),
        "route__wirelength__max": round(max(lengths, default=0.0), 1),
        "route__vias": sum(len(d.vias) for d in drawings.values()),
        "route__net": len(drawings),
        "antenna_diodes_count": sum(name.startswith(antennarepair.PREFIX) for name in database.netlist.cells),
        "design__critical_disconnected_pin__count": len(assembly.unreachable),
    }


if __name__ == "__main__":
    run(route)
