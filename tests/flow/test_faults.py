"""The checks of Express against faults put into a good layout, a good netlist, and shapes of one rule each."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import klayout.db as kdb

    from tests.flow.conftest import Pdk, Run

pytestmark = pytest.mark.needs("express")


def _check(tool: str, counter: Run, directory: Path, **changes: str) -> tuple[dict[str, float], str]:
    """Run a check on the job of the counter with other files; its metrics and its output."""
    step = "express-drc" if tool == "designrulecheck" else "express-lvs"
    job = json.loads((counter.step(step) / "job.json").read_text())
    path = directory / "job.json"
    path.write_text(json.dumps({**job, **changes, "step_directory": str(directory)}))
    command = [sys.executable, "-m", f"a6hub_jupyter.express.{tool}", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    metrics = dict(re.findall(r"^%OL_METRIC_\w (\S+) (\S+)$", result.stdout, re.M))
    return {name: float(value) for name, value in metrics.items()}, result.stdout


def _edited(counter: Run, path: Path, edit: Callable[[kdb.Layout, kdb.Cell], None]) -> str:
    """A copy of the counter's GDS, changed by `edit`."""
    import klayout.db as kdb

    layout = kdb.Layout()
    layout.read(str(counter.view("gds")))
    edit(layout, layout.cell("counter"))
    layout.write(str(path))
    return str(path)


def _remove_route_via(_: Any, top: kdb.Cell) -> None:
    via = next(i for i in top.each_inst() if "route_via_0" in i.cell.name)
    via.delete()


def _remove_cell(_: Any, top: kdb.Cell) -> None:
    next(i for i in top.each_inst() if i.cell.name.endswith("__dfxtp_1")).delete()


def _move_cell(_: Any, top: kdb.Cell) -> None:
    import klayout.db as kdb

    cell = next(i for i in top.each_inst() if i.cell.name.endswith("__dfxtp_1"))
    cell.transform(kdb.Trans(0, 460))


def _move_wire(layout: kdb.Layout, top: kdb.Cell) -> None:
    import klayout.db as kdb

    met2 = layout.layer(69, 20)
    wires = [s for s in top.shapes(met2).each() if s.bbox().height() > 3000 and s.bbox().width() < 200]
    wires[0].transform(kdb.Trans(230, 0))  # half a track


def _short_two_wires(layout: kdb.Layout, top: kdb.Cell) -> None:
    import klayout.db as kdb

    box = top.bbox()
    middle = box.center().y
    top.shapes(layout.layer(69, 20)).insert(kdb.Box(box.left, middle, box.right, middle + 140))


def _remove_strap_via(_: Any, top: kdb.Cell) -> None:
    next(i for i in top.each_inst() if "power_via2" in i.cell.name).delete()


def _remove_bar_via(_: Any, top: kdb.Cell) -> None:
    next(i for i in top.each_inst() if "power_via4" in i.cell.name).delete()


def _replace_cell_by_one_of_its_size(layout: kdb.Layout, top: kdb.Cell) -> None:
    nand = next(i for i in top.each_inst() if i.cell.name.endswith("__dfxtp_1"))
    other = layout.create_cell("sky130_fd_sc_hd__dfxtp_2")
    other.copy_tree(nand.cell)
    nand.cell = other


def _change_a_library_cell(layout: kdb.Layout, _: kdb.Cell) -> None:
    import klayout.db as kdb

    cell = next(c for c in layout.each_cell() if c.name.endswith("__dfxtp_1"))
    cell.shapes(layout.layer(66, 20)).insert(kdb.Box(100, 100, 250, 250))  # poly


def _swap_port_names(layout: kdb.Layout, top: kdb.Cell) -> None:
    names = {"count[0]": "count[1]", "count[1]": "count[0]"}
    for index in layout.layer_indexes():
        for shape in list(top.shapes(index).each()):
            if shape.is_text() and shape.text.string in names:
                text = shape.text.dup()
                text.string = names[text.string]
                shape.text = text


