"""Questions to the index that `nets` makes: nets and instances by name, a net's shapes, and what is at a place."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.layout.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of a net with more (a supply of a large chip) the rest is left out, and a note says so.
BOX_LIMIT = 100_000
PIN_LIMIT = 2_000
PLACE_LIMIT = 50

COUNT_NETS = "SELECT count(*) FROM net WHERE name LIKE ? ESCAPE '\\'"
COUNT_INSTANCES = "SELECT count(*) FROM instance WHERE name LIKE ? ESCAPE '\\'"
FIND_NETS = "SELECT name, use, pins FROM net WHERE name LIKE ? ESCAPE '\\' ORDER BY length(name), name LIMIT ?"
FIND_INSTANCES = """
SELECT i.name, i.cell, b.x1, b.y1, b.x2, b.y2 FROM instance i JOIN instance_box b ON b.id = i.id
WHERE i.name LIKE ? ESCAPE '\\' ORDER BY length(i.name), i.name LIMIT ?
"""
NETS_AT = """
SELECT DISTINCT n.name, n.use, s.layer
FROM shape_box b JOIN shape s ON s.id = b.id JOIN net n ON n.id = s.net
WHERE b.x1 <= ? AND b.x2 >= ? AND b.y1 <= ? AND b.y2 >= ? LIMIT ?
"""
INSTANCES_AT = """
SELECT i.name, i.cell, i.turn, i.mirror, i.x, i.y FROM instance_box b JOIN instance i ON i.id = b.id
WHERE b.x1 <= ? AND b.x2 >= ? AND b.y1 <= ? AND b.y2 >= ? LIMIT ?
"""

Row = tuple[int, int, int, int]


class NetIndex:
    """One index on disk. Answers are in the API's form, positions in um; each question opens the file anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro&immutable=1", uri=True)) as database:
                yield database
        except sqlite3.Error as error:
            raise LayoutError("The index of nets cannot be read.", "Remove it from the cache of scenes.") from error

    def search(self, text: str, limit: int) -> dict[str, Any]:
        """Return nets and instances with `text` in their names, shortest names first, at most `limit` of each."""
        pattern = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in text) + "%"
        with self._open() as database:
            [net_count] = database.execute(COUNT_NETS, (pattern,)).fetchone()
            [instance_count] = database.execute(COUNT_INSTANCES, (pattern,)).fetchone()
            nets = database.execute(FIND_NETS, (pattern, limit)).fetchall()
            found = database.execute(FIND_INSTANCES, (pattern, limit)).fetchall()
            unit, note = self._about(database)
        return {
            "nets": [{"name": name, "use": use, "pins": pins} for name, use, pins in nets],
            "net_count": net_count,
            "instances": [
                {"name": name, "cell": cell, "box": [value / unit for value in box]} for name, cell, *box in found
            ],
            "instance_count": instance_count,
            "note": note,
        }

    def net(self, name: str) -> dict[str, Any] | None:
        """Return a net with its pins and its shapes by layer (x1, y1, x2, y2, ...); None when there is no such net."""
        with self._open() as database:
            row = database.execute("SELECT id, use, pins FROM net WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            number, use, count = row
            unit, note = self._about(database)
            pins = database.execute(
                "SELECT p.instance, p.name, i.cell FROM pin p LEFT JOIN instance i ON i.name = p.instance "
                "WHERE p.net = ? LIMIT ?",
                (number, PIN_LIMIT),
            ).fetchall()
            layers: dict[str, list[float]] = {}
            left = BOX_LIMIT
            for layer, box in self._shapes(database, number):
                if left == 0:
                    note = f"The first {BOX_LIMIT} shapes of this net are shown."
                    break
                left -= 1
                layers.setdefault(layer, []).extend(value / unit for value in box)
        return {
            "name": name,
            "use": use,
            "pin_count": count,
            "note": note,
            "pins": [{"instance": instance, "name": pin, "cell": cell} for instance, pin, cell in pins],
            "layers": [{"name": layer, "boxes": boxes} for layer, boxes in layers.items()],
        }

    def at(self, x: float, y: float) -> dict[str, Any]:
        """Return the nets and the instances at a place in um; each net with the LEF layer that it has there."""
        with self._open() as database:
            unit, _ = self._about(database)
            # The index takes whole numbers of 32 bits; beyond, there is nothing.
            px, py = (max(-(2**31), min(2**31 - 1, round(value * unit))) for value in (x, y))
            here = (px, px, py, py, PLACE_LIMIT)
            nets = database.execute(NETS_AT, here).fetchall()
            instances = database.execute(INSTANCES_AT, here).fetchall()
            for name, cell, *place in instances:
                inner = back(px, py, *place)
                found = database.execute(
                    "SELECT DISTINCT n.name, n.use, c.layer FROM cell_pin c "
                    "JOIN pin p ON p.instance = ? AND p.name = c.name JOIN net n ON n.id = p.net "
                    "WHERE c.cell = ? AND c.x1 <= ? AND c.x2 >= ? AND c.y1 <= ? AND c.y2 >= ?",
                    (name, cell, inner[0], inner[0], inner[1], inner[1]),
                )
                nets += found.fetchall()
        return {
            "nets": [{"name": name, "use": use, "layer": layer} for name, use, layer in dict.fromkeys(nets)],
            "instances": [{"name": name, "cell": cell} for name, cell, *_ in instances],
        }

    def _about(self, database: sqlite3.Connection) -> tuple[float, str | None]:
        row = database.execute("SELECT unit, note FROM about").fetchone()
        return float(row[0]), row[1]

    @staticmethod
    def _shapes(database: sqlite3.Connection, net: int) -> Iterator[tuple[str, Row]]:
        """Yield (layer, box): wires and vias, then the pins that they join."""
        rows = database.execute(
            "SELECT s.layer, b.x1, b.y1, b.x2, b.y2 FROM shape s JOIN shape_box b ON b.id = s.id WHERE s.net = ?",
            (net,),
        )
        for layer, x1, y1, x2, y2 in rows:
            yield layer, (x1, y1, x2, y2)
        rows = database.execute(
            "SELECT c.layer, c.x1, c.y1, c.x2, c.y2, i.turn, i.mirror, i.x, i.y FROM pin p "
            "JOIN instance i ON i.name = p.instance JOIN cell_pin c ON c.cell = i.cell AND c.name = p.name "
            "WHERE p.net = ?",
            (net,),
        )
        for layer, x1, y1, x2, y2, *place in rows:
            ax, ay = forth(x1, y1, *place)
            bx, by = forth(x2, y2, *place)
            yield layer, (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))


def forth(x: int, y: int, turn: int, mirror: int, dx: int, dy: int) -> tuple[int, int]:
    """Move a place of a cell to where it is in the design: mirrored at the x axis, turned by quarters, moved."""
    if mirror:
        y = -y
    for _ in range(turn):
        x, y = -y, x
    return x + dx, y + dy


def back(x: int, y: int, turn: int, mirror: int, dx: int, dy: int) -> tuple[int, int]:
    """Undo `forth`."""
    x, y = x - dx, y - dy
    for _ in range(turn):
        x, y = y, -x
    return x, -y if mirror else y
