"""The handle on an inspector whose process does not do what it should."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from a6hub_jupyter.toolchains.base import Probe
from a6hub_jupyter.toolchains.inspecting import InspectorError, InspectorWorker


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files where Linux lists them")
@pytest.mark.parametrize("command", ["exit 125", "sleep 0.2; exit 125", "exec sleep 600"])
def test_a_process_that_gives_no_answer_leaves_no_pipe_open(command: str) -> None:
    async def open_files() -> tuple[set[str], set[str]]:
        await asyncio.create_subprocess_exec("true")  # what asyncio itself opens once
        worker = InspectorWorker({"PATH": os.environ["PATH"]}, 1.0, Probe(["sh", "-c", command], {}, "key"))
        before = {p.name for p in Path("/proc/self/fd").iterdir()}
        for _ in range(2):
            with pytest.raises(InspectorError):
                await worker.ask({})
        await worker.close()
        return before, {p.name for p in Path("/proc/self/fd").iterdir()}

    before, after = asyncio.run(open_files())
    assert len(after) <= len(before)
