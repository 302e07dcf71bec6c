"""Express.WriteLEF: the LEF of the finished block, so that another design can use it as a hard macro.

    python -m a6hub_jupyter.express.lefwriter job.json

Pins are the metal of the ports at the edge and the power straps. On every layer that the block uses the rest is
obstructed as a whole, but for the strips along the edges that have ports: there the metal that is really there is
listed, so that wires reach the ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as kdb

from a6hub_jupyter.express.database import Database
from a6hub_jupyter.express.defwriter import port_layer
from a6hub_jupyter.express.designrulecheck import read_layout, used_layers
from a6hub_jupyter.express.drawing import port_box
from a6hub_jupyter.express.geometry import Box, Shape
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.technology import Technology

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from a6hub_jupyter.express.database import PlacedPort
    from a6hub_jupyter.express.job import Metrics

CLOCK_USE, SIGNAL_USE = "CLOCK", "SIGNAL"


def microns(length: int) -> str:
    """A length in nm as LEF writes it."""
    return f"{length / 1000:.3f}"


def _rectangles(shapes: Iterable[Shape]) -> Iterator[str]:
    """LAYER and RECT statements, by layer."""
    last = ""
    for layer, box in shapes:
        if layer != last:
            yield f"      LAYER {layer} ;"
            last = layer
        yield f"        RECT {' '.join(microns(v) for v in box)} ;"


class Abstract:
    """What the outside must know of a routed block."""

    def __init__(self, job: Job) -> None:
        self._job, self._technology = job, Technology.of(job)
        self._database = database = Database.load(job.given("database"))
        self._die = Box(0, 0, database.width, database.height)
        self._ports: dict[str, list[tuple[PlacedPort, Shape]]] = {}
        for port in database.ports:
            layer = port_layer(job, self._technology, port)
            box = port_box(layer, port, database.width, database.height)
            self._ports.setdefault(port.name, []).append((port, Shape(layer.name, box)))
        self._layout, self._top = read_layout(job.given("layout"), job.top)
        self._layers = used_layers(job, self._technology, self._layout, self._top)

    def _power(self, net: str) -> list[Shape]:
        grid, job = self._database.grid, self._job
        straps = [Shape(job.strap_layer, Box(s.left, s.bottom, s.right, s.top)) for s in grid.straps if s.net == net]
        bars = [Shape(job.bar_layer, Box(0, b.bottom, self._die.x2, b.top)) for b in grid.bars if b.net == net]
        return [*straps, *bars]

    def _antenna(self, net: str) -> Iterator[str]:
        """Gates and diffusions that a port leads to, um2."""
        macros, netlist = self._technology.lef.macros, self._database.netlist
        pins = [macros[netlist.cells[i]].pins[p] for i, p in netlist.nets.get(net, ())]
        for keyword, area in (
            ("ANTENNAGATEAREA", sum(pin.gate_area for pin in pins)),
            ("ANTENNADIFFAREA", sum(pin.diffusion_area for pin in pins)),
        ):
            if area:
                yield f"    {keyword} {area:.4f} ;"

    def lines(self) -> Iterator[str]:
        """The whole file."""
        job = self._job
        yield 'VERSION 5.8 ;\nBUSBITCHARS "[]" ;\nDIVIDERCHAR "/" ;'
        yield f"MACRO {job.top}\n  CLASS BLOCK ;\n  FOREIGN {job.top} 0 0 ;\n  ORIGIN 0 0 ;"
        yield f"  SIZE {microns(self._die.x2)} BY {microns(self._die.y2)} ;\n  SYMMETRY X Y ;"
        for name, placed in self._ports.items():
            port = placed[0][0]
            yield f"  PIN {name}\n    DIRECTION {port.direction} ;"
            yield f"    USE {CLOCK_USE if name in job.clock_ports else SIGNAL_USE} ;"
            yield from self._antenna(port.net)
            yield from self._port(shape for _, shape in placed)
            yield f"  END {name}"
        for net, use in ((job.power_net, "POWER"), (job.ground_net, "GROUND")):
            yield f"  PIN {net}\n    DIRECTION INOUT ;\n    USE {use} ;"
            for shape in self._power(net):
                yield from self._port([shape])
            yield f"  END {net}"
        yield "  OBS"
        for layer in self._layers:
            if self._technology.lef.layers[layer].kind == "ROUTING":
                yield from _rectangles(Shape(layer, box) for box in self._obstructions(layer))
        yield f"  END\nEND {job.top}\nEND LIBRARY"

    @staticmethod
    def _port(shapes: Iterable[Shape]) -> Iterator[str]:
        yield "    PORT"
        yield from _rectangles(shapes)
        yield "    END"

    def _metal_beyond(self, cover: kdb.Region, layer: str, nm: float) -> kdb.Region:
        """The metal of a layer that is not all under `cover` (nm); some that is may be there too."""
        metal, index = kdb.Region(), self._layers[layer]
        to_layout = kdb.ICplxTrans(1 / nm)
        everything = kdb.Region(self._top.bbox(index).enlarged(1, 1))
        for place in (everything - cover.transformed(to_layout)).decompose_trapezoids_to_region().each():
            metal.insert(self._top.begin_shapes_rec_touching(index, place.bbox()))
        return metal if nm == 1 else metal.transformed(kdb.ICplxTrans(nm))

    def _obstructions(self, layer: str) -> list[Box]:
        """All of the block but its pins and what keeps distance from them; metal as it is along edges with ports."""
        die, rules = self._die, self._technology.lef.layers[layer]
        nm = self._layout.dbu * 1000
        if self._top.bbox(self._layers[layer]).empty():
            return []
        own, strips = kdb.Region(), kdb.Region()
        widest = rules.spacing_for(min(die.width, die.height), long=True)
        for placed in self._ports.values():
            for port, (on, box) in placed:
                if on != layer:
                    continue
                own.insert(kdb.Box(*box))
                extension = self._technology.layers[self._technology.index(layer)].extension
                depth = (box.width if port.side in ("WEST", "EAST") else box.height) + widest + extension
                strips.insert(
                    {
                        "WEST": kdb.Box(0, 0, depth, die.y2),
                        "EAST": kdb.Box(die.x2 - depth, 0, die.x2, die.y2),
                        "SOUTH": kdb.Box(0, 0, die.x2, depth),
                        "NORTH": kdb.Box(0, die.y2 - depth, die.x2, die.y2),
                    }[port.side]
                )
        for net in (self._job.power_net, self._job.ground_net):
            for on, box in self._power(net):
                if on == layer:
                    own.insert(kdb.Box(*box))
        cover = kdb.Region(kdb.Box(*die)) - strips
        metal = self._metal_beyond(cover, layer, nm)
        near_pins = own.merged().sized(rules.spacing)
        found = (cover + metal).merged() - near_pins
        pieces = kdb.Region()
        for polygon in found.each():
            for part in polygon.decompose_trapezoids(kdb.Polygon.TD_htrapezoids):
                pieces.insert(part)
        return sorted(Box(b.left, b.bottom, b.right, b.top) for b in (p.bbox() for p in pieces.each()))


def write(job: Job) -> Metrics:
    """Write `<top>.lef` into the step directory."""
    lines = list(Abstract(job).lines())
    job.output(f"{job.top}.lef").write_text("\n".join(lines) + "\n")
    print(f"{job.top}.lef: the abstract of this block; give it as lef in MACROS, with the GDS and the netlist.")
    return {}


if __name__ == "__main__":
    run(write)
