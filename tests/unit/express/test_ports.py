"""Places of ports: on tracks, evenly, as close as they may be where that is needed, and refused beyond."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from a6hub_jupyter.express.floorplan import along, arrange_ports, spread_ports
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.verilog import Port
from tests.unit.express.jobs import job

TECHNOLOGY = cast("Any", SimpleNamespace(pitch_x=400, pitch_y=500))


def inputs(count: int) -> list[Port]:
    return [Port(f"a[{k}]", "INPUT", f"a[{k}]") for k in range(count)]


@pytest.mark.parametrize("count", range(1, 26))
@pytest.mark.parametrize("least", [400, 800, 1000])
def test_ports_are_on_tracks_far_enough_apart_or_do_not_fit(count: int, least: int) -> None:
    """On 10 um there are tracks 1 to 24 within; 1000 nm are three tracks, so that 8 ports fit, and 12 at 800."""
    found = along(10_000, 400, count, least)
    assert (found is None) == (count > {400: 24, 800: 12, 1000: 8}[least])
    if found is not None:
        assert len(found) == count
        assert all(at % 400 == 0 and 0 < at < 10_000 for at in found)
        assert all(b - a >= least for a, b in pairwise(found))


def test_few_ports_are_spread_evenly_and_many_are_packed_in_the_middle() -> None:
    assert along(10_000, 400, 4, 800) == [2000, 4000, 6000, 8000]
    assert along(10_000, 400, 12, 800) == [400 * k for k in range(1, 25, 2)]


def test_min_distance_packs_what_fits(tmp_path: Path) -> None:
    """Eight ports 1 um apart on 10 um, though eight and the ends need 9 um evenly: three tracks each."""
    order = tmp_path / "order.cfg"
    order.write_text("#N\n@min_distance=1.0\n.*\n")
    given = job(tmp_path, pin_order=str(order), pins_unmatched="both")
    found = arrange_ports(inputs(8), 10_000, 10_000, TECHNOLOGY, given)
    assert {port.side for port in found} == {"NORTH"}
    assert [b.at - a.at for a, b in pairwise(found)] == [1200] * 7
    with pytest.raises(ProblemError, match=r"puts 9 ports 1 um apart on the side NORTH, which is 10\.0 um long"):
        arrange_ports(inputs(9), 10_000, 10_000, TECHNOLOGY, given)


def test_die_too_small_for_its_ports_is_refused() -> None:
    """On 10 x 10 um each side has 19 or 24 tracks: up to 76 ports, for the west is full then."""
    found = spread_ports(inputs(76), 10_000, 10_000, TECHNOLOGY)
    assert len({(port.side, port.at) for port in found}) == 76
    with pytest.raises(ProblemError, match=r"too small for 77 ports: the side WEST cannot hold 20\. Enlarge DIE_AREA"):
        spread_ports(inputs(77), 10_000, 10_000, TECHNOLOGY)
