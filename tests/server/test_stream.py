"""The live stream: each event and each byte exactly once, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, write_script

STEPS = ["Verilator.Lint", "Yosys.JsonHeader", "Yosys.Synthesis"]
Connect = Callable[..., Awaitable[Any]]
Message = dict[str, Any]


@pytest.fixture
def connect(
    api: Api, jp_ws_fetch: Callable[..., Awaitable[Any]], jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Connect]:
    """Open the stream of a build; all streams are closed at the end of the test."""
    sockets: list[Any] = []

    async def open_stream(build_id: str, **params: object) -> Any:
        sockets.append(await jp_ws_fetch("api", "a6hub", "builds", build_id, "stream", params=params))
        return sockets[-1]

    yield open_stream
    for socket in sockets:
        socket.close()
    jp_asyncio_loop.run_until_complete(asyncio.sleep(0.1))


async def messages(socket: Any) -> AsyncIterator[Message]:
    """Yield messages until the server closes."""
    while (text := await asyncio.wait_for(socket.read_message(), 20)) is not None:
        yield json.loads(text)


def text_of(stream: list[Message]) -> str:
    return "".join(m["data"]["text"] for m in stream if m["type"] == "log")


def sequence(stream: list[Message]) -> list[int]:
    """Sequence numbers of what is in the journal (a status that tells of the present repeats the last one)."""
    return [m["seq"] for m in stream if m["type"] in {"step", "progress", "metric", "complete"}]


async def test_all_of_a_build_arrives_in_order_and_once(api: Api, design_dir: Path, connect: Connect) -> None:
    write_script(design_dir, steps=STEPS, print="line of {step}\n" * 50, seconds=0.2)
    build = await api.build(design_dir, to_step="Yosys.Synthesis")
    stream = [m async for m in messages(await connect(build["id"], after=0))]
    assert stream[0]["type"] == "status"
    assert stream[0]["data"]["id"] == build["id"]
    assert stream[-1]["type"] == "complete"
    assert stream[-1]["data"]["state"] == "succeeded"
    numbers = sequence(stream)
    assert numbers == sorted(set(numbers))
    log = (await api.raw("builds", build["id"], "log")).body
    assert text_of(stream) == log.decode()
    ends = [(m["data"]["offset"], m["data"]["end"]) for m in stream if m["type"] == "log"]
    assert ends[0][0] == 0
    assert ends[-1][1] == len(log)
    assert all(a[1] == b[0] for a, b in pairwise(ends))
    done = [m["data"]["id"] for m in stream if m["type"] == "step" and m["data"]["state"] == "done"]
    assert done == STEPS


async def test_a_client_that_comes_back_goes_on_where_it_was(api: Api, design_dir: Path, connect: Connect) -> None:
    write_script(design_dir, steps=STEPS, print="é line of {step}\n" * 20, seconds=0.4)
    build = await api.build(design_dir, to_step="Yosys.Synthesis")
    seen: list[Message] = []
    after = offset = connections = 0
    while not seen or seen[-1]["type"] != "complete":
        socket = await connect(build["id"], after=after, offset=offset)
        connections += 1
        count = 0
        async for message in messages(socket):
            count += 1
            if count > 1 or connections == 1:  # each connection's first status is the present state again
                seen.append(message)
            after = max(after, message.get("seq") or 0) if message["type"] != "status" or count > 1 else after
            offset = message["data"]["end"] if message["type"] == "log" else offset
            if count == 4 and message["type"] != "complete":
                break
        assert connections < 100
    assert connections > 3
    numbers = sequence(seen)
    assert numbers == sorted(set(numbers))
    journal = [m for m in seen if m["type"] == "step" and m["data"]["state"] == "done"]
    assert [m["data"]["id"] for m in journal] == STEPS
    assert text_of(seen) == (await api.raw("builds", build["id"], "log")).body.decode()


async def test_a_finished_build_is_told_from_any_point(api: Api, design_dir: Path, connect: Connect) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.01)
    done = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    stream = [m async for m in messages(await connect(done["id"], after=done["seq"] - 3, offset=-10))]
    assert stream[0]["type"] == "status"
    assert min(m["seq"] for m in stream if m["type"] in {"step", "progress", "metric"}) == done["seq"] - 2
    assert len(text_of(stream).encode()) == 10
    assert stream[-1]["type"] == "complete"


async def test_without_a_number_the_events_begin_at_the_present(api: Api, design_dir: Path, connect: Connect) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.01)
    done = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    stream = [m async for m in messages(await connect(done["id"]))]
    assert {m["type"] for m in stream} == {"status", "log", "complete"}
    assert stream[0]["data"]["metrics"] == done["metrics"]


async def test_a_queued_build_tells_when_its_turn_comes(api: Api, design_dir: Path, connect: Connect) -> None:
    write_script(design_dir, steps=STEPS[:1], seconds=0.8)
    builds = [await api.build(design_dir, to_step="Verilator.Lint") for _ in range(3)]
    stream = [m async for m in messages(await connect(builds[2]["id"]))]
    states = [m["data"]["state"] for m in stream if m["type"] in {"status", "complete"}]
    assert states[0] == "queued"
    assert states[-1] == "succeeded"
    assert "running" in states
    assert stream[0]["data"]["queue_position"] == 1


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"caf\xe9 \xff\xfe end", "caf\ufffd \ufffd\ufffd end"),
        (b"50%\r100%\n", "50%\r100%\r\n"),  # the terminal makes \\n a \\r\\n
        (b"\x1b]8;;file:///x\x1b\\link\x1b]8;;\x1b\\", "\x1b]8;;file:///x\x1b\\link\x1b]8;;\x1b\\"),
        (b"nul \0 byte", "nul \0 byte"),
        ("é€𝄞".encode() * 30_000, "é€𝄞" * 30_000),
    ],
)
async def test_whatever_a_tool_prints_arrives_as_valid_text(
    api: Api, design_dir: Path, connect: Connect, raw: bytes, text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "printing"
    (tmp_path / "raw").write_bytes(raw)
    tool.write_text(f"#!/bin/sh\ncat {tmp_path / 'raw'}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("LIBRELANE_PATH", str(tool))
    build = await api.build(design_dir)
    stream = [m async for m in messages(await connect(build["id"]))]
    assert text_of(stream) == text
    log = (await api.raw("builds", build["id"], "log")).body
    assert log.replace(b"\r\n", b"\n") == raw
    assert [m["data"]["end"] for m in stream if m["type"] == "log"][-1] == len(log)


async def test_an_unknown_build_and_bad_parameters_close_with_a_code(
    api: Api, design_dir: Path, connect: Connect
) -> None:
    socket = await connect("20261123-121314-counter-abcdef")
    assert await socket.read_message() is None
    assert socket.close_code == 4404
    build = await api.build(design_dir)
    socket = await connect(build["id"], after="x")
    assert await socket.read_message() is None
    assert socket.close_code == 4400


async def test_ping_is_answered_and_noise_is_passed_over(api: Api, design_dir: Path, connect: Connect) -> None:
    write_script(design_dir, steps=STEPS[:1], seconds=3)
    build = await api.build(design_dir)
    socket = await connect(build["id"])
    for text in ("{", "[]", "null", '{"type": 3}', "[" * 3000, '{"type": "ping"}'):
        await socket.write_message(text)
    async for message in messages(socket):
        if message["type"] == "pong":
            break
    else:
        pytest.fail("no pong came")


async def test_a_client_that_does_not_read_costs_nobody_anything(api: Api, design_dir: Path, connect: Connect) -> None:
    """The server holds no queue for it: the others get all of 8 MB, and its own socket just waits."""
    write_script(design_dir, steps=STEPS[:1], print=("x" * 79 + "\n") * 100_000, seconds=0.2)
    build = await api.build(design_dir, to_step="Verilator.Lint")
    await connect(build["id"])
    stream = [m async for m in messages(await connect(build["id"]))]
    assert len(text_of(stream)) > 8_000_000
    assert stream[-1]["data"]["state"] == "succeeded"
