"""Where the layouts of builds and files differ, over HTTP."""

from __future__ import annotations

from pathlib import Path

import gdstk

from .conftest import Api, write_script

STEP = "Yosys.Synthesis"


def chip(path: Path, wide: float) -> Path:
    library = gdstk.Library("x")
    library.new_cell("top").add(gdstk.rectangle((0, 0), (wide, 1), layer=68, datatype=20))
    library.write_gds(path)
    return path


async def built(api: Api, design_dir: Path, wide: float) -> str:
    """Return the id of a build whose layout is so wide, in um."""
    write_script(design_dir, steps=[STEP], views={STEP: {"gds": "to be written"}}, seconds=0.01)
    build = await api.until((await api.build(design_dir, to_step=STEP))["id"])
    for made in (design_dir / "runs" / build["id"]).rglob("*.gds"):
        chip(made, wide)
    return str(build["id"])


async def test_two_builds_and_a_build_and_a_file_are_compared(api: Api, design_dir: Path) -> None:
    one, other = await built(api, design_dir, 2), await built(api, design_dir, 3)
    chip(design_dir / "file.gds", 4)
    file = "course/counter/file.gds"
    for asked, box, owner in (
        ({"build": one, "other_build": other}, [2, 0, 3, 1], other),
        ({"build": other, "other_build": one}, [2, 0, 3, 1], other),
        ({"build": one, "other": file}, [2, 0, 4, 1], "file.gds"),
        ({"path": file, "other_build": other}, [3, 0, 4, 1], "file.gds"),
        ({"path": file, "other": file}, None, None),
    ):
        status, found = await api.get("layouts", "differences", params=asked)
        assert status == 200, found
        assert [marker[2:] for marker in found["markers"]] == ([[box, f"only in {owner}"]] if box else []), asked


async def test_a_name_that_looks_like_an_option_is_a_name(api: Api, design_dir: Path) -> None:
    chip(design_dir / "--memory.gds", 2)
    chip(design_dir / "-h.gds", 3)
    asked = {"path": "course/counter/--memory.gds", "other": "course/counter/-h.gds"}
    status, found = await api.get("layouts", "differences", params=asked)
    assert status == 200, found
    assert [marker[2:] for marker in found["markers"]] == [[[2, 0, 3, 1], "only in -h.gds"]]


async def test_each_wrong_pair_gets_a_sentence(api: Api, design_dir: Path) -> None:
    one = await built(api, design_dir, 2)
    write_script(design_dir, steps=[STEP], seconds=0.01)
    without = (await api.until((await api.build(design_dir, to_step=STEP))["id"]))["id"]
    chip(design_dir / "file.gds", 4)
    for asked, status, field in (
        ({"build": one}, 422, "other"),
        ({"other_build": one}, 422, "path"),
        ({"build": one, "path": "course/counter/file.gds", "other_build": one}, 422, "build"),
        ({"build": one, "other_build": "20200101-000000-aaaa"}, 404, "other_build"),
        ({"build": one, "other_build": without}, 404, "other_build"),
        ({"build": one, "other_build": "../" * 20}, 404, "other_build"),
    ):
        got, answer = await api.get("layouts", "differences", params=asked)
        assert (got, answer.get("field")) == (status, field), (asked, answer)
