"""What can be done with builds afterwards: lists, notes, retry, resume, deletion, statistics, retention."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from a6hub_jupyter.api import builds
from a6hub_jupyter.app import EVENT_SCHEMA
from a6hub_jupyter.builds.index import Row
from a6hub_jupyter.builds.model import BuildRequest, Snapshot
from a6hub_jupyter.builds.retention import Retention

from .conftest import Api, write_script

STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]


async def finished(api: Api, design_dir: Path, **changes: Any) -> dict[str, Any]:
    """Run a short build to its end."""
    if not (design_dir / "double.json").exists():
        write_script(design_dir, steps=STEPS, seconds=0.01)
    return await api.until((await api.build(design_dir, to_step="Yosys.Synthesis", **changes))["id"])


async def test_pages_of_the_list_hold_each_build_once(api: Api, design_dir: Path) -> None:
    ids = [(await finished(api, design_dir))["id"] for _ in range(5)]
    for sort, expected in (("-created", ids[::-1]), ("created", ids)):
        seen: list[str] = []
        params = {"limit": "2", "sort": sort}
        while True:
            status, page = await api.get("builds", params=params)
            assert status == 200
            seen += [b["id"] for b in page["builds"]]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        assert seen == expected


async def test_ended_builds_are_listed_off_the_event_loop(
    api: Api, design_dir: Path, jp_serverapp: ServerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading, counting and serialising a long history must not hold up the streams of running builds."""
    build = await finished(api, design_dir)
    loop, seen = threading.get_ident(), []
    index = jp_serverapp.web_app.settings["a6hub"].store.index

    def watch(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def watched(*arguments: Any) -> Any:
            seen.append((name, threading.get_ident()))
            return real(*arguments)

        monkeypatch.setattr(owner, name, watched)

    for owner, name in ((index, "find"), (index, "count"), (builds, "build_json"), (index, "statistics")):
        watch(owner, name)
    assert [b["id"] for b in (await api.get("builds"))[1]["builds"]] == [build["id"]]
    assert (await api.get("statistics"))[0] == 200
    assert {name for name, _ in seen} == {"find", "count", "build_json", "statistics"}
    assert [name for name, thread in seen if thread == loop] == []


async def test_the_list_is_narrowed_by_tag_text_and_state(api: Api, design_dir: Path) -> None:
    first = await finished(api, design_dir, tags=["exam", "2026"])
    await finished(api, design_dir)
    for params, ids in (
        ({"tag": "exam"}, [first["id"]]),
        ({"tag": "exa"}, []),
        ({"text": "EXAM"}, [first["id"]]),
        ({"text": first["id"][-6:]}, [first["id"]]),
        ({"state": "failed"}, []),
    ):
        _, page = await api.get("builds", params=params)
        assert [b["id"] for b in page["builds"]] == ids, params
        assert page["total"] == len(ids)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "0000000011"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"state": "done"}, "state"),
        ({"sort": "name"}, "sort"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "WzEsMl0="}, "cursor"),
    ],
)
async def test_a_bad_list_parameter_is_named(api: Api, params: dict[str, str], field: str) -> None:
    status, answer = await api.get("builds", params=params)
    assert (status, answer["field"]) == (422, field)


async def test_notes_are_guarded_against_lost_changes(api: Api, design_dir: Path) -> None:
    build = await finished(api, design_dir, tags=["a"])
    response = await api.raw("builds", build["id"])
    etag = response.headers["ETag"]
    body = json.dumps({"tags": ["b"], "notes": "clean at 60 %"})
    changed = await api.raw("builds", build["id"], method="PATCH", body=body, headers={"If-Match": etag})
    assert changed.code == 200
    assert json.loads(changed.body)["tags"] == ["b"]
    late = await api.raw("builds", build["id"], method="PATCH", body=body, headers={"If-Match": etag})
    assert late.code == 412
    _, page = await api.get("builds", params={"tag": "b", "text": "60 %"})
    assert [b["notes"] for b in page["builds"]] == ["clean at 60 %"]


@pytest.mark.parametrize(
    "body", [{"state": "failed"}, {"tags": "x"}, {"tags": [""]}, {"notes": 3}, {"tags": ["x"] * 51}]
)
async def test_nothing_else_of_a_build_can_be_changed(api: Api, design_dir: Path, body: dict[str, Any]) -> None:
    build = await finished(api, design_dir)
    response = await api.raw("builds", build["id"], method="PATCH", body=json.dumps(body))
    assert response.code == 422
    assert json.loads(response.body)["field"] == next(iter(body))


