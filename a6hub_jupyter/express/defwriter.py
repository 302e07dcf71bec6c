"""DEF 5.8 of a design at any stage between floorplan and routing; database unit 1 nm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a6hub_jupyter.express.drawing import port_box, via_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from a6hub_jupyter.express.database import Database, PlacedPort
    from a6hub_jupyter.express.drawing import Drawing
    from a6hub_jupyter.express.geometry import Shape
    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.technology import RoutingLayer, Technology


def write_def(
    job: Job, technology: Technology, database: Database, drawings: Mapping[str, Drawing] | None = None
) -> None:
    """Write `<top>.def` into the step directory."""
    writer = DefWriter(job, technology, database, drawings or {})
    job.output(f"{job.top}.def").write_text("\n".join(writer.lines()) + "\n")


def port_layer(job: Job, technology: Technology, port: PlacedPort) -> RoutingLayer:
    """The layer of a port, by the side it is on."""
    west_or_east = port.side in ("WEST", "EAST")
    return technology.layers[technology.index(job.port_layer_horizontal if west_or_east else job.port_layer_vertical)]


def _rectangles(shapes: list[Shape]) -> str:
    return "".join(f" + RECT {la} ( {b.x1} {b.y1} ) ( {b.x2} {b.y2} )" for la, b in shapes)


def _routed(segments: list[str]) -> str:
    return "".join(("\n  + ROUTED " if k == 0 else "\n    NEW ") + s for k, s in enumerate(segments))


class DefWriter:
    """Yields the lines of one DEF file."""

    def __init__(self, job: Job, technology: Technology, database: Database, drawings: Mapping[str, Drawing]) -> None:
        self._job = job
        self._technology = technology
        self._database = database
        self._drawings = drawings

    def lines(self) -> Iterator[str]:
        """The whole file."""
        job, technology, database = self._job, self._technology, self._database
        yield 'VERSION 5.8 ;\nDIVIDERCHAR "/" ;\nBUSBITCHARS "[]" ;'
        yield f"DESIGN {job.top} ;\nUNITS DISTANCE MICRONS 1000 ;"
        yield f"DIEAREA ( 0 0 ) ( {database.width} {database.height} ) ;"
        for row in range(database.row_count):
            y = row * database.row_height
            for n, (left, right) in enumerate(database.spans(row)):
                yield (
                    f"ROW ROW_{row}{f'_{n}' if n else ''} {job.site} {left} {y} {database.orientation_at(y)} "
                    f"DO {(right - left) // database.site_width} BY 1 STEP {database.site_width} 0 ;"
                )
        for layer in technology.layers:
            for axis, offset, pitch, span in (
                ("X", technology.offset_x, technology.pitch_x, database.width),
                ("Y", technology.offset_y, technology.pitch_y, database.height),
            ):
                yield f"TRACKS {axis} {offset} DO {(span - offset) // pitch + 1} STEP {pitch} LAYER {layer.name} ;"
        yield from self._vias()
        components = database.everything()
        yield f"COMPONENTS {len(components)} ;"
        for c in components:
            yield f"- {c.name} {c.cell} + PLACED ( {c.x} {c.y} ) {c.orientation} ;"
        yield "END COMPONENTS"
        yield from self._pins()
        yield from self._special_nets()
        yield from self._nets()
        yield "END DESIGN"

    def _vias(self) -> Iterator[str]:
        table = {**self._database.grid.vias, **via_table(self._technology)}
        yield f"VIAS {len(table)} ;"
        for name, shapes in table.items():
            yield f"- {name}{_rectangles(shapes)} ;"
        yield "END VIAS"

    def _pins(self) -> Iterator[str]:
        job, database = self._job, self._database
        width, height = database.width, database.height
        yield f"PINS {len(database.ports) + 2} ;"
        for port in database.ports:
            layer = port_layer(job, self._technology, port)
            x, y = port.point(width, height)
            box = port_box(layer, port, width, height).moved(-x, -y)
            yield (
                f"- {port.name} + NET {port.net} + DIRECTION {port.direction} + USE SIGNAL + PORT"
                f" + LAYER {layer.name} ( {box.x1} {box.y1} ) ( {box.x2} {box.y2} ) + PLACED ( {x} {y} ) N ;"
            )
        for net, use in ((job.power_net, "POWER"), (job.ground_net, "GROUND")):
            yield f"- {net} + NET {net} + SPECIAL + DIRECTION INOUT + USE {use}"
            straps = [(job.strap_layer, s.left, s.bottom, s.right, s.top) for s in database.grid.straps if s.net == net]
            straps += [(job.bar_layer, 0, b.bottom, width, b.top) for b in database.grid.bars if b.net == net]
            for layer_name, x1, y1, x2, y2 in straps:
                x, y = (x1 + x2) // 2, (y1 + y2) // 2
                yield (
                    f"  + PORT + LAYER {layer_name} ( {x1 - x} {y1 - y} ) ( {x2 - x} {y2 - y} ) + FIXED ( {x} {y} ) N"
                )
            yield " ;"
        yield "END PINS"

    def _special_nets(self) -> Iterator[str]:
        job, database, grid = self._job, self._database, self._database.grid
        yield "SPECIALNETS 2 ;"
        for net, use, pins in (
            (job.power_net, "POWER", job.power_pins),
            (job.ground_net, "GROUND", job.ground_pins),
        ):
            segments = [
                f"{job.rail_layer} {job.rail_width} + SHAPE FOLLOWPIN ( {r.left} {r.y} ) ( {r.right} {r.y} )"
                for r in grid.rails
                if r.net == net
            ]
            for s in grid.straps:
                if s.net == net:
                    middle = (s.left + s.right) // 2
                    segments.append(
                        f"{job.strap_layer} {s.right - s.left} + SHAPE STRIPE"
                        f" ( {middle} {s.bottom} ) ( {middle} {s.top} )"
                    )
            segments += [
                f"{job.bar_layer} {b.top - b.bottom} + SHAPE STRIPE"
                f" ( 0 {(b.bottom + b.top) // 2} ) ( {database.width} {(b.bottom + b.top) // 2} )"
                for b in grid.bars
                if b.net == net
            ]
            segments += [
                f"{job.rail_layer} 0 + SHAPE STRIPE ( {s.x} {s.y} ) {via}"
                for s in grid.stacks
                if s.net == net
                for via in s.vias
            ]
            yield f"- {net} {' '.join(f'( * {pin} )' for pin in pins)} + USE {use}{_routed(segments)} ;"
        yield "END SPECIALNETS"

    def _nets(self) -> Iterator[str]:
        database = self._database
        ports: dict[str, list[str]] = {}
        for port in database.ports:
            ports.setdefault(port.net, []).append(port.name)
        names = dict.fromkeys([*ports, *database.netlist.nets])
        yield f"NETS {len(names)} ;"
        for net in names:
            ends = [f"( PIN {name} )" for name in ports.get(net, ())]
            ends += [f"( {i} {p} )" for i, p in database.netlist.nets.get(net, ())]
            drawing = self._drawings.get(net)
            yield f"- {net} {' '.join(ends)}{_routed(self._segments(drawing)) if drawing else ''} ;"
        yield "END NETS"

    @staticmethod
    def _segments(drawing: Drawing) -> list[str]:
        segments = [f"{w.layer} ( {w.x1} {w.y1} {w.extension} ) ( {w.x2} {w.y2} {w.extension} )" for w in drawing.wires]
        segments += [f"{v.layer} ( {v.x} {v.y} ) {v.name}" for v in drawing.vias]
        segments += [f"{la} ( {b.x1} {b.y1} ) RECT ( 0 0 {b.width} {b.height} )" for la, b in drawing.patches]
        return segments
