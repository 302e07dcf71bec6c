"""What LibreLane offers, as the server tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Api

PLUGIN = '''
from decimal import Decimal
from librelane.config import Variable
from librelane.flows import Flow, SequentialFlow
from librelane.steps import Step, Verilator

@Step.factory.register()
class Hello(Step):
    """Says hello."""
    id = "Third.Hello"
    name = "Hello"
    inputs = []
    outputs = []
    config_vars = [Variable("THIRD_VOLUME", Decimal, "How loud.", default=Decimal("3.5"), units="%")]
    def run(self, state_in, **kwargs):
        return {}, {}

@Flow.factory.register()
class Greeting(SequentialFlow):
    """A flow of somebody else's."""
    Steps = [Verilator.Lint, Hello]
'''


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jp_environ: None) -> None:
    """A third party's plugin on the path of the server."""
    directory = tmp_path / "plugins"
    directory.mkdir()
    (directory / "librelane_plugin_third.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(directory))


def by_name(things: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {t["name"]: t for t in things}


async def test_flows_and_steps_are_listed_those_of_plugins_too(api: Api) -> None:
    status, answer = await api.get("flows")
    assert status == 200
    flows = by_name(answer["flows"])
    assert {"Classic", "Express", "Greeting"} <= set(flows)
    assert flows["Greeting"]["source"] == "librelane_plugin_third"
    assert flows["Greeting"]["summary"] == "A flow of somebody else's."
    assert [s["id"] for s in flows["Greeting"]["steps"]] == ["Verilator.Lint", "Third.Hello"]
    assert flows["Express"]["sequential"]
    assert not flows["Optimizing"]["sequential"]
    assert "Third.Hello" in {s["id"] for s in answer["steps"]}
    _, variables = await api.get("flows", "Greeting", "variables")
    volume = by_name(variables["variables"])["THIRD_VOLUME"]
    assert volume == {
        "name": "THIRD_VOLUME",
        "description": "How loud.",
        "type": {"kind": "decimal", "optional": False},
        "default": 3.5,
        "default_from": "librelane",
        "units": "%",
        "pdk": False,
        "group": "Third.Hello",
        "steps": ["Third.Hello"],
        "deprecated_names": [],
    }


async def test_variables_have_all_that_a_form_needs(api: Api) -> None:
    status, answer = await api.get("flows", "Express", "variables")
    assert status == 200
    assert answer["pdk_installed"]
    assert answer["missing"] == []
    known = by_name(answer["variables"])
    assert known["FP_CORE_UTIL"]["units"] == "%"
    assert known["FP_CORE_UTIL"]["default"] == 50
    assert "Express.Floorplan" in known["FP_CORE_UTIL"]["steps"]
    assert known["SYNTH_STRATEGY"]["type"]["kind"] == "choice"
    assert "DELAY 0" in known["SYNTH_STRATEGY"]["type"]["choices"]
    assert known["VERILOG_FILES"]["type"]["items"]["kind"] == "path"
    assert [t["kind"] for t in known["DIE_AREA"]["type"]["items"]] == ["decimal"] * 4
    assert known["CLOCK_PORT"]["type"] | {"any_of": 0} == {"kind": "union", "any_of": 0, "optional": True}
    assert known["CELL_LEFS"]["default_from"] == "pdk"
    assert known["CELL_LEFS"]["default"][0].endswith(".lef")
    assert "SYNTH_NO_FLAT" in known["SYNTH_HIERARCHY_MODE"]["deprecated_names"]


async def test_a_flow_whose_pdk_lacks_something_still_has_its_variables(api: Api) -> None:
    _, answer = await api.get("flows", "Classic", "variables")
    assert len(answer["variables"]) > 350
    assert "MAGICRC" in answer["missing"]  # the PDK of these tests has nothing for Magic
    assert by_name(answer["variables"])["CELL_LEFS"]["default"]


async def test_what_the_client_has_is_not_sent_again(api: Api) -> None:
    first = await api.raw("flows", "Classic", "variables")
    again = await api.raw("flows", "Classic", "variables", headers={"If-None-Match": first.headers["ETag"]})
    assert again.code == 304
    other = await api.raw("flows", "Express", "variables")
    assert other.headers["ETag"] != first.headers["ETag"]


async def test_a_pdk_that_is_installed_anew_is_read_anew(api: Api, pdk_root: Path) -> None:
    settings = pdk_root / "sky130A" / "libs.tech" / "librelane" / "sky130_fd_sc_hd" / "config.tcl"
    _, before = await api.get("flows", "Express", "variables")
    old = settings.read_text()
    try:
        settings.write_text(old.replace("IO_DELAY_CONSTRAINT) 20", "IO_DELAY_CONSTRAINT) 33"))
        _, after = await api.get("flows", "Express", "variables")
    finally:
        settings.write_text(old)
    assert by_name(before["variables"])["IO_DELAY_CONSTRAINT"]["default"] == 20
    assert by_name(after["variables"])["IO_DELAY_CONSTRAINT"]["default"] == 33


@pytest.mark.parametrize(
    ("flow", "query", "status", "words"),
    [
        ("Clasic", {}, 404, "Did you mean Classic"),
        ("Express", {"pdk": "sky999"}, 422, "sky130A"),
        ("Express", {"scl": "nothing"}, 422, "sky130_fd_sc_hd"),
    ],
)
async def test_what_is_not_there_is_named(api: Api, flow: str, query: dict[str, str], status: int, words: str) -> None:
    got, answer = await api.get("flows", flow, "variables", params=query)
    assert got == status
    assert words in answer["remedy"]
