"""Design rules of a large layout in several processes: each takes layers as it gets free.

klayout checks one region on one core. The processes are forks, so that all share the regions.
"""

from __future__ import annotations

import multiprocessing
import sys
import warnings
from typing import TYPE_CHECKING, NamedTuple

import klayout.db as kdb

from a6hub_jupyter.express.designrules import Part, RuleCheck, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    Shape = kdb.EdgePair | kdb.Polygon | kdb.Edge

MANY_POLYGONS = 20_000
"""A layout with fewer is checked faster than processes are started."""
SHAPES = {kind.__name__: kind for kind in (kdb.EdgePair, kdb.Polygon, kdb.Edge)}


class _Work(NamedTuple):
    rules: RuleCheck
    regions: Mapping[str, kdb.Region]
    parts: list[Part]


class _Sent(NamedTuple):
    """A violation as text: klayout's objects do not go from process to process."""

    rule: str
    layer: str
    kind: str
    shape: str
    text: str


_shared: list[_Work] = []


def _part(number: int) -> tuple[int, list[_Sent]]:
    work = _shared[-1]
    found = work.rules.of_part(work.parts[number], work.regions)
    return number, [_Sent(v.rule, v.layer, v.kind, *_text(v.shape)) for v in found]


def _text(shape: Shape) -> tuple[str, str]:
    """The kind of a shape and its coordinates; without the properties that newer klayouts write behind them."""
    kind = next(name for name, cls in SHAPES.items() if isinstance(shape, cls))
    return kind, shape.to_s().partition(" props=")[0]


def violations(rules: RuleCheck, regions: Mapping[str, kdb.Region], processes: int, *kinds: str) -> list[Violation]:
    """What `RuleCheck.violations` finds, in the same order, with at most so many processes."""
    sizes = {name: region.count() for name, region in regions.items()}
    if sys.platform != "linux" or processes < 2 or sum(sizes.values()) < MANY_POLYGONS:
        return list(rules.violations(regions, *kinds))
    parts = rules.parts_of(regions, *kinds)
    order = sorted(range(len(parts)), key=lambda n: -sum(sizes[name] for name in parts[n].layers))
    _shared.append(_Work(rules, regions, parts))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # numpy has idle threads; the forks do not use them
            with multiprocessing.get_context("fork").Pool(processes) as pool:
                found = dict(pool.imap_unordered(_part, order))
    finally:
        _shared.pop()
    sent = [violation for number in range(len(parts)) for violation in found[number]]
    return [Violation(s.rule, s.layer, s.kind, SHAPES[s.shape].from_s(s.text)) for s in sent]
