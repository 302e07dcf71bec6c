"""Express.HoldRepair: delay before the data pins that hold asks it for, in every corner.

    python -m a6hub_jupyter.express.holdrepair job.json

Buffers and delay cells of the library go in front of single pins; never more than the pin's setup slack has room for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from a6hub_jupyter.express.buffering import TreeBuilder
from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.room import Room
from a6hub_jupyter.express.settling import placer_of, settle, write_views
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.timing.analysis import EARLY, LATE
from a6hub_jupyter.express.timing.drives import Choice, response
from a6hub_jupyter.express.timing.pinmap import PinMap
from a6hub_jupyter.express.timing.timer import timers

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.timing.cells import Cell
    from a6hub_jupyter.express.timing.slacks import Slacks
    from a6hub_jupyter.express.timing.wires import RcTree

ROUNDS = 4


def _delay(slacks: Slacks, mode: int, cell: str, pin: int) -> float:
    """What a cell in front of a pin would take, ns, derated; the least or the most of both transitions."""
    analysis = slacks.analysis
    graph = analysis.graph
    instance, name = graph.pins[pin]
    library = graph.library
    derate = analysis.constraints.derate * (1 if mode == LATE else -1)
    found = []
    for arc in library[cell].outputs()[0].arcs:
        for transition in (0, 1):
            load = library[graph.netlist.cells[instance]].pins[name].capacitance[transition]
            slew = float(analysis.slew[mode, 2 * pin + transition])
            answer = response(arc, transition, slew if math.isfinite(slew) else 0.0, load)
            if answer is not None:
                found.append(answer[0] * (1 + derate))
    return (max(found) if mode == LATE else min(found)) if found else 0.0


class HoldRepair:
    """One design under repair, in all corners."""

    def __init__(self, job: Job, technology: Technology, database: Database) -> None:
        self._settings = job.timing
        self._database = database
        self._macros = technology.lef.macros
        self._timers = timers(job.timing, technology)
        choice = Choice(self._timers[0].library, self._macros, job.timing["excluded"])
        self._delays = [c for c in choice.delays() if all(c.name in t.library for t in self._timers)]
        self._builder = TreeBuilder(database, self._macros)
        self.room = Room(database, self._macros)
        self._most = int(job.timing["hold_buffer_share"] * len(database.netlist.cells))
        self.added = 0

    def analyse(self) -> list[Slacks]:
        """Timing in each corner, as the placement has it."""
        pins = PinMap(self._database, self._macros)
        trees: dict[tuple[tuple[float, float], float], list[RcTree]] = {}
        for timer in self._timers:
            if timer.wire_values not in trees:
                trees[timer.wire_values] = timer.placed(pins)
        return [timer.analyse(self._database, trees[timer.wire_values]) for timer in self._timers]

    def run(self) -> list[Slacks]:
        """Round by round, until hold is kept or nothing more can be done. Returns the last analysis."""
        for turn in range(ROUNDS):
            corners = self.analyse()
            worst = min(slacks.hold.worst for slacks in corners)
            needy = self._needy(corners)
            if not needy:
                return corners
            before = self.added
            for terminal, needs, room in needy:
                self._insert(corners, terminal, needs, room)
            print(
                f"Hold repair, round {turn + 1}: worst slack {worst:.3f} ns, {len(needy)} pins short of "
                f"{self._settings['hold_margin']:g} ns, {self.added - before} cells added."
            )
            if self.added == before:
                return corners
        return self.analyse()

    def _needy(self, corners: list[Slacks]) -> list[tuple[tuple[str, str], list[float], list[float]]]:
        """Data pins short of hold: what each needs in each corner, and the setup slack that it has there, ns."""
        margin = self._settings["hold_margin"]
        hold = [{s.analysis.graph.pins[e.node >> 1]: e.slack for e in s.hold.ends if e.kind == "hold"} for s in corners]
        setup = [{s.analysis.graph.pins[e.node >> 1]: e.slack for e in s.setup.ends} for s in corners]
        short = sorted({pin for at in hold for pin, slack in at.items() if slack < margin})
        return [
            (
                pin,
                [margin - at.get(pin, math.inf) for at in hold],
                [at.get(pin, math.inf) - self._settings["setup_margin"] for at in setup],
            )
            for pin in short
        ]

    def _insert(self, corners: list[Slacks], terminal: tuple[str, str], needs: list[float], room: list[float]) -> None:
        """The smallest cell in front of a pin that is enough in all corners; else the one that helps most."""
        best: Cell | None = None
        missing = math.inf
        for cell in self._delays:
            short = 0.0
            for slacks, need, most in zip(corners, needs, room, strict=True):
                pin = slacks.analysis.graph.index[terminal]
                if _delay(slacks, LATE, cell.name, pin) > most:
                    short = math.inf
                    break
                short = max(short, need - _delay(slacks, EARLY, cell.name, pin))
            if short < missing:
                best, missing = cell, short
            if missing <= 0:
                break
        if best is None or self.added >= self._most or not self.room.take(self._macros[best.name].width):
            return
        instance, name = terminal
        net = corners[0].analysis.graph.net_of[corners[0].analysis.graph.index[terminal]]
        sink = self._builder.sink(instance, name)
        front = self._builder.add_buffer(f"hold_{self.added}", best.name, [sink])
        nets = self._database.netlist.nets
        nets[net] = [(front.instance, front.pin) if end == terminal else end for end in nets[net]]
        self.added += 1


def repair(job: Job) -> Metrics:
    """Repair hold, then make the placement legal again. Wire length in um, area in um2."""
    technology = Technology.of(job)
    database = Database.load_placed(job.given("database"))
    placer = placer_of(job, technology, database)
    work = HoldRepair(job, technology, database)
    corners = work.run()
    worst_hold = min(slacks.hold.worst for slacks in corners)
    worst_setup = min(slacks.setup.worst for slacks in corners)
    if math.isinf(worst_hold):
        print("Hold repair: no path is checked for hold.")
    else:
        print(f"Hold repair: {work.added} cells; worst slack {worst_hold:.3f} ns, of setup {worst_setup:.3f} ns.")
    if sentence := work.room.sentence():
        print(sentence)
    length = settle(placer, "Placement after hold repair", changed=work.added > 0)
    return {
        **write_views(job, technology, database, length),
        "design__instance__count__hold_buffer": work.added,
    }


if __name__ == "__main__":
    run(repair)