async def test_a_retry_is_a_new_build_with_the_same_request(api: Api, design_dir: Path) -> None:
    first = await finished(api, design_dir, tags=["x"], config={"FP_CORE_UTIL": 42})
    status, second = await api.post("builds", first["id"], "retry")
    assert status == 201
    assert second["retry_of"] == first["id"]
    assert second["id"] != first["id"]
    assert second["config"] == first["config"]
    done = await api.until(second["id"])
    assert done["state"] == "succeeded"
    assert done["run_directory"] != first["run_directory"]


async def test_a_failed_build_is_resumed_where_it_failed(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS[:2], fail_at="Yosys.JsonHeader", seconds=0.01)
    failed = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    assert failed["state"] == "failed"
    write_script(design_dir, steps=STEPS[1:], first=3, seconds=0.01)
    status, resumed = await api.post("builds", failed["id"], "resume")
    assert status == 201, resumed
    done = await api.until(resumed["id"])
    assert done["state"] == "succeeded"
    assert done["resume_of"] == failed["id"]
    assert done["run_directory"] == failed["run_directory"]
    assert done["steps"][0]["id"] == "Yosys.JsonHeader"
    assert [s["state"] for s in done["steps"] if s["id"] in STEPS] == ["done", "done"]


async def test_only_one_build_goes_on_in_a_run_directory(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS[:1], fail_at="Verilator.Lint", seconds=0.01)
    failed = await api.until((await api.build(design_dir))["id"])
    write_script(design_dir, steps=STEPS, first=5, seconds=2)
    answers = await asyncio.gather(*(api.post("builds", failed["id"], "resume") for _ in range(3)))
    assert sorted(status for status, _ in answers) == [201, 409, 409]
    gone = await api.raw("builds", failed["id"], method="DELETE", params={"run_directory": "true"})
    assert gone.code == 409


async def test_a_resumed_build_has_what_the_first_made(api: Api, design_dir: Path) -> None:
    views = {"Verilator.Lint": {"gds": "layout", "render": "picture"}}
    write_script(design_dir, steps=STEPS[:2], views=views, fail_at="Yosys.JsonHeader", seconds=0.01)
    failed = await api.until((await api.build(design_dir))["id"])
    state = json.loads((design_dir / "runs" / failed["id"] / "01-verilator-lint" / "state_out.json").read_text())
    write_script(design_dir, steps=STEPS[1:], first=3, state=state, seconds=0.01)
    _, resumed = await api.post("builds", failed["id"], "resume")
    done = await api.until(resumed["id"])
    assert done["has_layout"]
    assert done["has_picture"]
    assert done["metrics"]["design__instance__count"] >= 1


async def test_what_still_runs_is_neither_retried_resumed_nor_deleted(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=30)
    build = await api.build(design_dir)
    for action in ("retry", "resume"):
        status, answer = await api.post("builds", build["id"], action)
        assert status == 409
        assert answer["remedy"]
    assert (await api.raw("builds", build["id"], method="DELETE")).code == 409


async def test_a_deleted_build_is_gone_and_the_users_files_stay(api: Api, design_dir: Path, tmp_path: Path) -> None:
    builds = [await finished(api, design_dir) for _ in range(2)]
    run_dirs = [design_dir / "runs" / b["id"] for b in builds]
    assert (await api.raw("builds", builds[0]["id"], method="DELETE")).code == 204
    assert run_dirs[0].is_dir()
    gone = await api.raw("builds", builds[1]["id"], method="DELETE", params={"run_directory": "true"})
    assert gone.code == 204
    assert not run_dirs[1].exists()
    for build in builds:
        assert (await api.get("builds", build["id"]))[0] == 404
        assert not (tmp_path / "builds" / build["id"]).exists()
    assert (await api.get("builds"))[1]["total"] == 0


async def test_expected_times_come_from_this_design_then_from_the_flow(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.4)
    first = await finished(api, design_dir)
    assert first["eta_basis"] is None
    write_script(design_dir, steps=STEPS, seconds=1.0)
    build = await api.build(design_dir, to_step="Yosys.Synthesis")
    running = await api.until(build["id"], "running")
    assert running["eta_basis"] == "1 build of this design"
    assert 0 < running["eta_seconds"] <= 1.6
    other = await api.build(design_dir, name="another", to_step="Yosys.Synthesis")
    assert (await api.until(other["id"], "running"))["eta_basis"] == "1 build of the flow Express"


