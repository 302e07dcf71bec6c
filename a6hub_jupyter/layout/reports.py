"""Which files of a run directory are reports with places, and what is in those that are plain text.

Two are text: Magic's `drc.magic.rpt` (between dashed lines a rule, then its boxes, `1.000um 2.000um 3.000um 4.000um`)
and OpenROAD's detailed router's `*.drc` (`violation type: Short`, `srcs: net:a net:b`, `bbox = (1, 2) - (3, 4) on
Layer met1`). All others are KLayout's report database: DRC, antenna, density and XOR reports.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from a6hub_jupyter.layout.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Finding = tuple[str, str, list[float], str]

# A run has one or two for each checker; a runaway one must not make the search grow without end.
MAX_REPORTS = 50

_DATABASES = ("*.lyrdb", "*.lyrdb.gz", "*.xml")
_HEAD = 400  # bytes in which a database says what it is
_RULE = re.compile(r"(?P<text>.*?)\s*\((?P<name>[^()]*)\)$")
_BOX = re.compile(r"([-+.\deE]+)um\s+([-+.\deE]+)um\s+([-+.\deE]+)um\s+([-+.\deE]+)um$")
_BBOX = re.compile(r"bbox\s*=\s*\(([^,]+),\s*([^)]+)\)\s*-\s*\(([^,]+),\s*([^)]+)\)\s*on Layer (\S+)")


def find_reports(run_dir: Path) -> list[Path]:
    """Return the reports in a run directory, in the order of its steps; links to elsewhere are left out.

    A text is left out where a database with the same findings lies beside it, and so is the router's working copy.
    """
    inside = run_dir.resolve()
    found = {path.resolve() for pattern in (*_DATABASES, "*.drc", "*.magic.rpt") for path in run_dir.rglob(pattern)}
    kept = []
    for path in sorted(found):
        if not path.is_relative_to(inside) or not path.is_file():
            continue
        if path.suffix == ".xml" and not _is_database(path):
            continue
        stem = path.name.removesuffix(".rpt")
        beside = {path.with_name(name) for name in (f"{path.name}.xml", f"{stem}.lyrdb", f"{path.name}.lyrdb")}
        copied = path.parent.name.startswith("drt-run-") and path.parent.with_name(path.name) in found
        if (is_text(path) and beside & found) or copied:
            continue
        kept.append(path)
    return kept[:MAX_REPORTS]


def is_text(path: Path) -> bool:
    """Say whether this is a report that `read_text` reads, by its name."""
    return path.name.endswith((".drc", ".rpt"))


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"<report-database" in file.read(_HEAD)
    except OSError:
        return False


def read_text(path: Path) -> Iterator[Finding]:
    """Yield (category, description, box in um, text); LayoutError naming the line that is none of the format's."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        first = ""
        for line in lines:
            if line.strip():
                first = line
                break
        if not first:
            return
        reader = _router if first.strip().startswith("violation type:") else _magic
        try:
            yield from reader((first, *lines) if reader is _router else lines)
        except _BadLineError as error:
            raise LayoutError(
                f"The report {path.name} is damaged ('{error.args[0][:60]}' is out of place).",
                "Give a report of Magic or OpenROAD as the tool wrote it.",
            ) from error


class _BadLineError(Exception):
    """A line that the format has no place for."""


def _magic(lines: Iterable[str]) -> Iterator[Finding]:
    """Read what follows the name of the cell: a rule between dashes, and its boxes."""
    name = text = ""
    dashes = 0
    for line in map(str.strip, lines):
        if not line or line.startswith("[INFO]"):
            continue
        if set(line) == {"-"}:
            dashes += 1
        elif dashes % 2 == 1:  # between the dashes of a pair
            rule = _RULE.match(line)
            name, text = (rule["name"], line) if rule else (line, line)
        elif name and (box := _BOX.match(line)) is not None:
            yield name, text, _numbers(box.groups(), line), ""
        else:
            raise _BadLineError(line)


def _router(lines: Iterable[str]) -> Iterator[Finding]:
    kind = sources = ""
    for line in map(str.strip, lines):
        if line.startswith("violation type:"):
            kind, sources = line.partition(":")[2].strip(), ""
        elif line.startswith("srcs:"):
            sources = line.partition(":")[2].strip()
        elif line.startswith("bbox") and kind and (box := _BBOX.match(line)) is not None:
            *corners, layer = box.groups()
            yield f"{layer}.{kind}", f"{kind} on {layer}", _numbers(corners, line), sources
        elif line and not line.startswith("congestion"):
            raise _BadLineError(line)


def _numbers(given: Iterable[str], line: str) -> list[float]:
    try:
        x1, y1, x2, y2 = (float(number) for number in given)
    except ValueError:
        raise _BadLineError(line) from None
    return [min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]
