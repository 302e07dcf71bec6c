"""Nets and instances of a build, over HTTP."""

from __future__ import annotations

from pathlib import Path

from .conftest import Api, write_script

STEPS = ["Verilator.Lint", "Yosys.Synthesis"]
DEF = """VERSION 5.8 ;
DESIGN counter ;
UNITS DISTANCE MICRONS 1000 ;
DIEAREA ( 0 0 ) ( 10000 10000 ) ;
COMPONENTS 1 ;
- u/1 INV + PLACED ( 1000 1000 ) N ;
END COMPONENTS
SPECIALNETS 1 ;
- VDD ( * VDD ) + USE POWER + ROUTED met1 480 + SHAPE STRIPE ( 0 5000 ) ( 10000 5000 ) ;
END SPECIALNETS
NETS 1 ;
- q[0] ( u/1 Y ) ( PIN q[0] ) ;
END NETS
END DESIGN
"""


async def test_nets_are_found_shown_and_pointed_at(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, views={"Yosys.Synthesis": {"def": DEF}}, seconds=0.01)
    build = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    of = ("builds", build["id"])
    _, found = await api.get(*of, "nets")
    assert [(net["name"], net["use"], net["pins"]) for net in found["nets"]] == [
        ("VDD", "POWER", 0),
        ("q[0]", "SIGNAL", 2),
    ]
    assert (await api.get(*of, "nets", params={"text": "Q[", "limit": 1}))[1]["net_count"] == 1
    _, net = await api.get(*of, "net", params={"name": "VDD"})
    assert net["layers"] == [{"name": "met1", "boxes": [0, 4.76, 10, 5.24]}]
    _, net = await api.get(*of, "net", params={"name": "q[0]"})
    assert {(pin["instance"], pin["name"]) for pin in net["pins"]} == {("u/1", "Y"), ("PIN", "q[0]")}
    _, place = await api.get(*of, "place", params={"x": 3, "y": 5.1})
    assert place["nets"] == [{"name": "VDD", "use": "POWER", "layer": "met1"}]
    response = await api.raw(*of, "net", params={"name": "VDD"})
    assert (
        await api.raw(*of, "net", params={"name": "VDD"}, headers={"If-None-Match": response.headers["ETag"]})
    ).code == 304


async def test_each_wrong_question_gets_a_sentence(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, views={"Yosys.Synthesis": {"def": DEF}}, seconds=0.01)
    build = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    of = ("builds", build["id"])
    for what, params, status, field in (
        ("net", {"name": "gone"}, 404, "name"),
        ("net", {"name": "x" * 1001}, 404, "name"),
        ("nets", {"limit": "0"}, 422, "limit"),
        ("nets", {"limit": "9" * 5000}, 422, "limit"),
        ("nets", {"limit": "²"}, 422, "limit"),
        ("nets", {"limit": "0000019999"}, 422, "limit"),
        ("nets", {"limit": "000001" + "9" * 5000}, 422, "limit"),
        ("nets", {"text": "x" * 1001}, 422, "text"),
        ("place", {"x": "1"}, 422, "y"),
        ("place", {"x": "nan", "y": 1}, 422, "x"),
        ("place", {"x": "1e308", "y": 1}, 422, "x"),
    ):
        got, answer = await api.get(*of, what, params=params)
        assert (got, answer["field"]) == (status, field), (what, params)


async def test_a_damaged_index_is_told(api: Api, design_dir: Path, tmp_path: Path) -> None:
    write_script(design_dir, steps=STEPS, views={"Yosys.Synthesis": {"def": DEF}}, seconds=0.01)
    build = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    of = ("builds", build["id"])
    assert (await api.get(*of, "nets"))[0] == 200
    [index] = (tmp_path / "cache").rglob("*.nets")
    index.write_bytes(b"no database" * 100)
    for what in ("nets", "net", "place"):
        status, answer = await api.get(*of, what, params={"x": 0, "y": 0, "name": "a"})
        assert (status, answer["message"]) == (422, "The index of nets cannot be read.")


async def test_a_build_without_a_def_says_so(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, views={"Yosys.Synthesis": {"def": "no DEF"}}, seconds=0.01)
    first = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    status, answer = await api.get("builds", first["id"], "nets")
    assert status == 422
    assert answer["message"].startswith("The DEF ")
    write_script(design_dir, steps=STEPS, seconds=0.01)
    second = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    for what in ("nets", "net", "place"):
        assert (await api.get("builds", second["id"], what, params={"x": 0, "y": 0, "name": "a"}))[0] == 404