async def test_statistics_count_and_time(api: Api, design_dir: Path) -> None:
    await finished(api, design_dir)
    _, answer = await api.get("statistics")
    assert answer["builds"] == {"Express": {"succeeded": 1}}
    assert answer["steps"]["Express"]["Yosys.Synthesis"]["count"] == 1


async def test_metrics_and_steps_for_programs(api: Api, design_dir: Path) -> None:
    metrics = {"Yosys.Synthesis": {"a__b": 1.5, "worst": 1e400}}
    write_script(design_dir, steps=STEPS, metrics=metrics, seconds=0.01)
    build = await finished(api, design_dir)
    _, answer = await api.get("builds", build["id"], "metrics")
    assert answer["metrics"]["a__b"] == 1.5
    assert answer["metrics"]["worst"] == "inf"
    response = await api.raw("builds", build["id"], "metrics", params={"format": "csv"})
    assert b"a__b,1.5" in response.body
    assert (await api.get("builds", build["id"], "metrics", params={"format": "xls"}))[0] == 422
    _, answer = await api.get("builds", build["id"], "steps")
    assert [s["id"] for s in answer["steps"] if s["state"] == "done"] == STEPS


async def test_the_log_by_step_and_by_range(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, print="output of {step}\n", seconds=0.3)
    build = await finished(api, design_dir)
    part = await api.raw("builds", build["id"], "log", params={"step": "Yosys.JsonHeader"})
    assert b"Yosys.Synthesis" not in part.body
    whole = (await api.raw("builds", build["id"], "log")).body
    ranged = await api.raw("builds", build["id"], "log", headers={"Range": "bytes=3-9"})
    assert (ranged.code, ranged.body) == (206, whole[3:10])
    tail = await api.raw("builds", build["id"], "log", headers={"Range": "bytes=-5"})
    assert tail.body == whole[-5:]
    assert tail.headers["Content-Range"] == f"bytes {len(whole) - 5}-{len(whole) - 1}/{len(whole)}"
    beyond = await api.raw("builds", build["id"], "log", headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.code == 416
    assert (await api.get("builds", build["id"], "log", params={"step": "No.Such"}))[0] == 404


async def test_the_log_is_searched_without_colours_by_pattern_and_level(api: Api, design_dir: Path) -> None:
    text = "\x1b[31mERROR\x1b[0m: first\nWARNING second\n[INFO] third (a+)\n"
    write_script(design_dir, steps=STEPS[:1], print=text, seconds=0.01)
    build = await api.until((await api.build(design_dir, to_step="Verilator.Lint"))["id"])

    async def found(**params: str) -> list[str]:
        status, answer = await api.get("builds", build["id"], "log", "search", params=params)
        assert status == 200, answer
        assert answer["complete"]
        return [line["text"] for line in answer["lines"]]

    assert await found(pattern="error: F") == ["ERROR: first"]
    assert await found(pattern="error: F", case="true") == []
    assert await found(pattern=r"^\w+ sec", regex="true") == ["WARNING second"]
    assert await found(pattern="(a+)") == ["[INFO] third (a+)"]
    assert await found(level="warning") == ["WARNING second"]
    assert await found(level="error", pattern="first") == ["ERROR: first"]
    for params in ({"pattern": "(", "regex": "true"}, {"level": "loud"}, {"regex": "maybe"}, {"pattern": "x" * 501}):
        status, answer = await api.get("builds", build["id"], "log", "search", params=params)
        assert status == 422
        assert answer["field"] in params


async def test_a_pattern_made_to_hang_is_cut_short(api: Api, design_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("a6hub_jupyter.api.log.SEARCH_SECONDS", 0.3)
    write_script(design_dir, steps=STEPS[:1], print="a" * 5000 + "\n", seconds=0.01)
    build = await api.until((await api.build(design_dir, to_step="Verilator.Lint"))["id"])
    params = {"pattern": r"(a|a)+$b", "regex": "true"}
    status, answer = await api.get("builds", build["id"], "log", "search", params=params)
    assert status == 200
    assert answer["complete"] is False or answer["lines"] == []


async def test_a_zip_of_a_selection_leaves_links_out(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, views={"Yosys.Synthesis": {"nl": "module x; endmodule"}}, seconds=0.01)
    build = await finished(api, design_dir)
    run_dir = design_dir / "runs" / build["id"]
    (run_dir / "03-yosys-synthesis" / "link").symlink_to("/etc/passwd")
    response = await api.raw("builds", build["id"], "archive", params={"path": "03-yosys-synthesis"})
    archive = zipfile.ZipFile(io.BytesIO(response.body))
    names = [n.split("/", 1)[1] for n in archive.namelist()]
    assert "03-yosys-synthesis/view.nl" in names
    assert not any("link" in n or n.startswith("01-") for n in names)
    assert archive.read(f"{build['id']}/03-yosys-synthesis/view.nl") == b"module x; endmodule"
    assert (await api.get("builds", build["id"], "archive", params={"path": "nothing"}))[0] == 404


async def test_the_oldest_records_go_first_and_run_directories_stay(
    api: Api, design_dir: Path, jp_serverapp: ServerApp
) -> None:
    ids = [(await finished(api, design_dir))["id"] for _ in range(3)]
    queue = jp_serverapp.web_app.settings["a6hub"].queue
    for retention, removed in (
        (Retention(), []),
        (Retention(days=1), []),
        (Retention(count=2), ids[:1]),
        (Retention(total_bytes=1), ids[1:]),
    ):
        queue._retention = retention
        assert await queue.clean_up() == removed
    assert (await api.get("builds"))[1]["total"] == 0
    assert all((design_dir / "runs" / i).is_dir() for i in ids)


async def test_ten_thousand_builds_are_listed_from_the_index(
    api: Api, jp_serverapp: ServerApp, design_dir: Path
) -> None:
    """The index answers, not the directories: there are none for these."""
    build = await finished(api, design_dir)
    store = jp_serverapp.web_app.settings["a6hub"].store
    record = store.get(build["id"])
    rows: list[Row] = []
    for number in range(10_000):
        request = BuildRequest.from_json({**record.request.to_json(), "id": f"2025{number:04}-000000-x-{number:06x}"})
        rows.append((request, Snapshot.from_json(record.snapshot.to_json()), {}, None))
    store.index.put(rows)
    _, page = await api.get("builds", params={"limit": "50"})
    assert page["total"] == 10_001
    assert len(page["builds"]) == 50


async def test_a_damaged_index_is_made_anew(
    api: Api, design_dir: Path, jp_serverapp: ServerApp, tmp_path: Path
) -> None:
    build = await finished(api, design_dir)
    store = jp_serverapp.web_app.settings["a6hub"].store
    await jp_serverapp.web_app.settings["a6hub"].queue.stop()
    store.close()
    path = tmp_path / "builds" / ".index.sqlite"
    path.with_name(".index.sqlite-wal").unlink(missing_ok=True)
    path.write_bytes(b"not a database" * 1000)
    store.__init__(store.directory)
    store.load()
    store.wait_until_indexed()
    assert store.index.ids() == {build["id"]}
    assert (await api.get("builds", build["id"]))[1]["metrics"] == build["metrics"]


async def test_records_are_for_their_owner_alone(api: Api, design_dir: Path, tmp_path: Path) -> None:
    """Another user's server, which runs as that user, reads neither a record nor the index."""
    build = await finished(api, design_dir)
    for path in (tmp_path / "builds", tmp_path / "builds" / build["id"], *(tmp_path / "builds").glob(".index.sqlite*")):
        assert path.stat().st_mode & 0o077 == 0, path


async def test_jupyters_events_tell_of_builds(api: Api, design_dir: Path, jp_serverapp: ServerApp) -> None:
    heard: list[dict[str, Any]] = []

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        assert logger is jp_serverapp.event_logger
        heard.append({"schema": schema_id, **data})

    assert jp_serverapp.event_logger is not None
    jp_serverapp.event_logger.add_listener(schema_id=EVENT_SCHEMA, listener=listen)
    build = await finished(api, design_dir)
    for _ in range(100):
        if len(heard) == 2:
            break
        await asyncio.sleep(0.02)
    assert [(e["action"], e["build_id"], e["state"]) for e in heard] == [
        ("created", build["id"], "queued"),
        ("finished", build["id"], "succeeded"),
    ]
    assert heard[1]["seconds"] > 0
