"""Presets of ours, an administrator's, a user's, a project's; and the configuration that a design keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, request_for


async def put(api: Api, *path: str, body: Any, **options: Any) -> tuple[int, dict[str, Any], Any]:
    response = await api.raw(*path, method="PUT", body=json.dumps(body), **options)
    return response.code, json.loads(response.body), response.headers


class TestPresets:
    """All four scopes."""

    @pytest.fixture
    def app_traits(self, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "admin").mkdir()
        for name in ("course", "balanced", "mine"):
            preset = {"description": "The course's.", "config": {"FP_CORE_UTIL": 20}}
            (tmp_path / "admin" / f"{name}.json").write_text(json.dumps(preset))
        (tmp_path / "admin" / "broken.json").write_text("{")
        return {"preset_dirs": [str(tmp_path / "admin")]}

    async def test_the_nearest_of_a_name_counts_and_ours_are_nobody_elses(self, api: Api, design_dir: Path) -> None:
        body = {"description": "For me.", "config": {"FP_CORE_UTIL": 31}}
        status, saved, _ = await put(api, "presets", "mine", body=body)
        assert (status, saved["scope"]) == (201, "user")
        status, _, _ = await put(api, "presets", "mine", body=body)
        assert status == 200
        where = {"design_dir": str(design_dir)}
        project = {"config": {"FP_CORE_UTIL": 32, "EXPRESS_EFFORT": 2}, "scope": "project"}
        status, _, _ = await put(api, "presets", "mine", body=project, params=where)
        assert status == 201
        assert json.loads((design_dir / "a6hub" / "presets" / "mine.json").read_text())["config"] == project["config"]
        _, listed = await api.get("presets", params=where)
        scopes = {p["name"]: p["scope"] for p in listed["presets"]}
        assert scopes == {
            **dict.fromkeys(("minimal", "balanced", "high_quality"), "builtin"),
            "course": "admin",
            "mine": "project",
        }
        assert (await api.get("presets", "mine"))[1]["scope"] == "user"
        body = request_for(design_dir, presets=["course", "mine"])
        _, answer = await api.post("designs", "validate", body=body)
        assert answer["resolved"]["FP_CORE_UTIL"] == {"value": 32, "origin": "preset mine"}
        response = await api.raw("presets", "mine", method="DELETE", params={**where, "scope": "project"})
        assert response.code == 204
        _, answer = await api.post("designs", "validate", body=body)
        assert answer["resolved"]["FP_CORE_UTIL"] == {"value": 31, "origin": "preset mine"}
        assert (await api.raw("presets", "mine", method="DELETE")).code == 204
        assert (await api.raw("presets", "mine", method="DELETE")).code == 404

    @pytest.mark.parametrize(
        ("name", "body", "field", "words"),
        [
            ("balanced", {"config": {"FP_CORE_UTIL": 3}}, "name", "another name"),
            ("..%2Fx", {"config": {"FP_CORE_UTIL": 3}}, "name", "letters"),
            ("x", {"config": {}}, "config", "at least one"),
            ("x", {"config": {"FP_CORE_UTL": 3}}, "config.FP_CORE_UTL", "FP_CORE_UTIL"),
            ("x", {"config": {"FP_CORE_UTIL": "full"}}, "config.FP_CORE_UTIL", "percent"),
            ("x", {"config": {"PDK": "sky130A"}}, "config.PDK", "request"),
            ("x", {"config": {"FP_CORE_UTIL": 3}, "scope": "admin"}, "scope", "one of these"),
            ("x", {"config": {"FP_CORE_UTIL": 3}, "scope": "project"}, "design_dir", "directory"),
            ("x", {"config": {"FP_CORE_UTIL": 3}, "sort": 1}, "sort", "scope"),
        ],
    )
    async def test_what_is_no_preset_is_refused(
        self, api: Api, name: str, body: dict[str, Any], field: str, words: str
    ) -> None:
        status, answer, _ = await put(api, "presets", name, body=body)
        assert (status, answer["field"]) == (422, field)
        assert words in answer["remedy"]

    async def test_a_damaged_or_unknown_preset_is_named(self, api: Api, design_dir: Path) -> None:
        _, answer = await api.post("designs", "validate", body=request_for(design_dir, presets=["broken"]))
        assert "'broken' cannot be read" in answer["errors"][0]["message"]
        status, answer = await api.get("presets", "cours")
        assert (status, "course" in answer["remedy"]) == (404, True)

    async def test_a_project_preset_cannot_lead_out(self, api: Api, design_dir: Path) -> None:
        place = design_dir / "a6hub" / "presets"
        place.mkdir(parents=True)
        (place / "bad.json").write_text(json.dumps({"config": {"PNR_SDC_FILE": "/etc/passwd"}}))
        _, answer = await api.post("designs", "validate", body=request_for(design_dir, presets=["bad"]))
        assert [e["field"] for e in answer["errors"]] == ["config.PNR_SDC_FILE"]


YAML = """# my chip
DESIGN_NAME: counter
VERILOG_FILES:
  - dir::counter.v  # the only one
