"""What lies in a design's directory may be anything, and what is asked about it too: the answer is a sentence."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from a6hub_jupyter.librelane.designconfig import MAX_SIZES, ConfigFile

from .conftest import Api, request_for

DEEP = "[" * 400 + "]" * 400


@pytest.mark.parametrize(
    "text", ["a: [", "- 1\n", "a: 1\n---\nb: 2\n", "[" * 300, f"a: {DEEP}\n", "a: &a [1]\na: *a\n", "x" * 70_000]
)
async def test_a_yaml_file_that_cannot_be_kept_is_neither_read_nor_overwritten(
    api: Api, design_dir: Path, text: str
) -> None:
    path = design_dir / "config.yaml"
    path.write_text(text)
    for options in ({}, {"method": "PUT", "body": '{"config": {"A": 1}}'}):
        response = await api.raw("designs", "config", params={"path": str(design_dir)}, **options)
        assert response.code == 422
        assert json.loads(response.body)["message"].startswith("config.yaml ")
    assert path.read_text() == text
    assert list(design_dir.glob(".config*")) == []


@pytest.mark.parametrize("name", ["config.json", "config.yaml"])
async def test_numbers_that_json_lacks_come_as_words(api: Api, design_dir: Path, name: str) -> None:
    text = '{"A": 1e999, "B": [NaN]}' if name == "config.json" else "A: .inf\nB: [.nan]\n"
    (design_dir / name).write_text(text)
    status, answer = await api.get("designs", "config", params={"path": str(design_dir)})
    assert (status, answer["config"]) == (200, {"A": "inf", "B": ["nan"]})


async def test_json_that_nests_too_deep_is_refused(api: Api, design_dir: Path) -> None:
    (design_dir / "config.json").write_text(f'{{"A": {DEEP}}}')
    status, answer = await api.get("designs", "config", params={"path": str(design_dir)})
    assert (status, answer["field"]) == (422, "path")


@pytest.mark.parametrize("kind", ["json", "yaml"])
async def test_what_could_not_be_read_again_is_not_saved(api: Api, design_dir: Path, kind: str) -> None:
    config = {f"NAME_{n}": "x" for n in range(MAX_SIZES[kind] // 16)}  # grows by being indented, or is too much
    body = json.dumps({"config": config, "format": kind})
    response = await api.raw("designs", "config", params={"path": str(design_dir)}, method="PUT", body=body)
    assert response.code in {413, 422}
    assert not list(design_dir.glob("config*"))


async def test_files_are_not_read_on_the_event_loop(
    api: Api, design_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some kilobytes of YAML take a second."""
    (design_dir / "config.yaml").write_text("A: 1\n")
    seen, real = set(), ConfigFile.config

    def watched(file: ConfigFile) -> dict[str, Any]:
        seen.add(threading.get_ident())
        return real(file)

    monkeypatch.setattr(ConfigFile, "config", watched)
    assert (await api.get("designs", "config", params={"path": str(design_dir)}))[0] == 200
    assert seen
    assert threading.get_ident() not in seen


class TestPresets:
    @pytest.fixture
    def presets(self, design_dir: Path) -> Path:
        directory = design_dir / "a6hub" / "presets"
        directory.mkdir(parents=True)
        return directory

    async def test_a_project_s_link_that_leads_out_is_not_followed(
        self, api: Api, design_dir: Path, presets: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "theirs.json").write_text('{"config": {"SECRET": "of another"}}')
        (presets / "leak.json").symlink_to(tmp_path / "theirs.json")
        (presets / "good.json").write_text('{"config": {"FP_CORE_UTIL": 30}}')
        params = {"design_dir": str(design_dir)}
        assert (await api.get("presets", "leak", params=params))[0] == 404
        status, answer = await api.get("presets", params=params)
        assert status == 200
        names = [p["name"] for p in answer["presets"]]
        assert "good" in names
        assert "leak" not in names
        status, answer = await api.post("builds", body=request_for(design_dir, presets=["leak"]))
        assert (status, answer["field"]) == (422, "presets")
        assert "of another" not in json.dumps(answer)

    async def test_links_that_go_round_are_refused(self, api: Api, design_dir: Path) -> None:
        (design_dir / "a6hub").symlink_to("a6hub")
        params = {"design_dir": str(design_dir), "scope": "project"}
        body = json.dumps({"config": {"FP_CORE_UTIL": 1}, "scope": "project"})
        # Python 3.13 follows such links without a word, and the system then refuses them
        assert (await api.raw("presets", "x", params=params, method="PUT", body=body)).code in {422, 507}
        assert (await api.raw("presets", "x", params=params, method="DELETE")).code in {409, 422}
        assert (await api.get("presets", params=params))[0] == 200

    async def test_strange_content_is_refused_or_told_in_words(self, api: Api, design_dir: Path, presets: Path) -> None:
        params = {"design_dir": str(design_dir)}
        (presets / "deep.json").write_text(f'{{"config": {{"A": {DEEP}}}}}')
        assert (await api.get("presets", "deep", params=params))[0] == 422
        assert (await api.get("presets", params=params))[0] == 200
        (presets / "nan.json").write_text('{"config": {"A": NaN}}')
        assert (await api.get("presets", "nan", params=params))[1]["config"] == {"A": "nan"}

    async def test_what_could_not_be_read_again_is_not_saved(self, api: Api) -> None:
        body = json.dumps({"config": {"PDN_CFG": "x" * 300_000}})
        response = await api.raw("presets", "large", method="PUT", body=body)
        assert (response.code, json.loads(response.body)["field"]) == (422, "config")
        assert (await api.get("presets", "large"))[0] == 404

    async def test_a_long_name_is_not_sent_back_whole(self, api: Api) -> None:
        response = await api.raw("presets", "l" * 50_000)
        assert response.code == 404
        assert len(response.body) < 1000


@pytest.mark.parametrize("meta", ["[" * 9000, '{"version": []}', '{"version": {}}', '{"flow": {}}', "[]", "1e999"])
async def test_a_strange_meta_is_refused(api: Api, design_dir: Path, meta: str) -> None:
    status, answer = await api.get("flows", "Classic", "variables", params={"meta": meta})
    assert status == 422, answer
    assert "meta" in answer["field"]


@pytest.mark.parametrize("version", [[], {}, "2", True, 3])
async def test_a_strange_version_of_meta_starts_no_build(api: Api, design_dir: Path, version: Any) -> None:
    body = request_for(design_dir, config={"meta": {"version": version}})
    for path in (("builds",), ("designs", "validate")):
        status, answer = await api.post(*path, body=body)
        assert status == (422 if path == ("builds",) else 200)
        assert [e["field"] for e in answer["errors"]] == ["config.meta.version"]


async def test_a_linter_that_hangs_is_ended_with_all_it_has_started(
    api: Api, design_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verilator is a script that starts a program."""
    pid = tmp_path / "pid"
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "verilator"
    tool.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {pid}\nwait\n")
    tool.chmod(0o755)
    monkeypatch.setattr("a6hub_jupyter.api.lint.TIMEOUT", 1.0)
    monkeypatch.setattr("a6hub_jupyter.librelane.lint.command", lambda *_: [str(tool)])
    status, answer = await api.post("lint", body={"design_dir": str(design_dir), "verilog_files": ["counter.v"]})
    assert (status, answer["field"]) == (422, "verilog_files")
    for _ in range(100):
        try:
            state = Path(f"/proc/{int(pid.read_text())}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        await asyncio.sleep(0.05)
    raise AssertionError("what the script has started is still there")