def _join_inner_metal(layout: kdb.Layout, top: kdb.Cell) -> None:
    """A bar of met5, above the straps, between metal inside two cells that belongs to no pin: no net knows of it."""
    import klayout.db as kdb

    from a6hub_jupyter.express.connectivity import internal_points
    from a6hub_jupyter.express.lef import Lef
    from a6hub_jupyter.express.sky130 import PDK, SCL, default_root
    from a6hub_jupyter.express.sky130.settings import STREAM

    macros = Lef(default_root() / PDK / "libs.ref" / SCL / "lef" / f"{SCL}.lef").macros
    layers = {name: layout.layer(gds.number, gds.drawing) for name, gds in STREAM.items()}
    above = [name for name in layers if name not in {"li1", "mcon"}]
    routed = kdb.Region()
    for name in above:
        routed += kdb.Region(top.begin_shapes_rec(layers[name]))
    ends: dict[int, kdb.Point] = {}
    inner = {name: layers[name] for name in ("li1", "mcon", "met1")}
    for number, instance in enumerate(top.each_inst()):
        if instance.cell.name not in macros:
            continue
        for layer, point, _ in internal_points(layout, instance.cell, inner, macros[instance.cell.name]):
            at = instance.trans * point
            if layer == "li1" and (routed & kdb.Region(kdb.Box(at, at).enlarged(60, 60))).is_empty():
                ends[number] = at
    straps = kdb.Region(top.begin_shapes_rec(layers["met5"])).merged()
    for a, b in combinations(ends.values(), 2):
        bars = [kdb.Box(a, kdb.Point(a.x, b.y)).enlarged(50, 50), kdb.Box(kdb.Point(a.x, b.y), b).enlarged(50, 50)]
        if all((straps & kdb.Region(bar)).is_empty() for bar in bars):
            break
    else:
        raise AssertionError("no two cells can be joined beside the straps")
    for at in (a, b):
        for name in ("mcon", *above):
            top.shapes(layers[name]).insert(kdb.Box(at, at).enlarged(50, 50))
    for bar in bars:
        top.shapes(layers["met5"]).insert(bar)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (_join_inner_metal, r"Metal inside the cell \S+ is connected to other metal inside \S+"),
        (_remove_route_via, r"Net \S+ is in 2 pieces"),
        (_remove_strap_via, r"Net V(PWR|GND) is in 2 pieces|Net V\w+: met1 and met4 cross at .* um without via2"),
        (_remove_bar_via, r"Net V(PWR|GND): met4 and met5 cross at .* um without via4"),
        (_replace_cell_by_one_of_its_size, r"The layout has no sky130_fd_sc_hd__dfxtp_1 where \S+ should be"),
        (_change_a_library_cell, r"The cell sky130_fd_sc_hd__dfxtp_1 in the layout is not that of the library"),
        (_remove_cell, r"The layout has no sky130_fd_sc_hd__dfxtp_1 where \S+ should be"),
        (_move_cell, r"The layout has no sky130_fd_sc_hd__dfxtp_1 where \S+ should be"),
        (_short_two_wires, r"The nets \S+ and \S+ are connected"),
        (_swap_port_names, r"The nets count\[\d\] and count\[\d\] are connected|Net count\[\d\] is in 2 pieces"),
    ],
)
def test_layout_check_finds_fault(
    fault: Callable[[kdb.Layout, kdb.Cell], None], said: str, counter: Run, tmp_path: Path
) -> None:
    metrics, output = _check("layoutcheck", counter, tmp_path, layout=_edited(counter, tmp_path / "f.gds", fault))
    assert metrics["design__lvs_error__count"] > 0
    assert re.search(said, output), output
    if fault is _remove_strap_via:
        assert metrics["design__power_grid_violation__count"] > 0


