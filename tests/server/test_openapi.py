"""The document of the API says what the server does, no more and no less."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import gdstk
import pytest
import yaml
from jsonschema import ValidationError
from openapi_spec_validator import validate

from a6hub_jupyter.api import handlers
from a6hub_jupyter.api.stream import StreamHandler

from .conformance import CONTRACT, METHODS, documented
from .conftest import Api, write_script

STEPS = ["Verilator.Lint", "Yosys.Synthesis"]
REPORT = """<?xml version="1.0" encoding="utf-8"?>
<report-database><description>x</description><original-file/><generator>x</generator><top-cell>top</top-cell><tags/>
<categories><category><name>met1.width</name><description>too narrow</description><categories/></category></categories>
<cells><cell><name>top</name><variant/><layout-name/><references/></cell></cells>
<items><item><tags/><category>'met1.width'</category><cell>top</cell><visited>false</visited><multiplicity>1</multiplicity>
<comment/><image/><values><value>box: (0,0;1,2)</value></values></item></items></report-database>
"""


def objects(node: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all schemas of objects below a node, with where they are."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield where, node
        for key, value in node.items():
            yield from objects(value, f"{where}/{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from objects(value, f"{where}/{number}")


def test_the_document_is_valid() -> None:
    assert CONTRACT.document["openapi"].startswith("3.1")
    validate(CONTRACT.document)


def test_every_route_is_in_the_document_and_every_path_is_a_route() -> None:
    served = {}
    for route, handler in handlers:
        own = {m for m in METHODS if any(m in vars(c) for c in handler.__mro__ if c.__module__.startswith("a6hub_"))}
        served[documented(route)] = own
    told = {path: {m for m in METHODS if m in item} for path, item in CONTRACT.document["paths"].items()}
    assert told == served


def test_every_operation_says_what_it_does_and_who_may() -> None:
    names = []
    for item in CONTRACT.document["paths"].values():
        for method, operation in item.items():
            if method not in METHODS:
                continue
            names.append(operation["operationId"])
            assert operation["summary"].endswith(".")
            assert operation["x-action"] in {"read", "write", "execute"}
            assert operation["x-resource"] in {"a6hub:builds", "a6hub:designs", "a6hub:layouts"}
            assert {"400", "403"} <= set(operation["responses"])
            for node in [*operation.get("parameters", []), *item.get("parameters", [])]:
                assert CONTRACT.resolve(node)["description"]
    assert len(names) == len(set(names)) > 20
    [websocket] = [d for d, h in ((documented(r), h) for r, h in handlers) if h is StreamHandler]
    assert "4404" in CONTRACT.document["paths"][websocket]["get"]["x-websocket"]


def test_schemas_leave_no_room_for_drift() -> None:
    """What LibreLane names, and what clients may add, is open; all else is closed."""
    schemas = CONTRACT.document["components"]["schemas"]
    open_ones = {
        where
        for where, node in objects(schemas)
        if "additionalProperties" not in node and "unevaluated" not in str(node)
    }
    assert open_ones == {"#/Build/properties/config", "#/BuildRequest/properties/config", "#/LintRequest"}


async def test_the_server_hands_out_the_document(api: Api) -> None:
    response = await api.raw("openapi.yaml")
    assert response.code == 200
    assert yaml.safe_load(response.body) == CONTRACT.document
    again = await api.raw("openapi.yaml", headers={"If-None-Match": response.headers["ETag"]})
    assert again.code == 304
    part = await api.raw("openapi.yaml", headers={"Range": "bytes=0-6"})
    assert (part.code, part.body) == (206, b"openapi")


async def test_an_answer_that_has_drifted_is_noticed(api: Api, design_dir: Path) -> None:
    build = await api.build(design_dir)
    CONTRACT.named("Build").validate(build)
    changes: list[dict[str, Any]] = [{"extra": 1}, {"state": "done"}, {"progress": 101}, {"metrics": {"a": []}}]
    for change in changes:
        with pytest.raises(ValidationError):
            CONTRACT.named("Build").validate({**build, **change})
    for key in build:
        with pytest.raises(ValidationError):
            CONTRACT.named("Build").validate({k: v for k, v in build.items() if k != key})
    headers = {"Content-Type": "application/json", "ETag": '"x"'}
    url = f"http://host/base/api/a6hub/builds/{build['id']}?x=1"
    CONTRACT.check("GET", url, 200, headers, json.dumps(build).encode())
    for status, sent, body in (
        (418, headers, build),
        (200, {"Content-Type": "application/json"}, build),
        (200, {**headers, "Content-Type": "text/html"}, build),
        (404, headers, {"message": "x", "traceback": ""}),
    ):
        with pytest.raises(AssertionError):
            CONTRACT.check("GET", url, status, sent, json.dumps(body).encode())


async def test_every_kind_of_result_is_as_documented(api: Api, design_dir: Path) -> None:
    """``Api`` checks each answer; here are those for which other tests have no occasion."""
    write_script(design_dir, steps=STEPS, seconds=0.01)
    build = await api.until((await api.build(design_dir, to_step="Yosys.Synthesis"))["id"])
    for path in ("", "statistics", "builds"):
        response = await api.raw(path)
        assert response.code == 200
        assert (await api.raw(path, headers={"If-None-Match": response.headers["ETag"]})).code == 304
    run_dir = design_dir / "runs" / build["id"]
    library = gdstk.Library("x")
    library.new_cell("top").add(gdstk.rectangle((0, 0), (1, 2), layer=68, datatype=20))
    library.write_gds(design_dir / "chip.gds")
    for directory in (design_dir, run_dir):
        (directory / "report.lyrdb").write_text(REPORT)
    _, found = await api.get("layouts", "layers", params={"path": "course/counter/chip.gds"})
    assert [(layer["layer"], layer["datatype"]) for layer in found["layers"]] == [(68, 20)]
    assert (await api.raw("layouts", "scene", params={"path": "course/counter/chip.gds"})).code == 200
    _, found = await api.get("layouts", "markers", params={"path": "course/counter/report.lyrdb"})
    assert found["markers"] == [[0, 0, [0, 0, 1, 2]]]
    assert (await api.get("builds", build["id"], "markers"))[1] == found
    both = {"path": "course/counter/chip.gds", "other": "course/counter/chip.gds"}
    assert (await api.get("layouts", "differences", params=both))[1]["note"] == "The two layouts are equal."
    assert (await api.get("layouts", "differences", params={**both, "other": "course/gone.gds"}))[1]["field"] == "other"
    _, listed = await api.get("builds", build["id"], "artifacts")
    assert "report.lyrdb" in [a["path"] for a in listed["artifacts"]]
    for name in ("report.lyrdb", "resolved.json"):
        assert (await api.raw("builds", build["id"], "artifacts", name)).code == 200
    for what in ("picture", "scene", "layers"):
        assert (await api.get("builds", build["id"], what))[0] == 404
    assert (await api.raw("builds", build["id"], method="DELETE")).code == 204


@pytest.mark.parametrize("params", [{"after": "x"}, {"after": "9" * 5000}, {"offset": "9" * 30}, {"offset": "1.5"}])
async def test_a_stream_from_nowhere_is_closed_with_its_code(
    api: Api, design_dir: Path, jp_ws_fetch: Callable[..., Awaitable[Any]], params: dict[str, str]
) -> None:
    build = await api.build(design_dir)
    socket = await jp_ws_fetch("api", "a6hub", "builds", build["id"], "stream", params=params)
    assert await asyncio.wait_for(socket.read_message(), 20) is None
    assert socket.close_code == 4400
    socket.close()
    await asyncio.sleep(0.1)


async def test_the_messages_of_the_stream_are_as_documented(
    api: Api, design_dir: Path, jp_ws_fetch: Callable[..., Awaitable[Any]]
) -> None:
    write_script(design_dir, steps=STEPS, seconds=0.1)
    build = await api.build(design_dir, to_step="Yosys.Synthesis")
    socket = await jp_ws_fetch("api", "a6hub", "builds", build["id"], "stream", params={"after": 0})
    kinds = set()
    while (text := await asyncio.wait_for(socket.read_message(), 20)) is not None:
        message = json.loads(text)
        kinds.add(message["type"])
        assert set(message) - {"seq"} == {"type", "data", "timestamp"}
        CONTRACT.named("Time").validate(message["timestamp"])
        if message["type"] in {"status", "complete"}:
            CONTRACT.named("Build").validate(message["data"])
        elif message["type"] == "step":
            CONTRACT.named("Step").validate({k: v for k, v in message["data"].items() if k != "views"})
        elif message["type"] == "metric":
            CONTRACT.named("Metrics").validate(message["data"])
    socket.close()
    await asyncio.sleep(0.1)
    assert kinds == {"status", "step", "progress", "metric", "command", "log", "complete"}
    prose = CONTRACT.document["paths"]["/builds/{id}/stream"]["get"]["x-websocket"]
    assert all(f"`{kind}`" in prose for kind in kinds)
