"""Express.LVS: the final GDS must connect what the netlist connects, and nothing else.

    python -m a6hub_jupyter.express.layoutcheck job.json

What is compared: the Verilog netlist of the state, read anew, and the metal of the GDS, cells included.
The DEF says which placed cell is which instance; that each is where it says, and is the cell the netlist
names, is checked as well, so the DEF is a witness and need not be trusted. That the cells in the GDS are those
of the library is checked shape by shape. Of hard macros only the pins are looked at, and that no wire touches
their other metal. Power is compared like any net, and its findings are counted once more on their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import klayout.db as kdb

from a6hub_jupyter.express import layermap, verilog
from a6hub_jupyter.express.cellcontents import changed_cells
from a6hub_jupyter.express.connectivity import Connectivity, internal_points
from a6hub_jupyter.express.designrulecheck import read_layout, used_layers
from a6hub_jupyter.express.geometry import oriented
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.macrometal import WiresOverMacros
from a6hub_jupyter.express.powercrossings import Crossing, crossings
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.technology import Technology

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.lefcells import Macro

COMPONENT = re.compile(r"^\s*-\s+(\S+)\s+(\S+).*?\+\s+(?:PLACED|FIXED)\s+\(\s*(\d+)\s+(\d+)\s*\)\s+(\w+)", re.M)
SHOWN = 40
SHOWN_PINS = 4


@dataclass(frozen=True)
class Placed:
    """A component of the DEF: cell, lower left corner in nm, orientation."""

    cell: str
    x: int
    y: int
    orientation: str


@dataclass
class Findings:
    """Differences between layout and netlist, one sentence each."""

    instances: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    opens: list[str] = field(default_factory=list)
    shorts: list[str] = field(default_factory=list)
    crossings: list[str] = field(default_factory=list)
    power: dict[str, int] = field(default_factory=dict)
    """How many findings concern each power net; they are among the others as well."""

    def all(self) -> list[str]:
        """Every finding."""
        return [*self.instances, *self.ports, *self.opens, *self.shorts, *self.crossings]


def read_components(path: str) -> dict[str, Placed]:
    """The COMPONENTS of a DEF whose database unit is 1 nm."""
    text = Path(path).read_text()
    section = text[text.find("\nCOMPONENTS") : text.find("\nEND COMPONENTS")]
    return {m[1].replace("\\", ""): Placed(m[2], int(m[3]), int(m[4]), m[5]) for m in COMPONENT.finditer(section)}


class LayoutCheck:
    """Compares one layout with one netlist; everything found is in `findings`."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._technology = Technology.of(job)
        self._macros = self._technology.lef.macros
        self._netlist = verilog.read(job.given("netlist"), job.top, self._macros.bits)
        self._components = read_components(job.given("placement"))
        self._layout, self._top = read_layout(job.given("layout"), job.top)
        self._nm = self._layout.dbu * 1000
        self._layers = used_layers(job, self._technology, self._layout, self._top)
        self._connectivity = Connectivity(self._layout, self._top, self._layers)
        self.findings = Findings(power={job.power_net: 0, job.ground_net: 0})

    def run(self) -> Findings:
        """All comparisons, in the order in which they build on each other."""
        self._compare_instances()
        wanted = self._probe_pins()
        self._probe_ports(wanted)
        inner = self._probe_inner_metal()
        crossed = self._probe_crossings()
        self._connectivity.extract()
        owner = self._compare_nets(wanted, inner)
        self._compare_crossings(crossed, owner)
        self._compare_macro_metal()
        return self.findings

    # -- instances

    def _compare_instances(self) -> None:
        """The netlist's instances, the DEF's components and the cells of the GDS must be the same."""
        found = self.findings.instances
        for name, cell in self._netlist.cells.items():
            placed = self._components.get(name)
            if placed is None:
                found.append(f"The instance {name} ({cell}) is not placed.")
            elif placed.cell != cell:
                found.append(f"The instance {name} is {cell} in the netlist but {placed.cell} in the layout.")
        for name, placed in self._components.items():
            macro = self._macros.get(placed.cell)
            if name not in self._netlist.cells and not (macro and macro.is_physical_only):
                found.append(f"The layout has {name} ({placed.cell}), which is not in the netlist.")
        there = self._cells_in_layout()
        for name, placed in self._components.items():
            key = (placed.cell, str(self._transformation(placed)))
            if there.get(key, 0) == 0:
                found.append(f"The layout has no {placed.cell} where {name} should be.")
            else:
                there[key] -= 1
        for (cell, place), count in there.items():
            if count:
                found.append(f"The layout has {count} unexpected {cell} at {place}.")
        used = {placed.cell for placed in self._components.values()}
        changed, unknown = changed_cells(self._layout, used, self._job.cell_layouts)
        found += [f"The cell {cell} in the layout is not that of the library." for cell in changed]
        if unknown:
            print(f"No library GDS to compare with: {', '.join(unknown)}.")

    def _transformation(self, placed: Placed) -> kdb.Trans:
        macro = self._macros[placed.cell]
        x, y = round(placed.x / self._nm), round(placed.y / self._nm)
        width, height = round(macro.width / self._nm), round(macro.height / self._nm)
        by_orientation = {
            "N": kdb.Trans(kdb.Trans.R0, x, y),
            "S": kdb.Trans(kdb.Trans.R180, x + width, y + height),
            "FN": kdb.Trans(kdb.Trans.M90, x + width, y),
            "FS": kdb.Trans(kdb.Trans.M0, x, y + height),
        }
        if placed.orientation not in by_orientation:
            raise ProblemError(f"The orientation {placed.orientation} in the DEF is not supported by Express.")
        return by_orientation[placed.orientation] * kdb.Trans(*(round(-v / self._nm) for v in macro.corner))

    def _cells_in_layout(self) -> dict[tuple[str, str], int]:
        """How often each (library cell, transformation) is in the top cell."""
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for instance in self._top.each_inst():
            if instance.cell.name not in self._macros:
                continue
            for i in range(max(1, instance.na)):
                for j in range(max(1, instance.nb)):
                    shift = kdb.Trans(instance.a * i + instance.b * j)
                    counts[instance.cell.name, str(shift * instance.trans)] += 1
        return counts

    # -- probes

    def _probe_pins(self) -> dict[str, list[tuple[str, list[int]]]]:
        """Per net of the netlist, and for power and ground: (pin, probes on its metal).

        Unconnected signal pins are nets of their own.
        """
        net_of = self._netlist.net_of()
        wanted: dict[str, list[tuple[str, list[int]]]] = defaultdict(list)
        for name, placed in self._components.items():
            macro = self._macros[placed.cell]
            for pin_name, pin in macro.pins.items():
                probes = self._pin_probes(placed, macro, pin_name)
                label = f"{name}/{pin_name}"
                if pin.is_signal:
                    if name in self._netlist.cells:
                        wanted[net_of.get((name, pin_name), f"the unconnected pin {label}")].append((label, probes))
                elif probes and (pin_name in self._job.power_pins or (macro.is_block and pin.use == "POWER")):
                    wanted[self._job.power_net].append((label, probes))
                elif probes and (pin_name in self._job.ground_pins or (macro.is_block and pin.use == "GROUND")):
                    wanted[self._job.ground_net].append((label, probes))
        return wanted

    def _pin_probes(self, placed: Placed, macro: Macro, pin: str) -> list[int]:
        probes = []
        for layer, box in macro.pins[pin].shapes:
            if layer in self._connectivity.metals:
                x, y = oriented(box, macro.width, macro.height, placed.orientation).center
                probes.append(self._probe(layer, placed.x + x, placed.y + y))
        return probes

    def _probe(self, layer: str, x: int, y: int) -> int:
        return self._connectivity.probe(layer, round(x / self._nm), round(y / self._nm))

    def _probe_ports(self, wanted: dict[str, list[tuple[str, list[int]]]]) -> None:
        """Ports are where the layout has their names as texts."""
        net_of = {p.name: p.net for p in self._netlist.ports if p.net not in verilog.CONSTANTS}
        net_of |= {net: net for net in (self._job.power_net, self._job.ground_net)}
        seen = set()
        for metal, gds_layer in layermap.label_layers(self._job.layer_map).items():
            if metal not in self._layers:
                continue
            for shape in self._top.shapes(self._layout.layer(*gds_layer)).each():
                if not shape.is_text():
                    continue
                text = shape.text
                if text.string not in net_of:
                    self.findings.ports.append(f"The layout has a port {text.string}, which the netlist has not.")
                    continue
                seen.add(text.string)
                probe = self._connectivity.probe(metal, text.x, text.y)
                wanted[net_of[text.string]].append((f"port {text.string}", [probe]))
        missing = [name for name in net_of if name not in seen]
        self.findings.ports += [f"The port {name} has no name in the layout." for name in missing]

    def _probe_inner_metal(self) -> list[tuple[str, int, int]]:
        """Metal within cells that belongs to no pin: (instance, piece, probe). Nothing outside may touch it."""
        inner = []
        points = {
            cell: internal_points(self._layout, self._layout.cell(cell), self._layers, self._macros[cell])
            for cell in sorted({p.cell for p in self._components.values()})
            if self._layout.cell(cell) is not None and not self._macros[cell].is_block
        }
        for name, placed in self._components.items():
            transformation = self._transformation(placed)
            for layer, point, piece in points.get(placed.cell, ()):
                at = transformation * point
                inner.append((name, piece, self._connectivity.probe(layer, at.x, at.y)))
        return inner

    def _probe_crossings(self) -> list[tuple[Crossing, int, int]]:
        """Crossings of power wires with a probe on each of the two."""
        job = self._job
        power_layers = [(job.rail_layer, job.rail_width), (job.strap_layer, job.strap_width)]
        power_layers += [(job.bar_layer, job.bar_width)] if job.bar_layer else []
        widths = [(layer, round(width / self._nm)) for layer, width in power_layers]
        probed = []
        for crossing in crossings(self._top, self._layers, widths):
            x, y = crossing.box.center().x, crossing.box.center().y
            probe = self._connectivity.probe
            probed.append((crossing, probe(crossing.lower, x, y), probe(crossing.upper, x, y)))
        return probed

    # -- nets

    def _compare_nets(
        self, wanted: dict[str, list[tuple[str, list[int]]]], inner: list[tuple[str, int, int]]
    ) -> dict[int, str]:
        """Opens and shorts; returns the net of each node."""
        found = self._connectivity
        for pins in wanted.values():  # the pieces of one pin are joined within the cell
            for _, probes in pins:
                found.join(probes)
        owner: dict[int, str] = {}
        for net, pins in wanted.items():
            pieces: dict[int, list[str]] = defaultdict(list)
            for label, probes in pins:
                nodes = {found.node(p) for p in probes} - {None}
                for node in nodes:
                    pieces[node or 0].append(label)
                if not nodes:
                    self.findings.opens.append(f"Net {net}: the layout has no metal at {label}.")
                    self._count_power(net)
            if len(pieces) > 1:
                self._count_power(net, len(pieces) - 1)
                listed = " | ".join(", ".join(labels[:SHOWN_PINS]) for labels in pieces.values())
                self.findings.opens.append(f"Net {net} is in {len(pieces)} pieces: {listed}.")
            for node in pieces:
                if node in owner:
                    self.findings.shorts.append(f"The nets {owner[node]} and {net} are connected.")
                    self._count_power(net)
                    self._count_power(owner[node])
                owner.setdefault(node, net)
        piece_at: dict[int, tuple[str, int]] = {}
        for name, piece, probe in inner:
            node = found.node(probe)
            if node is None:
                self.findings.opens.append(f"The layout lacks metal inside the cell {name}.")
            elif node in owner:
                self.findings.shorts.append(f"The net {owner[node]} touches metal inside the cell {name}.")
            elif piece_at.setdefault(node, (name, piece)) != (name, piece):
                other = piece_at[node][0]
                self.findings.shorts.append(f"Metal inside the cell {name} is connected to other metal inside {other}.")
        return owner

    def _count_power(self, net: str, count: int = 1) -> None:
        if net in self.findings.power:
            self.findings.power[net] += count

    def _compare_crossings(self, crossed: list[tuple[Crossing, int, int]], owner: dict[int, str]) -> None:
        """Power wires of one net that cross need cuts on each layer between them."""
        for crossing, lower, upper in crossed:
            nodes = self._connectivity.node(lower), self._connectivity.node(upper)
            nets = {owner.get(node) for node in nodes if node is not None}
            net = next(iter(nets)) if len(nets) == 1 else None
            if net in self.findings.power and crossing.lacking:
                x, y = (v * self._nm / 1000 for v in (crossing.box.center().x, crossing.box.center().y))
                self.findings.crossings.append(
                    f"Net {net}: {crossing.lower} and {crossing.upper} cross at ({x:.3f}, {y:.3f}) um "
                    f"without {', '.join(crossing.lacking)}."
                )
                self._count_power(str(net))

    def _compare_macro_metal(self) -> None:
        """Metal of hard macros that is no pin must not be touched from outside."""
        wires = WiresOverMacros(self._top, self._layers, self._macros, self._nm)
        for name, placed in self._components.items():
            if self._macros[placed.cell].is_block and self._layout.cell(placed.cell) is not None:
                for layer, at in wires.touching(self._macros[placed.cell], self._transformation(placed)):
                    x, y = (v * self._nm / 1000 for v in (at.x, at.y))
                    self.findings.shorts.append(
                        f"A wire on {layer} touches metal inside the macro {name} at ({x:.3f}, {y:.3f}) um."
                    )


def compare(job: Job) -> Metrics:
    """Compare, print the findings, and count them."""
    check = LayoutCheck(job)
    findings = check.run()
    for sentence in findings.all()[:SHOWN]:
        print(sentence)
    job.output("lvs.rpt").write_text("".join(f"{sentence}\n" for sentence in findings.all()))
    print(
        f"Layout against netlist: {len(findings.opens)} opens, {len(findings.shorts)} shorts, "
        f"{len(findings.instances)} instance and {len(findings.ports)} port differences."
    )
    print("".join(f"Power net {net}: {count} violations. " for net, count in findings.power.items()).rstrip())
    by_net = {f"design__power_grid_violation__count__net:{net}": count for net, count in findings.power.items()}
    return {
        "design__power_grid_violation__count": sum(findings.power.values()),
        **by_net,
        "design__lvs_error__count": len(findings.all()),
        "design__lvs_net_difference__count": len(findings.opens) + len(findings.shorts),
        "design__lvs_unmatched_net__count": len(findings.opens),
        "design__lvs_unmatched_device__count": len(findings.instances),
        "design__lvs_unmatched_pin__count": len(findings.ports),
    }


if __name__ == "__main__":
    run(compare)
