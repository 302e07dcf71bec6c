"""Everything is killed at random: nothing is lost, repeated, or left over.

``A6HUB_CHAOS=200`` does that many random kills (cancels are not counted), some in real Express builds;
``A6HUB_CHAOS_SEED`` chooses others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import psutil

from a6hub_jupyter.builds import journal

from .conftest import design, request_for
from .processes import REAL, Follower, Kernel, Server, end

KILLS = int(os.environ.get("A6HUB_CHAOS", "25"))
STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]


class Chaos:
    """Keeps builds going, and kills at random."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.random = server, random.Random(seed)
        script = {"steps": STEPS, "print": "line of {step}\n" * 20}
        self.designs = [
            design(server.work, "plain", **script, seconds=0.3),
            design(server.work, "long", **script, seconds=1.0),
            design(server.work, "tree", **script, seconds=0.6, grandchild=True),
        ]
        if REAL:
            self.designs.append(design(server.work, "real"))
        self.followers: dict[str, Follower] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.kills: Counter[str] = Counter()
        self.hit: dict[str, set[str]] = {}
        self.kernel = Kernel(server)
        self.waited: dict[str, str] = {}
        self.over = False

    async def watch(self) -> None:
        """Wait in a kernel for one build after the other; a new kernel goes on with the build that it lost."""
        while not self.over:
            if live := self.live():
                build_id = self.random.choice(live)
                while (state := await self.kernel.wait_for(build_id)) is None:
                    await self.kernel.start()
                self.waited[build_id] = state
            else:
                await asyncio.sleep(0.1)

    async def build(self) -> None:
        """Post one build, insisting, and follow it."""
        body = request_for(self.random.choice(self.designs), to_step=None)
        key = f"{self.random.random()}"
        if not (Path(body["design_dir"]) / "double.json").exists():
            body["to_step"] = None
        built = await self.server.insist("POST", "builds", json=body, headers={"Idempotency-Key": key})
        follower = self.followers[built["id"]] = Follower(self.server, built["id"])
        self.hit[built["id"]] = set()
        await follower.follow()

    def live(self) -> list[str]:
        return [i for i, f in self.followers.items() if f.end is None]

    async def kill(self) -> None:
        kinds = ["server", *["supervisor", "librelane", "websocket"] * 3, "kernel", "kernel", "cancel"]
        kind = self.random.choice(kinds)
        if kind == "kernel":
            self.kills[kind] += await self.kernel.kill()
            return
        if kind == "server":
            self.server.kill()
            await asyncio.sleep(self.random.random())
            await self.server.start()
            self.kills[kind] += 1
            return
        live = self.live()
        if not live:
            return
        victim = self.random.choice(live)
        directory = self.server.builds / victim
        if kind == "websocket":
            self.followers[victim].drop()
            self.kills[kind] += 1
        elif kind == "cancel":
            self.hit[victim].add(kind)
            await self.server.insist("POST", f"builds/{victim}/cancel")
            self.kills[kind] += 1
        else:
            known = journal.read_json(directory / journal.SUPERVISOR)
            if not isinstance(known, dict):
                return
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(known["pid"])
                if str(directory) not in process.cmdline():
                    return
                if kind == "librelane":
                    process = process.children()[0] if process.children() else process
                    # by its number: a child that is about to become LibreLane has its parent's command line
                    kind = "librelane" if process.pid != known["pid"] else "supervisor"
                self.hit[victim].add(kind)
                self.kills[kind] += end(process)

    async def run(self, kills: int) -> None:
        watching = asyncio.create_task(self.watch())
        while sum(self.kills.values()) - self.kills["cancel"] < kills:
            assert not watching.done(), watching.exception()
            self.tasks = [t for t in self.tasks if not t.done() or t.result()]
            while len(self.tasks) < 4:
                self.tasks.append(asyncio.create_task(self.build()))
            await asyncio.sleep(self.random.random() * 0.6)
            await self.kill()
        await asyncio.wait_for(asyncio.gather(*self.tasks), 180)
        self.over = True
        await asyncio.wait_for(watching, 180)
        await self.kernel.stop()

    def check_end(self, build_id: str) -> str:
        """Each build ends as what happened to it says."""
        follower, hit = self.followers[build_id], self.hit[build_id]
        assert follower.end is not None
        data = follower.end["data"]
        result = journal.read_json(self.server.builds / build_id / journal.RESULT)
        state = str(data["state"])
        if state == "lost":
            assert "supervisor" in hit, (build_id, hit, data["error"])
            assert result is None
        else:
            assert result is None or result["state"] == state
        expected = {"succeeded"} | {
            state
            for kind, state in (("supervisor", "lost"), ("librelane", "failed"), ("cancel", "cancelled"))
            if kind in hit
        }
        assert state in expected, (build_id, hit, data)
        if "supervisor" not in hit and state == "succeeded":
            assert data["exit_code"] == 0
        return state


async def test_nothing_that_is_killed_loses_or_leaves_anything(server: Server) -> None:
    seed = int(os.environ.get("A6HUB_CHAOS_SEED", "3"))
    chaos = Chaos(server, seed)
    begun = time.monotonic()
    await chaos.run(KILLS)
    states: Counter[str] = Counter()
    for build_id, follower in chaos.followers.items():
        follower.check()
        states[chaos.check_end(build_id)] += 1
    assert chaos.waited.items() <= {i: f.end["data"]["state"] for i, f in chaos.followers.items() if f.end}.items()
    assert chaos.waited
    listed = await server.insist("GET", "builds?limit=200")
    assert {b["id"]: b["state"] for b in listed["builds"]} == {
        i: f.end["data"]["state"] for i, f in chaos.followers.items() if f.end
    }
    names = {p.name for p in server.builds.iterdir() if p.is_dir()}  # hidden: a request half put on record
    assert {n for n in names if not n.startswith(".")} == set(chaos.followers)
    await asyncio.sleep(0.5)
    assert server.marked() == []
    connections = sum(f.connections for f in chaos.followers.values())
    events = sum(len(f.events) for f in chaos.followers.values())
    print(
        f"\nseed {seed}: {dict(chaos.kills)} in {time.monotonic() - begun:.0f} s; {dict(states)}; "
        f"{connections} connections, {events} events, {len(chaos.waited)} builds waited for in kernels"
    )


async def test_tools_die_with_the_supervisor_though_no_server_runs(server: Server, tmp_path: Path) -> None:
    """The tool that LibreLane has started gets the hang-up of the terminal."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\nsleep 600 &\necho $! > pid\nwait\n")
    tool.chmod(0o755)
    (tmp_path / "librelane").unlink()
    (tmp_path / "librelane").symlink_to(tool)
    directory = design(server.work, "plain")
    build = await server.insist("POST", "builds", json=request_for(directory))
    for _ in range(200):
        if (directory / "pid").exists() and (directory / "pid").read_text():
            break
        await asyncio.sleep(0.05)
    sleeping = psutil.Process(int((directory / "pid").read_text()))
    server.kill()
    known = json.loads((server.builds / build["id"] / journal.SUPERVISOR).read_text())
    assert end(psutil.Process(known["pid"]))
    gone, _ = psutil.wait_procs([sleeping], timeout=60)
    assert gone or sleeping.status() == psutil.STATUS_ZOMBIE
