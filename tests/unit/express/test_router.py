"""The router on grids small enough to check by hand."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

pytest.importorskip("numba")

from a6hub_jupyter.express import maze, regions, wirelength
from a6hub_jupyter.express.congestion import Congestion, Spot
from a6hub_jupyter.express.database import Component, Database
from a6hub_jupyter.express.fabric import Net, Terminal
from a6hub_jupyter.express.geometry import Box
from a6hub_jupyter.express.grid import SHUT, Grid
from a6hub_jupyter.express.lefcells import Macro
from a6hub_jupyter.express.pinaccess import Access
from a6hub_jupyter.express.router import Router
from a6hub_jupyter.express.routing import given_up, shut_in
from a6hub_jupyter.express.technology import Technology
from a6hub_jupyter.express.verilog import Netlist
from a6hub_jupyter.express.wirelength import half_perimeter, steiner_tree, steiner_trees
from tests.unit.express.metals import four_metals

FOREVER = float("inf")


@pytest.fixture
def technology() -> Technology:
    return four_metals()


def net(name: str, grid: Grid, *places: tuple[int, int, int]) -> Net:
    return Net(name, [Terminal("", f"{name}{k}", {grid.node(*p): Access(0.0, None)}) for k, p in enumerate(places)])


def places(grid: Grid, found: Net) -> list[tuple[int, int, int]]:
    return [grid.place(node) for node in found.nodes.tolist()]


def test_straight_net_takes_the_straight_way(technology: Technology) -> None:
    grid = Grid(technology, 8000, 8000)
    found = net("a", grid, (0, 3, 5), (0, 9, 5))
    router = Router(grid, [found])
    assert router.negotiate(None, 5, FOREVER) == []
    assert places(grid, found) == [(0, i, 5) for i in range(3, 10)]


def test_corner_takes_two_wires_and_one_via(technology: Technology) -> None:
    grid = Grid(technology, 8000, 8000)
    found = net("a", grid, (0, 3, 5), (1, 9, 9))
    Router(grid, [found]).negotiate(None, 5, FOREVER)
    assert places(grid, found) == [(0, i, 5) for i in range(3, 10)] + [(1, 9, j) for j in range(5, 10)]
    assert [grid.place(n) for n in found.nodes[found.flags & 2 != 0].tolist()] == [(0, 9, 5)]


def test_walls_are_gone_around(technology: Technology) -> None:
    grid = Grid(technology, 8000, 8000)
    for j in range(grid.rows):
        grid.blocked[grid.node(0, 6, j)] = SHUT
    found = net("a", grid, (0, 3, 5), (0, 9, 5))
    Router(grid, [found]).negotiate(None, 5, FOREVER)
    assert found.complete
    assert not any(grid.blocked[node] for node in found.nodes)
    assert {layer for layer, _, _ in places(grid, found)} == {0, 1, 2}


def test_two_nets_that_want_one_track_end_without_conflict(technology: Technology) -> None:
    grid = Grid(technology, 12000, 12000)
    a, b = net("a", grid, (0, 3, 9), (0, 20, 9)), net("b", grid, (0, 8, 9), (0, 15, 9))
    router = Router(grid, [a, b])
    assert router.negotiate(None, 30, FOREVER) == []
    assert not len(router.collided)
    assert not set(a.nodes.tolist()) & set(b.nodes.tolist())


def test_what_cannot_be_routed_is_given_up_and_named(
    technology: Technology, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = Grid(technology, 8000, 8000)
    for k in range(3):
        for i in range(7, grid.columns):
            grid.blocked[grid.node(k, i, 7)] = grid.blocked[grid.node(k, i, 11)] = SHUT
        for j in range(7, 12):
            grid.blocked[grid.node(k, 7, j)] = SHUT
    nets = [net("out", grid, (0, 3, 3), (0, 12, 9)), net("free", grid, (0, 2, 2), (0, 5, 2))]
    router = Router(grid, nets)
    assert router.negotiate(None, 100, FOREVER) == ["out"]
    assert capsys.readouterr().out.count("Routing pass") == 1
    assert not nets[0].complete


@pytest.mark.parametrize("threads", ["1", "2", "3"])
def test_result_does_not_depend_on_threads(
    threads: str, technology: Technology, monkeypatch: pytest.MonkeyPatch
) -> None:
    def routed(count: str) -> list[bytes]:
        monkeypatch.setenv("EXPRESS_THREADS", count)
        grid = Grid(technology, 60000, 60000)
        random = np.random.default_rng(7)
        nets = []
        for k in range(250):
            i, j = (int(n) for n in random.integers(5, 140, 2))
            di, dj = (int(n) for n in random.integers(-4, 5, 2))
            nets.append(net(f"n{k}", grid, (0, i, j), (0, i + di, j + dj or j + 1)))
        router = Router(grid, nets)
        router.negotiate(None, 6, FOREVER)
        return [found.entries() for found in nets]

    assert routed(threads) == routed("1")


def test_regions_of_one_stage_keep_apart_and_every_net_has_its_place() -> None:
    random = np.random.default_rng(3)
    low = random.integers(0, 380, (500, 2))
    size = random.integers(1, 60, (500, 2))
    boxes = np.stack([low[:, 0], low[:, 0] + size[:, 0], low[:, 1], low[:, 1] + size[:, 1]], axis=1)
    stages = regions.divide(boxes, 400, 420)
    assert sorted(k for stage in stages for share in stage for k in share.nets) == list(range(500))
    assert len(stages[0]) == 4
    for stage in stages:
        for n, one in enumerate(stage):
            for other in stage[:n]:
                a, b = one.region, other.region
                assert a.high_i < b.low_i or b.high_i < a.low_i or a.high_j < b.low_j or b.high_j < a.low_j


@pytest.mark.parametrize(
    ("layer", "across", "along", "vias"), [(0, 1, 0, 0), (0, 1, 1, 2), (1, 0, 1, 1), (1, 1, 1, 1), (2, 1, 0, 2)]
)
def test_fewest_vias_down_to_the_first_layer(layer: int, across: int, along: int, vias: int) -> None:
    """Layers 0 and 2 run across, 1 along: counted by hand."""
    assert maze.fewest_vias([False, True, False])[0, layer, across, along] == vias


def test_worst_tile_is_where_the_conflicts_are(technology: Technology) -> None:
    grid = Grid(technology, 40000, 40000)
    found = Net("a", [], nodes=np.array([grid.node(0, i, 60) for i in range(55, 70)]))
    spot = Congestion(grid, [found], found.nodes[-3:]).worst()
    assert spot.conflicts == 3
    assert spot.box.x1 <= grid.x(67) <= spot.box.x2
    assert spot.box.y1 <= grid.y(60) <= spot.box.y2
    assert 0 < spot.usage < 0.1


def test_giving_up_names_place_and_remedy() -> None:
    database = Database(Netlist("top"), 40000, 28000, 2800, 400, 0, 40000)
    database.components = [Component(f"u{k}", "cell", 400 * k, 0) for k in range(80)]
    cells = cast("Any", SimpleNamespace(lef=SimpleNamespace(macros={"cell": Macro("cell", 4000, 2800)})))
    job = cast("Any", SimpleNamespace(die_area=None, route_seconds=600))
    spot = Spot(Box(1000, 2000, 11000, 12000), 7, 0.63)
    sentence = (
        "Routing ended with 3 nets in conflict. The worst region is (1.0, 2.0) to (11.0, 12.0) um: 7 conflicts, "
        "63 % of the free tracks taken; the cells fill 80 % of the rows. To make room, set FP_CORE_UTIL to about 65."
    )
    more = " Its time was up: EXPRESS_ROUTE_SECONDS, now 600, gives it more."
    assert given_up(job, database, cells, spot, 3, late=False) == sentence
    assert given_up(job, database, cells, spot, 3, late=True) == sentence + more


def test_a_net_that_is_shut_in_is_named_at_once(technology: Technology) -> None:
    grid = Grid(technology, 12000, 12000)
    for layer in range(len(technology.layers)):
        for i, j in ((7, 8), (9, 8), (8, 7), (8, 9)):
            grid.blocked[grid.node(layer, i, j)] = SHUT
    inside, outside = net("in", grid, (0, 8, 8), (0, 20, 20)), net("out", grid, (0, 3, 3), (0, 3, 20))
    inside.terminals[0].instance = "ram"
    router = Router(grid, [inside, outside])
    assert router.negotiate(None, 50, FOREVER) == ["in"]
    assert router.passes == 1
    sentence = shut_in([inside])
    assert sentence.startswith(
        "Routing finds no way for the net in: metal of cells, macros or the power grid shuts in ram/"
    )
    assert "the net in (and 1 more): " in shut_in([inside, inside])


def test_no_route_is_shorter_than_half_its_perimeter(technology: Technology) -> None:
    grid = Grid(technology, 8000, 8000)
    corner, cross = net("a", grid, (0, 3, 5), (1, 9, 9)), net("b", grid, (0, 2, 12), (0, 8, 12), (1, 5, 10), (1, 5, 14))
    Router(grid, [corner, cross]).negotiate(None, 5, FOREVER)
    assert half_perimeter(grid, [corner]) == (6 + 4) * 400
    assert half_perimeter(grid, [corner, cross]) == (6 + 4 + 6 + 4) * 400
    assert half_perimeter(grid, [net("c", grid, (0, 1, 1), (0, 9, 9))]) == 0, "not routed yet"
    assert steiner_trees(grid, [corner, cross]) == (6 + 4 + 6 + 4) * 400


def joined(points: list[tuple[int, int]]) -> int:
    """The length of the shortest spanning tree, edge by edge."""
    left, total = set(points[1:]), 0
    while left:
        away = {p: min(abs(p[0] - q[0]) + abs(p[1] - q[1]) for q in points if q not in left) for p in left}
        nearest = min(left, key=lambda p: (away[p], p))
        left.remove(nearest)
        total += away[nearest]
    return total


@pytest.mark.parametrize("seed", range(20))
def test_trees_through_four_points_are_the_shortest_there_are(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = [(int(x), int(y)) for x, y in zip(random.permutation(20)[:4], random.permutation(20)[:4], strict=True)]
    crossings = [(x, y) for x, _ in points for _, y in points if (x, y) not in points]
    shortest = min(joined([*points, *more]) for n in range(3) for more in combinations(crossings, n))
    x, y = (np.array(along, np.int64) for along in zip(*points, strict=True))
    assert steiner_tree(x, y) == shortest


def test_trees_of_many_points_lie_between_their_bounds() -> None:
    random = np.random.default_rng(3)
    for count in (8, wirelength.MANY, wirelength.MANY + 1):
        at = random.integers(0, 1000, (count, 2))
        points = [(int(x), int(y)) for x, y in at]
        bound = int(np.ptp(at[:, 0]) + np.ptp(at[:, 1]))
        length = steiner_tree(at[:, 0].copy(), at[:, 1].copy())
        assert bound < length
        assert length < joined(points) if count <= wirelength.MANY else length == joined(points)
