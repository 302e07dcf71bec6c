"""Placement by coloquinte (global placement, legalisation, detailed placement).

coloquinte counts in whole units (10 nm here), knows rows but no sites, and wants pins as offsets into cells;
all ports hang on one fixed cell without extent. Source: github.com/Coloquinte/PlaceRoute, Python module.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import coloquinte
import numpy as np

from a6hub_jupyter.express import rows
from a6hub_jupyter.express.buffering import pin_center
from a6hub_jupyter.express.crowding import room_for
from a6hub_jupyter.express.packing import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path
    from typing import Any

    from a6hub_jupyter.express.crowding import Crowding
    from a6hub_jupyter.express.database import Database
    from a6hub_jupyter.express.lefcells import Macro

    Array = np.ndarray[Any, Any]

UNIT = 10
"""nm per unit of coloquinte."""
ROUNDS_SHOWN = 20
"""A line on the console for so many rounds of global placement."""
FULLEST = 0.9
"""How full the rows look to coloquinte at most, when it is told to leave room between the cells."""


class Placer:
    """Places the components of a database in place."""

    def __init__(self, database: Database, macros: Mapping[str, Macro], effort: int, log: Path) -> None:
        self._database = database
        self._macros = macros
        self._effort = effort
        self._log = log

    @contextlib.contextmanager
    def _own_words_to_log(self) -> Iterator[Callable[[str], None]]:
        """Coloquinte prints from C++; keep that in a file of its own. Yields what prints on the console meanwhile."""
        sys.stdout.flush()
        kept = os.dup(1)

        def say(text: str) -> None:
            if sys.stdout is sys.__stdout__:
                os.write(kept, f"{text}\n".encode())
            else:
                print(text)

        with self._log.open("ab") as log:
            os.dup2(log.fileno(), 1)
        try:
            yield say
        finally:
            os.dup2(kept, 1)
            os.close(kept)

    def _circuit(self, left_out: AbstractSet[str]) -> coloquinte.Circuit:
        database = self._database
        movable = database.components
        still = [*database.blocks, *database.taps]
        everything = [*movable, *still]
        index = {c.name: k for k, c in enumerate(everything)}
        ports = len(everything)
        circuit = coloquinte.Circuit(ports + 1)
        circuit.cell_width = [self._macros[c.cell].width // UNIT for c in everything] + [0]
        circuit.cell_height = [self._macros[c.cell].height // UNIT for c in everything] + [0]
        circuit.cell_is_fixed = [False] * len(movable) + [True] * (len(still) + 1)
        circuit.cell_is_obstruction = [True] * ports + [False]
        circuit.cell_x = [c.x // UNIT for c in everything] + [0]
        circuit.cell_y = [c.y // UNIT for c in everything] + [0]
        on_edge: dict[str, list[tuple[int, int]]] = {}
        for port in database.ports:
            on_edge.setdefault(port.net, []).append(port.point(database.width, database.height))
        for net, pins in database.netlist.nets.items():
            if net in left_out:
                continue
            ends = [(index[i], *pin_center(self._macros[everything[index[i]].cell], p)) for i, p in pins]
            ends += [(ports, x, y) for x, y in on_edge.get(net, ())]
            if len(ends) > 1:
                circuit.add_net([k for k, _, _ in ends], [x // UNIT for _, x, _ in ends], [y // UNIT for *_, y in ends])
        height = database.row_height // UNIT
        circuit.rows = [
            coloquinte.Row(
                coloquinte.Rectangle(left // UNIT, right // UNIT, r * height, (r + 1) * height),
                coloquinte.CellOrientation.N if r % 2 == 0 else coloquinte.CellOrientation.FS,
            )
            for r in range(database.row_count)
            for left, right in database.spans(r)
        ]
        return circuit

    def _take(self, circuit: coloquinte.Circuit) -> None:
        for component, x, y in zip(self._database.components, circuit.cell_x, circuit.cell_y, strict=False):
            component.x, component.y = x * UNIT, y * UNIT

    def _fullness(self) -> float:
        """The part of the rows that the cells take."""
        database, macros = self._database, self._macros
        room = database.room()
        taken = sum(macros[c.cell].width * macros[c.cell].height for c in database.components)
        fixed = sum(macros[c.cell].width * macros[c.cell].height for c in database.taps)
        return taken / max(room - fixed, 1)

    def _make_room(self, circuit: coloquinte.Circuit, density: float, crowding: Crowding | None) -> None:
        """Make each cell as wide as the room it is to have: how coloquinte is told to leave some between them."""
        fullness = self._fullness()
        looks = min(fullness / density, FULLEST)
        if crowding is None or fullness >= looks:
            circuit.expand_cells_to_density(looks, 0.0)
            return
        cells = self._database.components
        widths = np.array(circuit.cell_width)
        usage = crowding.at(np.array([c.x for c in cells]), np.array([c.y for c in cells]))
        widths[: len(cells)] = room_for(widths[: len(cells)], usage, looks / fullness)
        circuit.cell_width = widths.tolist()

    def spread(self, density: float, left_out: AbstractSet[str], crowding: Crowding | None = None) -> float:
        """Global placement. Nets in `left_out` do not pull. Returns the half-perimeter wire length, um.

        `crowding`: of the placement so far; cells get more room where it is high.
        """
        circuit = self._circuit(left_out)
        widths = circuit.cell_width
        self._make_room(circuit, density, crowding)
        rounds = 0

        with self._own_words_to_log() as say:

            def each(step: coloquinte.PlacementStep) -> None:
                nonlocal rounds
                if step == coloquinte.PlacementStep.UpperBound:
                    rounds += 1
                    if rounds % ROUNDS_SHOWN == 0:
                        length = circuit.hpwl() * UNIT / 1000
                        say(f"Global placement, round {rounds}: half-perimeter wire length {length:.0f} um.")

            circuit.place_global(self._effort, each)
        circuit.cell_width = widths
        self._take(circuit)
        return float(circuit.hpwl() * UNIT / 1000)

    def settle(self) -> float:
        """Legal rows, local improvement, then sites. Returns the half-perimeter wire length, um."""
        circuit = self._circuit(frozenset())
        with self._own_words_to_log():
            try:
                circuit.legalize(self._effort)
            except RuntimeError:
                pack(self._database, self._macros)
                circuit = self._circuit(frozenset())
            circuit.place_detailed(self._effort)
        self._take(circuit)
        rows.snap(self._database, self._macros)
        return self.half_perimeter()

    def half_perimeter(self) -> float:
        """Sum over all nets of half the perimeter around their pins and ports, um."""
        boxes = self.boxes(frozenset())
        return int((boxes[:, 2:4] - boxes[:, :2]).sum()) / 1000

    def boxes(self, left_out: AbstractSet[str]) -> Array:
        """(n, 5): the box around the pins and ports of each net (x low, y low, x high, y high; nm), and how many."""
        database, found = self._database, []
        place = {c.name: c for c in database.cells()}
        on_edge: dict[str, list[tuple[int, int]]] = {}
        for port in database.ports:
            on_edge.setdefault(port.net, []).append(port.point(database.width, database.height))
        for net, pins in database.netlist.nets.items():
            points = list(on_edge.get(net, ()))
            for instance, pin in pins:
                component = place[instance]
                macro = self._macros[component.cell]
                x, y = pin_center(macro, pin)
                points.append(
                    (component.x + x, component.y + (macro.height - y if component.orientation == "FS" else y))
                )
            if len(points) > 1 and net not in left_out:
                xs, ys = [x for x, _ in points], [y for _, y in points]
                found.append((min(xs), min(ys), max(xs), max(ys), len(points)))
        return np.array(found, np.int64).reshape(-1, 5)