def test_strap_via_that_connectivity_does_not_miss_is_found(counter: Run, tmp_path: Path) -> None:
    """One of several vias along a strap, with the rail joined to the next by a bar: all stays connected."""

    def edit(layout: kdb.Layout, top: kdb.Cell) -> None:
        import klayout.db as kdb

        gone = next(i for i in top.each_inst() if "power_via2" in i.cell.name)
        y = gone.trans.disp.y
        gone.delete()
        rails = sorted(s.bbox().center().y for s in top.shapes(layout.layer(68, 20)).each() if s.bbox().width() > 9000)
        other = next(r for r in rails if r != y and (r - y) // 2720 % 2 == 0)
        x = top.bbox().left - 1000
        for at in (y, other):
            top.shapes(layout.layer(68, 20)).insert(kdb.Box(x, at - 240, 1000, at + 240))
        top.shapes(layout.layer(68, 20)).insert(kdb.Box(x - 480, min(y, other) - 240, x, max(y, other) + 240))

    metrics, output = _check("layoutcheck", counter, tmp_path, layout=_edited(counter, tmp_path / "f.gds", edit))
    assert re.search(r"Net V\w+: met1 and met4 cross at \(.*\) um without via2", output), output
    assert metrics["design__power_grid_violation__count"] == metrics["design__lvs_error__count"] == 1


def test_layout_check_finds_a_netlist_that_differs(counter: Run, tmp_path: Path) -> None:
    """Two data pins swapped in the netlist, in nothing else."""
    text = counter.view("nl").read_text()
    first, second = re.findall(r"\.D\((\w+)\)", text)[:2]
    text = text.replace(f".D({first})", ".D(kept)").replace(f".D({second})", f".D({first})")
    (tmp_path / "swapped.v").write_text(text.replace(".D(kept)", f".D({second})"))
    metrics, output = _check("layoutcheck", counter, tmp_path, netlist=str(tmp_path / "swapped.v"))
    assert metrics["design__lvs_net_difference__count"] > 0, output


def _boxes(layer: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Callable[[kdb.Layout, kdb.Cell], None]:
    """A fault that adds boxes (nm) beside the die."""

    def edit(layout: kdb.Layout, top: kdb.Cell) -> None:
        import klayout.db as kdb

        for box in boxes:
            top.shapes(layout.layer(*layer)).insert(kdb.Box(*box).moved(-20_000, 0))

    return edit


MET2, VIA = (69, 20), (68, 44)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (_move_wire, r"met2\.space<0\.14|via.*enclosure by met2"),
        (_boxes(MET2, (0, 0, 130, 2000)), r"met2\.width<0\.14: 1 violations"),
        (_boxes(MET2, (0, 0, 200, 300)), r"met2\.area<0\.0676: 1 violations"),
        (_boxes(MET2, (0, 0, 500, 500), (600, 600, 1100, 1100)), None),
        (_boxes(MET2, (0, 0, 500, 500), (590, 590, 1100, 1100)), r"met2\.space<0\.14"),
        (_boxes(MET2, (0, 0, 2000, 500), (0, 0, 200, 2000), (300, 0, 500, 2000)), r"met2\.space<0\.14: 1 violations"),
        (_boxes(MET2, (0, 0, 4000, 4000), (4200, 0, 4500, 4000)), r"met2\.space<0\.28 \(wider than 3\): 1 violations"),
        (_boxes(MET2, (0, 0, 2900, 4000), (3100, 0, 3500, 4000)), None),
        (_boxes(VIA, (0, 0, 160, 150)), r"via\.size!=0\.15: 1 violations"),
        (_boxes(VIA, (0, 0, 150, 150), (300, 0, 450, 150)), r"via\.space<0\.17: 1 violations"),
        (_boxes(VIA, (0, 0, 150, 150)), r"via\.enclosure by met2<0\.055/0\.085: 1 violations"),
    ],
)
def test_design_rule_check_finds_fault(
    fault: Callable[[kdb.Layout, kdb.Cell], None], rule: str | None, counter: Run, tmp_path: Path
) -> None:
    """And nothing where there is none (rule None)."""
    metrics, output = _check("designrulecheck", counter, tmp_path, layout=_edited(counter, tmp_path / "f.gds", fault))
    if rule is None:
        assert metrics["klayout__drc_error__count"] == 0, output
        return
    assert re.search(rule, output), output
    report = (tmp_path / "drc.klayout.lyrdb").read_text()
    assert report.count("<item>") == metrics["klayout__drc_error__count"]
    assert "edge-pair" in report or "polygon" in report


@pytest.mark.parametrize(
    ("fault", "step", "said"),
    [(_remove_route_via, "Express.LVS", "LVS errors found"), (_move_wire, "Express.DRC", "KLayout DRC errors found")],
)
def test_failing_check_fails_the_flow(
    fault: Callable[[kdb.Layout, kdb.Cell], None],
    *,
    step: str,
    said: str,
    counter: Run,
    librelane: Callable[..., Run],
    sky130: Pdk,
    tmp_path: Path,
) -> None:
    design = counter.directory.parents[1]
    for name in ("counter.v", "config.json"):
        shutil.copy(design / name, tmp_path / name)
    state = json.loads((counter.step("express-powerednetlist") / "state_out.json").read_text())
    state["gds"] = _edited(counter, tmp_path / "faulty.gds", fault)
    for view, value in state.items():
        if isinstance(value, str) and not Path(value).is_absolute():
            state[view] = str(design / value)
    (tmp_path / "state.json").write_text(json.dumps(state))
    run = librelane(tmp_path, sky130, "--from", step, "--with-initial-state", str(tmp_path / "state.json"))
    assert run.code != 0
    assert said in run.output
    assert "Traceback" not in run.output