CLOCK_PERIOD: 10.0  # ns
MY_OWN_KEY: {a: 1}
"""


class TestConfig:
    """``designs/config``."""

    async def test_json_keeps_its_order_and_what_nobody_knows(self, api: Api, design_dir: Path) -> None:
        where = {"path": str(design_dir)}
        response = await api.raw("designs", "config", params=where)
        assert json.loads(response.body)["file"] is None
        config = {"DESIGN_NAME": "counter", "//": "note", "MY_OWN_KEY": 1, "meta": {"version": 2}}
        none = {"If-Match": response.headers["ETag"]}
        status, answer, headers = await put(
            api, "designs", "config", params=where, headers=none, body={"config": config}
        )
        assert (status, answer["file"], answer["meta"]) == (200, "config.json", {"version": 2})
        assert list(json.loads((design_dir / "config.json").read_text())) == list(config)
        # somebody else was faster
        status, answer, _ = await put(api, "designs", "config", params=where, headers=none, body={"config": {}})
        assert status == 412
        changed = {"FP_CORE_UTIL": 40, **config, "DESIGN_NAME": "other"}
        good = {"If-Match": headers["ETag"]}
        status, answer, _ = await put(api, "designs", "config", params=where, headers=good, body={"config": changed})
        assert status == 200
        assert list(json.loads((design_dir / "config.json").read_text())) == [*config, "FP_CORE_UTIL"]
        assert [p.name for p in design_dir.iterdir() if p.name.startswith(".")] == []

    async def test_yaml_keeps_its_comments(self, api: Api, design_dir: Path) -> None:
        (design_dir / "config.yaml").write_text(YAML)
        where = {"path": str(design_dir)}
        _, answer = await api.get("designs", "config", params=where)
        assert answer["config"]["CLOCK_PERIOD"] == 10
        assert answer["meta"] == {"version": 2}
        config = {**answer["config"], "CLOCK_PERIOD": 7.5, "FP_CORE_UTIL": 40}
        status, _, _ = await put(api, "designs", "config", params=where, body={"config": config})
        assert status == 200
        expected = YAML.replace("10.0 ", "7.5 ") + "FP_CORE_UTIL: 40\n"
        assert (design_dir / "config.yaml").read_text().replace("7.5   #", "7.5  #") == expected

    async def test_tcl_is_read_and_never_rewritten(self, api: Api, design_dir: Path) -> None:
        tcl = "set ::env(DESIGN_NAME) counter\nset ::env(VERILOG_FILES) [glob $::env(DESIGN_DIR)/*.v]\n"
        (design_dir / "config.tcl").write_text(tcl)
        where = {"path": str(design_dir)}
        _, answer = await api.get("designs", "config", params=where)
        assert answer["config"] == {"DESIGN_NAME": "counter", "VERILOG_FILES": "dir::counter.v"}
        assert (answer["format"], answer["writable"]) == ("tcl", False)
        status, answer, _ = await put(api, "designs", "config", params=where, body={"config": {}})
        assert (status, answer["field"]) == (409, "format")
        status, answer, _ = await put(
            api, "designs", "config", params=where, body={"config": {"A": 1}, "format": "json"}
        )
        assert (status, answer["file"]) == (200, "config.json")
        assert (design_dir / "config.tcl").read_text() == tcl

    @pytest.mark.parametrize("text", ["{", "[1]", "\x00", '{"a": ' * 5000])
    async def test_a_damaged_file_is_refused_with_a_sentence(self, api: Api, design_dir: Path, text: str) -> None:
        (design_dir / "config.json").write_text(text)
        status, answer = await api.get("designs", "config", params={"path": str(design_dir)})
        assert (status, answer["field"]) == (422, "path")

    async def test_many_values_from_few_lines_of_yaml_are_refused(self, api: Api, design_dir: Path) -> None:
        rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
        (design_dir / "config.yaml").write_text("\n".join(["a0: &a0 [1, 2, 3]", *rows]))
        status, answer = await api.get("designs", "config", params={"path": str(design_dir)})
        assert status == 422
        assert "too many" in answer["message"]

    async def test_what_was_used_last_is_told(self, api: Api, design_dir: Path) -> None:
        build = await api.build(design_dir, config={"FP_CORE_UTIL": 44})
        await api.until(build["id"])
        _, answer = await api.get("designs", "config", params={"path": str(design_dir)})
        assert answer["last_used"]["build"] == build["id"]
        assert answer["last_used"]["config"]["FP_CORE_UTIL"] == 44

    async def test_a_link_does_not_lead_out(self, api: Api, design_dir: Path, tmp_path: Path) -> None:
        (tmp_path / "secret.json").write_text("{}")
        (design_dir / "config.json").symlink_to(tmp_path / "secret.json")
        status, answer = await api.get("designs", "config", params={"path": str(design_dir)})
        assert (status, answer["field"]) == (422, "path")


async def test_a_directory_is_analysed(api: Api, design_dir: Path) -> None:
    (design_dir / "tb.v").write_text("module tb; counter c(); initial $finish; endmodule\n")
    status, answer = await api.get("designs", "analysis", params={"path": str(design_dir)})
    assert status == 200
    assert (answer["name"], answer["verilog_files"], answer["clock_port"]) == ("counter", ["counter.v"], "clk")
    assert answer["unused"] == {"tb.v": "testbench"}
    empty = design_dir / "empty"
    empty.mkdir()
    status, answer = await api.get("designs", "analysis", params={"path": str(empty)})
    assert (status, answer["message"]) == (422, "The directory 'empty' holds no Verilog file.")
    status, answer = await api.get("designs", "analysis", params={"path": str(design_dir), "top": "nothing"})
    assert (status, answer["field"]) == (422, "top")
