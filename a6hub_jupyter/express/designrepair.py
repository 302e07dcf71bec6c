"""Express.DesignRepair: drive strengths and buffers where slews, loads or setup ask for them.

    python -m a6hub_jupyter.express.designrepair job.json

Cells are only exchanged for cells of the same function, and nets only split by buffers: what the design does is
unchanged.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from a6hub_jupyter.express.buffering import TreeBuilder, groups
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.room import Room
from a6hub_jupyter.express.settling import placer_of, settle, write_views
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.timing.analysis import LATE
from a6hub_jupyter.express.timing.clocknets import clock_nets
from a6hub_jupyter.express.timing.drives import Choice, worst_response
from a6hub_jupyter.express.timing.limits import least
from a6hub_jupyter.express.timing.pinmap import PinMap
from a6hub_jupyter.express.timing.sizing import sizes_for_setup
from a6hub_jupyter.express.timing.timer import timers

if TYPE_CHECKING:
    from a6hub_jupyter.express.buffering import Sink
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.timing.cells import Cell
    from a6hub_jupyter.express.timing.slacks import Slacks

LIMIT_ROUNDS = 4
MOST_PATHS = 60
"""So many of the worst paths are looked at in one round of sizing."""
TYPICAL_SLEW = 0.1
"""Slew at the input of a buffer that is not placed yet, ns."""
SETUP_ROUNDS = {1: 2, 2: 4, 3: 6}
MOST_SETUP_ROUNDS = 12
"""Rounds of sizing for setup, by effort of placement; more above 3."""
PERIOD_SHARE = 0.1
"""MAX_TRANSITION_CONSTRAINT where it is not set, of the period, at most DEFAULT_MAX_TRAN: as LibreLane has it."""


class Repair:
    """One design under repair, in the corner with the worst setup slack."""

    def __init__(self, job: Job, technology: Technology, database: Database) -> None:
        self._job = job
        self._database = database
        self._macros = technology.lef.macros
        pins = PinMap(database, self._macros)
        self._timer = min(timers(job.timing, technology), key=lambda t: t.analyse(database, t.placed(pins)).setup.worst)
        if len(job.timing["corners"]) > 1:
            print(f"Repair is for the corner with the worst setup slack, {self._timer.corner.name}.")
        library = self._timer.library
        self._choice = Choice(library, self._macros, job.timing["excluded"])
        self._builder = TreeBuilder(database, self._macros)
        self.room = Room(database, self._macros)
        self._clock_nets = {
            net for nets in clock_nets(database.netlist, library, job.clock_ports).values() for net in nets
        }
        self._components = {c.name: c for c in database.components}
        self.resized: set[str] = set()
        self.buffers = 0
        default = job.timing["default_transition"]
        constraints = self._timer.constraints
        share = least(PERIOD_SHARE * constraints.period, default)
        self._most_slew = constraints.max_transition if constraints.max_transition is not None else share

    def analyse(self) -> Slacks:
        """Timing as the placement has it."""
        return self._timer.analyse(self._database, self._timer.placed(PinMap(self._database, self._macros)))

    def exchange(self, instance: str, cell: str) -> bool:
        """Put another cell in the place of an instance's, if there is room for it."""
        before = self._database.netlist.cells[instance]
        if not self.room.take(self._macros[cell].width, instead_of=self._macros[before].width):
            return False
        self._database.netlist.cells[instance] = cell
        self._components[instance].cell = cell
        return True

    # -- slews and loads

    def keep_limits(self) -> int:
        """Stronger drivers, then buffers, on nets that break a limit; returns how many are left."""
        for turn in range(LIMIT_ROUNDS):
            found = self._over_limit(self.analyse())
            if not found:
                return 0
            print(f"Design repair, round {turn + 1}: {len(found)} nets over their limits of slew or load.")
            if not sum(self._mend(net, *what) for net, what in found.items()):
                return len(found)
        return len(self._over_limit(self.analyse()))

    def _over_limit(self, slacks: Slacks) -> dict[str, tuple[float, float, float]]:
        """Nets over a limit: load in pF, slew at the driver's input in ns, and by how much the net is over."""
        analysis = slacks.analysis
        graph, settings = analysis.graph, self._job.timing
        found = {}
        for net, drivers in graph.drivers.items():
            driver = drivers[0]
            instance, name = graph.pins[driver]
            if net in self._clock_nets or len(drivers) > 1 or net not in self._database.netlist.nets:
                continue
            pin = graph.library[graph.netlist.cells[instance]].pins[name] if instance else None
            load = float(analysis.load[2 * driver : 2 * driver + 2].max())
            most_load = least(pin.max_capacitance if pin else None, analysis.constraints.max_capacitance)
            over = load / (most_load * (1 - settings["capacitance_margin"])) if most_load else 0.0
            for sink in [driver, *graph.sinks.get(net, ())]:
                at, sink_pin = graph.pins[sink]
                most = graph.library[graph.netlist.cells[at]].pins[sink_pin].max_transition if at else None
                most = least(most, self._most_slew)
                slews = [s for s in analysis.slew[LATE, 2 * sink : 2 * sink + 2].tolist() if math.isfinite(s)]
                if most and slews:
                    over = max(over, max(slews) / (most * (1 - settings["slew_margin"])))
            if over > 1:
                causes = [int(graph.source[e]) for t in (0, 1) for e in analysis.causes(2 * driver + t).tolist()]
                known = [float(analysis.slew[LATE, node]) for node in causes]
                found[net] = load, max((s for s in known if math.isfinite(s)), default=0.0), over
        return found

    def _mend(self, net: str, load: float, slew: float, over: float) -> int:
        """Exchange the driver of a net, or split the net; returns how many cells that changed or added."""
        drivers, sinks = self._builder.ends(net)
        if drivers:
            instance = drivers[0][0]
            cell = self._timer.library[self._database.netlist.cells[instance]]
            for stronger in self._choice.stronger(cell.name) if len(cell.outputs()) == 1 else []:
                if self._drives(stronger, slew, load) and self.exchange(instance, stronger.name):
                    self.resized.add(instance)
                    return 1
        added = self._split(net, load, load / over, drivers, sinks) if len(sinks) > 1 else 0
        return added or self._strongest(drivers)

    def _drives(self, cell: Cell, slew: float, load: float) -> bool:
        """Whether a cell keeps its limits with this load."""
        settings = self._job.timing
        most = (cell.outputs()[0].max_capacitance or math.inf) * (1 - settings["capacitance_margin"])
        limit = (self._most_slew or math.inf) * (1 - settings["slew_margin"])
        return bool(load <= most and worst_response(cell, slew, load)[1] <= limit)

    def _split(self, net: str, load: float, wanted: float, drivers: list[tuple[str, str]], sinks: list[Sink]) -> int:
        """Buffers between a driver and its sinks, so few and small that the driver's load comes down to `wanted`.

        Without such, those that bring it down most; none when none does. Returns how many were added.
        """
        buffers = [self._timer.library[self._job.buffer], *self._choice.stronger(self._job.buffer)]
        options = []
        parts = 1
        while parts <= len(sinks):
            cell = next((b for b in buffers if self._drives(b, TYPICAL_SLEW, load / parts)), None)
            if cell is not None:
                before = parts * max(cell.inputs()[0].capacitance)
                too_much = max(before - wanted, 0.0)
                options.append((too_much, parts * cell.area, parts, cell.name, before))
            parts *= 2
        if not options:
            return 0
        _, _, parts, name, before = min(options)
        found = groups(sinks, math.ceil(len(sinks) / parts))
        if before >= load or not self.room.take(*[self._macros[name].width] * len(found)):
            return 0
        tops = [self._builder.add_buffer(f"repair_{self.buffers + k}", name, part) for k, part in enumerate(found)]
        self.buffers += len(found)
        self._components.update({c.name: c for c in self._database.components[-len(found) :]})
        self._builder.set_ends(net, drivers, tops)
        return len(found)

    def _strongest(self, drivers: list[tuple[str, str]]) -> int:
        """The most that can be done for a net with one sink."""
        if not drivers:
            return 0
        instance = drivers[0][0]
        stronger = self._choice.stronger(self._database.netlist.cells[instance])
        if stronger and self.exchange(instance, stronger[-1].name):
            self.resized.add(instance)
            return 1
        return 0

    # -- setup

    def keep_setup(self) -> None:
        """Stronger cells on paths that miss setup, round by round as long as it helps, fewer at a time in the end."""
        margin = self._job.timing["setup_margin"]
        slacks, paths = self.analyse(), MOST_PATHS
        for turn in range(SETUP_ROUNDS.get(self._job.effort, MOST_SETUP_ROUNDS)):
            if slacks.setup.worst >= margin:
                return
            changes = sizes_for_setup(slacks, self._choice, slacks.setup.ends[:paths], margin, self._clock_nets)
            before = {i: self._database.netlist.cells[i] for i in changes}
            done = {i for i, cell in changes.items() if self.exchange(i, cell)}
            if not done:
                return
            after = self.analyse()
            better = _score(after) > _score(slacks)
            print(
                f"Sizing for setup, round {turn + 1}: {len(done)} cells, worst slack {slacks.setup.worst:.3f} -> "
                f"{after.setup.worst:.3f} ns, total {slacks.setup.total_negative:.3f} -> "
                f"{after.setup.total_negative:.3f} ns{'' if better else ': taken back'}."
            )
            if better:
                self.resized |= done
                slacks = after
                continue
            for instance in done:
                self.exchange(instance, before[instance])
            if paths == 1:
                return
            paths = max(1, paths // 8)


def _score(slacks: Slacks) -> tuple[float, float]:
    return round(slacks.setup.worst, 6), round(slacks.setup.total_negative, 6)


def repair(job: Job) -> Metrics:
    """Repair the placed design, then make the placement legal again. Wire length in um, area in um2."""
    technology = Technology.of(job)
    database = Database.load_placed(job.given("database"))
    placer = placer_of(job, technology, database)
    work = Repair(job, technology, database)
    left = work.keep_limits()
    if job.timing["sizing"]:
        work.keep_setup()
    strengths: dict[str, int] = defaultdict(int)
    for instance in work.resized:
        strengths[database.netlist.cells[instance]] += 1
    shown = ", ".join(f"{n} {cell}" for cell, n in sorted(strengths.items()))
    print(f"Design repair: {len(work.resized)} cells of another strength{f' ({shown})' if shown else ''}, "
          f"{work.buffers} buffers; {left} nets over their limits of slew or load.")  # fmt: skip
    if sentence := work.room.sentence():
        print(sentence)
    length = settle(placer, "Placement after repair", changed=bool(work.resized or work.buffers))
    return {
        **write_views(job, technology, database, length),
        "design__instance__count__class:timing_repair_buffer": work.buffers,
        "design__instance__count__resized": len(work.resized),
    }


if __name__ == "__main__":
    run(repair)
