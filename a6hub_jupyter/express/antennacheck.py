"""Express.AntennaCheck: the antenna rules of the technology LEF on the final GDS, after what the router did.

    python -m a6hub_jupyter.express.antennacheck job.json

The layers are laid down one after the other; on each, all metal that is connected so far is weighed against the gates
and diffusions of the pins (ANTENNAGATEAREA and ANTENNADIFFAREA of the LEF) that it reaches.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import klayout.db as kdb
import numpy as np

from a6hub_jupyter.express import verilog
from a6hub_jupyter.express.antennarules import AntennaRules, Limit, junction_area
from a6hub_jupyter.express.designrulecheck import read_layout, used_layers
from a6hub_jupyter.express.geometry import Box, oriented
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.layoutcheck import read_components
from a6hub_jupyter.express.metalpieces import Groups, MetalPieces
from a6hub_jupyter.express.technology import Technology

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.database import Component
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.layoutcheck import Placed
    from a6hub_jupyter.express.verilog import Netlist

    Array = np.ndarray[Any, Any]

SHOWN = 20
REPORT_FILE = "antenna_summary.rpt"


@dataclass(frozen=True)
class AntennaViolation:
    """A pin whose gate too much metal charges: `ratio` above `allowed`, `kind` of area, on a layer.

    `missing`: diffusion that would make it allowed, um2, beyond what there is; 0 where that is not known.
    `metal`: boxes, nm, around the pieces that the gate is connected to when the layer is made; a diode on them helps.
    """

    net: str
    pin: str
    layer: str
    kind: str
    ratio: float
    allowed: float
    missing: float = 0.0
    metal: tuple[Box, ...] = ()


@dataclass
class PlacedPin:
    """A pin that has a gate or a diffusion (um2), and a piece of metal that it is on."""

    net: str
    label: str
    gate: float
    diffusion: float
    piece: int


class AntennaCheck:
    """Follows the layers of one layout."""

    def __init__(
        self,
        technology: Technology,
        layout: kdb.Layout,
        top: kdb.Cell,
        layers: dict[str, int],
        netlist: Netlist,
        placed: Mapping[str, Component | Placed],
    ) -> None:
        """`layers`: metals and cuts, bottom up, with their index in the layout; `placed`: cells by name, in nm."""
        self._nm = layout.dbu * 1000
        self._macros = technology.lef.macros
        self._rules = {name: AntennaRules.of(technology.lef.layers[name]) for name in layers}
        self._layers = list(layers)
        self._metal = MetalPieces(layout, top, layers)
        self._groups = Groups(len(self._metal.pieces))
        self._pins = list(self._place(netlist, placed))

    @classmethod
    def of_layout(cls, job: Job) -> AntennaCheck:
        """The check of the layout, netlist and placement that a job names."""
        technology = Technology.of(job)
        layout, top = read_layout(job.given("layout"), job.top)
        layers = used_layers(job, technology, layout, top)
        netlist = verilog.read(job.given("netlist"), job.top, technology.lef.macros.bits)
        return cls(technology, layout, top, layers, netlist, read_components(job.given("placement")))

    @property
    def has_rules(self) -> bool:
        """Whether the technology has antenna rules at all."""
        limits = [
            limit
            for rules in self._rules.values()
            for limit in (rules.area, rules.side_area, rules.cumulative_area, rules.cumulative_side_area)
        ]
        return any(limit.plain is not None or limit.with_diffusion for limit in limits)

    def _place(self, netlist: Netlist, placed: Mapping[str, Component | Placed]) -> Iterator[PlacedPin]:
        """The pins on the metal; shapes of one pin are joined, as the cell does."""
        net_of = netlist.net_of()
        pins: list[tuple[str, str, float, float]] = []
        points: dict[str, list[tuple[int, int]]] = defaultdict(list)
        pins_at: dict[str, list[int]] = defaultdict(list)
        for name, cell in placed.items():
            macro = self._macros[cell.cell]
            for pin_name, pin in macro.pins.items():
                net = net_of.get((name, pin_name))
                junction = junction_area(cell.cell, pin)
                if net is None or not (pin.gate_area or junction):
                    continue
                for layer, box in pin.shapes:
                    if layer in self._metal.metals:
                        x, y = oriented(box, macro.width, macro.height, cell.orientation).center
                        points[layer].append((round((cell.x + x) / self._nm), round((cell.y + y) / self._nm)))
                        pins_at[layer].append(len(pins))
                pins.append((net, f"{name}/{pin_name}", pin.gate_area, junction))
        first: dict[int, int] = {}
        for layer, places in points.items():
            pieces = self._metal.at(layer, np.array(places, np.int64)).tolist()
            for number, piece in zip(pins_at[layer], pieces, strict=True):
                if piece >= 0:
                    self._groups.join(first.setdefault(number, piece), piece)
        for number, pin_here in enumerate(pins):
            if number in first:
                yield PlacedPin(*pin_here, first[number])

    def violations(self) -> Iterator[AntennaViolation]:
        """Layer by layer, bottom up."""
        metal, groups, count = self._metal, self._groups, len(self._metal.pieces)
        gate = np.array([pin.gate for pin in self._pins])
        diffusion = np.array([pin.diffusion for pin in self._pins])
        so_far: dict[tuple[str, bool], Array] = defaultdict(lambda: np.zeros(len(self._pins)))
        for layer in self._layers:
            if layer not in metal.of_layer:
                continue
            numbers, rules = metal.of_layer[layer], self._rules[layer]
            for number in numbers:  # a cut joins what it stands on and what will stand on it
                for joined in metal.pieces[number].joins:
                    groups.join(number, joined)
            grown = np.array([groups.root(number) for number in numbers], np.int64)
            roots = np.array([groups.root(pin.piece) for pin in self._pins], np.int64)
            area = [metal.pieces[number].area * rules.area_factor for number in numbers]
            side_factor = rules.thickness * rules.side_area_factor
            side = [metal.pieces[number].perimeter * side_factor for number in numbers]
            gates, diffusions = (np.bincount(roots, each, count)[roots] for each in (gate, diffusion))
            charged = gates + rules.diffusion_as_gate * diffusions
            is_charged = (gate > 0) & (charged > 0)
            is_cut = bool(self._layers.index(layer) % 2)  # metals and cuts add up apart from each other
            checks: list[tuple[str, Limit, Array]] = []
            for kind, of_kind, limit, cumulative in (
                ("area", area, rules.area, rules.cumulative_area),
                ("side area", side, rules.side_area, rules.cumulative_side_area),
            ):
                metal_here = np.bincount(grown, of_kind, count)[roots]
                ratio = np.divide(metal_here, charged, out=np.zeros(len(roots)), where=is_charged)
                so_far[kind, is_cut] += ratio
                checks += [(kind, limit, ratio), (f"cumulative {kind}", cumulative, so_far[kind, is_cut])]
            found: list[tuple[int, AntennaViolation]] = []
            for number in self._suspects(checks, is_charged):
                values = [(kind, limit, float(ratio[number])) for kind, limit, ratio in checks]
                pin, root = self._pins[number], int(roots[number])
                found += [(root, violation) for violation in self._judge(pin, layer, float(diffusions[number]), values)]
            metal_of = self._connected(layer, {root for root, _ in found})
            yield from (replace(violation, metal=tuple(metal_of[root])) for root, violation in found)

    @staticmethod
    def _suspects(checks: list[tuple[str, Limit, Array]], is_charged: Array) -> list[int]:
        """The pins with a ratio above the least that any limit allows: the few that are worth a closer look."""
        above = [is_charged & (ratio > limit.least()) for _, limit, ratio in checks]
        found: list[int] = np.flatnonzero(np.any(above, axis=0)).tolist()
        return found

    def _connected(self, layer: str, roots: set[int]) -> dict[int, list[Box]]:
        """The metal that is connected so far, up to a layer, for some of the groups."""
        boxes: dict[int, list[Box]] = {root: [] for root in roots}
        for name in self._layers[: self._layers.index(layer) + 1 : 2] if roots else ():
            for number in self._metal.of_layer.get(name, ()):
                root = self._groups.root(number)
                if root in boxes:
                    box = self._metal.pieces[number].box
                    corners = (box.left, box.bottom, box.right, box.top)
                    boxes[root].append(Box(*(round(v * self._nm) for v in corners)))
        return boxes

    @staticmethod
    def _judge(
        pin: PlacedPin, layer: str, diffusion: float, checks: list[tuple[str, Limit, float]]
    ) -> Iterator[AntennaViolation]:
        for kind, limit, ratio in checks:
            allowed = limit.allowed(diffusion)
            if allowed is not None and ratio > allowed * (1 + 1e-9):
                missing = max(limit.wanted(ratio) - diffusion, 0.0)
                yield AntennaViolation(pin.net, pin.label, layer, kind, ratio, allowed, missing)


def table(violations: list[AntennaViolation]) -> str:
    """The report, worst first, in the columns of LibreLane's antenna summary."""
    rows = [("Ratio / Allowed", "Ratio", "Allowed", "Kind", "Net", "Pin", "Layer")]
    for v in sorted(violations, key=lambda v: -v.ratio / v.allowed):
        numbers = f"{v.ratio / v.allowed:.2f}", f"{v.ratio:.2f}", f"{v.allowed:.2f}"
        rows.append((*numbers, v.kind, v.net, v.pin, v.layer))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "".join(" | ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)


def check(job: Job) -> Metrics:
    """Check, print the worst, and count."""
    antennas = AntennaCheck.of_layout(job)
    if not antennas.has_rules:
        print("The technology LEF has no antenna rules.")
    found = list(antennas.violations())
    text = table(found)
    job.output(REPORT_FILE).write_text(text)
    nets, pins = {v.net for v in found}, {v.pin for v in found}
    if found:
        print("\n".join(text.splitlines()[: SHOWN + 1]))
    print(f"Antenna rules: {len(pins)} pins of {len(nets)} nets violate them.")
    return {
        "antenna__violating__nets": len(nets),
        "antenna__violating__pins": len(pins),
        "route__antenna_violation__count": len(nets),
    }


if __name__ == "__main__":
    run(check)
