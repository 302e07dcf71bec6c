"""The life of a build through the API, with a stand-in for LibreLane."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import psutil
import pytest
from jupyter_server.serverapp import ServerApp

from .conftest import Api, request_for, write_script

STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]


async def test_a_build_runs_to_its_end_and_its_record_is_whole(api: Api, design_dir: Path, tmp_path: Path) -> None:
    write_script(design_dir, steps=STEPS, metrics={"Yosys.Synthesis": {"design__instance__count": 42}})
    build = await api.build(design_dir, to_step="Yosys.Synthesis", tags=["course"])
    assert build["state"] == "queued"
    assert build["design"] == {"name": "counter", "directory": "course/counter"}
    done = await api.until(build["id"])
    assert done["state"] == "succeeded"
    assert done["progress"] == 100
    assert done["exit_code"] == 0
    assert done["tags"] == ["course"]
    assert done["metrics"]["design__instance__count"] == 42
    states = {s["id"]: s["state"] for s in done["steps"]}
    assert [states[s] for s in STEPS] == ["done"] * 3
    assert states["Checker.LintErrors"] == "skipped"
    events = [
        json.loads(line) for line in (tmp_path / "builds" / build["id"] / "journal.jsonl").read_text().splitlines()
    ]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "complete"
    assert (design_dir / "runs" / build["id"] / "resolved.json").exists()


async def test_steps_know_where_their_output_begins(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, print="output of {step}\n", seconds=0.3)
    done = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    log = (await api.raw("builds", done["id"], "log")).body
    offsets = [s["offset"] for s in done["steps"] if s["state"] == "done"]
    assert offsets == sorted(offsets)
    for step in done["steps"]:
        if step["state"] == "done":
            assert f"output of {step['id']}".encode() in log[max(0, step["offset"] - 64) :]


async def test_a_failing_step_fails_the_build_with_the_tools_own_line(api: Api, design_dir: Path) -> None:
    write_script(
        design_dir, steps=STEPS, fail_at="Yosys.JsonHeader", log="x\ncounter.v:3: ERROR: syntax error, unexpected ';'\n"
    )
    done = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    assert done["state"] == "failed"
    assert done["exit_code"] == 2
    assert done["error"]["step"] == "Yosys.JsonHeader"
    assert "syntax error" in done["error"]["message"]
    states = {s["id"]: s["state"] for s in done["steps"]}
    assert states["Yosys.JsonHeader"] == "failed"
    for what in ("layers", "picture", "nets"):
        status, refusal = await api.get("builds", done["id"], what)
        assert status == 404
        assert "it ended (failed) without one" in refusal["message"]
    assert states["Yosys.Synthesis"] == "pending"


async def test_cancel_ends_the_whole_tree_also_what_left_the_session(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=60, grandchild=True)
    build = await api.build(design_dir)
    await api.until(build["id"], "running")
    pid_file = design_dir / "grandchild.pid"
    for _ in range(100):
        if pid_file.exists() and pid_file.read_text():
            break
        await asyncio.sleep(0.05)
    grandchild = psutil.Process(int(pid_file.read_text()))
    status, _ = await api.post("builds", build["id"], "cancel")
    assert status == 202
    done = await api.until(build["id"])
    assert done["state"] == "cancelled"
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
    status, again = await api.post("builds", build["id"], "cancel")
    assert (status, again["state"]) == (202, "cancelled")


async def test_a_queued_build_waits_with_a_reason_and_can_be_cancelled(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=30)
    running = [await api.build(design_dir) for _ in range(2)]
    for build in running:
        await api.until(build["id"], "running")
    first, second = [await api.build(design_dir) for _ in range(2)]
    _, waiting = await api.get("builds", second["id"])
    assert waiting["state"] == "queued"
    assert waiting["queue_position"] == 2
    assert "2 builds are running" in waiting["queue_reason"]
    await api.post("builds", first["id"], "cancel")
    assert (await api.until(first["id"]))["state"] == "cancelled"
    _, waiting = await api.get("builds", second["id"])
    assert waiting["queue_position"] == 1
    await api.post("builds", running[0]["id"], "cancel")
    assert (await api.until(second["id"], "running"))["state"] == "running"


async def test_a_second_build_of_the_same_design_has_its_own_run_directory(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.5)
    builds = [await api.build(design_dir) for _ in range(2)]
    done = [await api.until(b["id"]) for b in builds]
    assert [b["state"] for b in done] == ["succeeded"] * 2
    assert len({b["run_directory"] for b in done}) == 2


async def test_a_timeout_ends_the_build_and_says_so(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=STEPS, seconds=60)
    done = await api.until((await api.build(design_dir, timeout=0.5))["id"])
    assert done["state"] == "timed_out"
    assert "0.5 s" in done["error"]["message"]


async def test_a_repeated_post_with_the_same_key_makes_one_build(api: Api, design_dir: Path) -> None:
    body = request_for(design_dir)
    answers = await asyncio.gather(
        *(api.post("builds", body=body, headers={"Idempotency-Key": "once"}) for _ in range(5))
    )
    assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 201]
    assert len({build["id"] for _, build in answers}) == 1
    _, listed = await api.get("builds")
    assert listed["total"] == 1


async def test_the_list_is_newest_first_and_can_be_narrowed(api: Api, design_dir: Path) -> None:
    write_script(design_dir, steps=["Verilator.Lint"], seconds=0.01)
    ids = [(await api.build(design_dir, name=name))["id"] for name in ("a", "b", "a")]
    for build_id in ids:
        await api.until(build_id)
    _, listed = await api.get("builds")
    assert [b["id"] for b in listed["builds"]] == ids[::-1]
    _, listed = await api.get("builds", params={"design": "a", "state": "succeeded"})
    assert [b["id"] for b in listed["builds"]] == [ids[2], ids[0]]


async def test_a_killed_supervisor_leaves_a_lost_build_and_no_orphan(
    api: Api, design_dir: Path, tmp_path: Path
) -> None:
    write_script(design_dir, steps=STEPS, seconds=60)
    build = await api.build(design_dir)
    running = await api.until(build["id"], "running")
    for _ in range(100):
        if running["current_step"]:
            break
        await asyncio.sleep(0.05)
        _, running = await api.get("builds", build["id"])
    supervisor = psutil.Process(json.loads((tmp_path / "builds" / build["id"] / "supervisor.json").read_text())["pid"])
    tree = supervisor.children(recursive=True)
    assert tree
    supervisor.kill()
    lost = await api.until(build["id"])
    assert lost["state"] == "lost"
    assert lost["error"]["step"] == "Verilator.Lint"
    gone, alive = psutil.wait_procs(tree, timeout=60)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    assert gone


async def test_a_server_that_starts_again_goes_on_with_what_is_there(
    api: Api, design_dir: Path, jp_serverapp: ServerApp, tmp_path: Path
) -> None:
    """What a new server process does: read the records, find the live supervisor, follow it to the end."""
    write_script(design_dir, steps=STEPS, seconds=0.6)
    ended = await api.until((await api.build(design_dir, to_step="Verilator.Lint"))["id"])
    live = await api.build(design_dir)
    await api.until(live["id"], "running")
    services = jp_serverapp.web_app.settings["a6hub"]
    await services.queue.stop()
    services.store.live.clear()
    services.store.close()
    (tmp_path / "builds" / ".index.sqlite").unlink()
    await asyncio.sleep(0.3)
    services.store.load()
    services.queue.start()
    assert set(services.store.live) == {live["id"]}
    services.store.wait_until_indexed()
    assert services.store.index.ids() == {ended["id"]}
    done = await api.until(live["id"])
    assert done["state"] == "succeeded"
    assert done["seq"] > 0
    _, again = await api.get("builds", ended["id"])
    assert again == ended


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_build_that_does_not_listen_is_killed(api: Api, design_dir: Path, deaf: bool) -> None:
    write_script(design_dir, steps=STEPS, seconds=60, deaf=deaf)
    build = await api.build(design_dir)
    await api.until(build["id"], "running")
    await asyncio.sleep(0.5)
    await api.post("builds", build["id"], "cancel")
    done = await api.until(build["id"], seconds=40)
    assert done["state"] == "cancelled"
