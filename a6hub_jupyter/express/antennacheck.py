"""Express.AntennaCheck: the antenna rules of the technology LEF on the final GDS, after what the router did.

    python -m a6hub_jupyter.express.antennacheck job.json

The layers are laid down one after the other; on each, all metal that is connected so far is weighed against the gates
and diffusions of the pins (ANTENNAGATEAREA and ANTENNADIFFAREA of the LEF) that it reaches.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import klayout.db as kdb

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
        for name, cell in placed.items():
            macro = self._macros[cell.cell]
            for pin_name, pin in macro.pins.items():
                net = net_of.get((name, pin_name))
                junction = junction_area(cell.cell, pin)
                if net is None or not (pin.gate_area or junction):
                    continue
                pieces = []
                for layer, box in pin.shapes:
                    if layer in self._metal.of_layer:
                        x, y = oriented(box, macro.width, macro.height, cell.orientation).center
                        point = kdb.Point(round((cell.x + x) / self._nm), round((cell.y + y) / self._nm))
                        piece = self._metal.at(layer, point)
                        if piece is not None:
                            pieces.append(piece)
                for piece in pieces[1:]:
                    self._groups.join(pieces[0], piece)
                if pieces:
                    yield PlacedPin(net, f"{name}/{pin_name}", pin.gate_area, junction, pieces[0])

    def violations(self) -> Iterator[AntennaViolation]:
        """Layer by layer, bottom up."""
        metal, groups = self._metal, self._groups
        so_far: dict[tuple[str, str, bool], float] = defaultdict(float)
        for layer in self._layers:
            if layer not in metal.of_layer:
                continue
            area: dict[int, float] = defaultdict(float)
            side: dict[int, float] = defaultdict(float)
            numbers, rules = metal.of_layer[layer], self._rules[layer]
            for number in numbers:  # a cut joins what it stands on and what will stand on it
                for joined in metal.pieces[number].joins:
                    groups.join(number, joined)
            for number in numbers:
                root, piece = groups.root(number), metal.pieces[number]
                area[root] += piece.area * rules.area_factor
                side[root] += piece.perimeter * rules.thickness * rules.side_area_factor
            gates: dict[int, float] = defaultdict(float)
            diffusions: dict[int, float] = defaultdict(float)
            roots = [groups.root(pin.piece) for pin in self._pins]
            for pin, root in zip(self._pins, roots, strict=True):
                gates[root] += pin.gate
                diffusions[root] += pin.diffusion
            is_cut = bool(self._layers.index(layer) % 2)  # metals and cuts add up apart from each other
            found: list[tuple[int, AntennaViolation]] = []
            for pin, root in zip(self._pins, roots, strict=True):
                gate = gates[root] + rules.diffusion_as_gate * diffusions[root]
                if not pin.gate or not gate:
                    continue
                ratio, side_ratio = area[root] / gate, side[root] / gate
                area_key, side_key = (pin.label, "area", is_cut), (pin.label, "side", is_cut)
                so_far[area_key] += ratio
                so_far[side_key] += side_ratio
                checks = (
                    ("area", rules.area, ratio),
                    ("side area", rules.side_area, side_ratio),
                    ("cumulative area", rules.cumulative_area, so_far[area_key]),
                    ("cumulative side area", rules.cumulative_side_area, so_far[side_key]),
                )
                found += [(root, violation) for violation in self._judge(pin, layer, diffusions[root], checks)]
            metal_of = self._connected(layer, {root for root, _ in found})
            yield from (replace(violation, metal=tuple(metal_of[root])) for root, violation in found)

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
        pin: PlacedPin, layer: str, diffusion: float, checks: tuple[tuple[str, Limit, float], ...]
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
