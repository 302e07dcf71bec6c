"""Whatever a client sends, a real server answers in time, as the document says, and never with a 5xx.

``A6HUB_FUZZ=10000`` makes that many requests instead of the few of every day.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gdstk
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis import checks as basic
from schemathesis.config import GenerationConfig
from schemathesis.specs.openapi import checks

from ..conftest import DOUBLE
from .conformance import CONTRACT
from .conftest import COUNTER, write_script
from .live import LiveServer, live_server
from .test_openapi import REPORT

REQUESTS = int(os.environ.get("A6HUB_FUZZ", "1500"))
SEED = int(os.environ.get("A6HUB_FUZZ_SEED", "1"))
# What comes from one operation before the next has its turn; builds start processes and are made less often.
ROUND = {"createBuild": 40, "retryBuild": 12, "resumeBuild": 12, "deleteBuild": 12, "lint": 15, "getInfo": 3}
ROUND |= {"listFlows": 2, "listVariables": 8, "listPresets": 5, "getPreset": 8, "savePreset": 10, "deletePreset": 8}
ROUND |= {"validateDesign": 15, "analyseDesign": 8, "getConfig": 8, "saveConfig": 10}
CHECKS = [
    basic.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
GOOD_CONFIG = {"DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::counter.v"], "CLOCK_PERIOD": 10}

MODES: list[Any] = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
LONGEST_ADDRESS = 60_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pdk_root: Path) -> Iterator[LiveServer]:
    """A server with a design, a layout, a report of findings, and links that lead out."""
    directory = tmp_path_factory.mktemp("fuzz")
    design = directory / "root" / "course"
    design.mkdir(parents=True)
    (design / "counter.v").write_text(COUNTER)
    write_script(design, steps=["Verilator.Lint", "Yosys.Synthesis"], seconds=0.01)
    library = gdstk.Library("x")
    library.new_cell("top").add(gdstk.rectangle((0, 0), (1, 2), layer=68, datatype=20))
    library.write_gds(design / "chip.gds")
    (design / "broken.gds").write_bytes(b"\x00\x06\x00\x02\x02\x58 and no more")
    (design / "report.lyrdb").write_text(REPORT)
    (design / "out.gds").symlink_to("/etc/passwd")
    (design / "out").symlink_to("/etc")
    with live_server(directory, pdk_root, DOUBLE, max_running=1, max_queued=5000, build_timeout=30.0) as server:
        yield server


@pytest.fixture(scope="module")
def made() -> list[str]:
    """The ids of builds that were made to be looked at."""
    return []


@pytest.fixture
def build(server: LiveServer, made: list[str]) -> str:
    """Return the id of a build that has succeeded; another one where the fuzzer has deleted the last."""
    if made and server.call("GET", f"/builds/{made[-1]}").status_code == 200:
        return made[-1]
    answer = server.call("POST", "/builds", json={"design_dir": "course", "config": GOOD_CONFIG})
    assert answer.status_code == 201, answer.text
    build_id = str(answer.json()["id"])
    for _ in range(600):
        if server.call("GET", f"/builds/{build_id}").json()["state"] == "succeeded":
            made.append(build_id)
            return build_id
        time.sleep(0.1)
    raise AssertionError(server.call("GET", f"/builds/{build_id}").text)


class Fuzzer:
    """Sends what schemathesis makes of the document, mixed with what is really there, and keeps what went wrong."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._ids: list[str] = []
        self.sent: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.slowest = (0.0, "")
        self.problems: dict[str, str] = {}

    def run(self, total: int) -> None:
        """Go through all operations until ``total`` requests have been made."""
        document = schemathesis.openapi.from_dict(without(CONTRACT.document, "prefixItems"))
        document.config.generation = GenerationConfig(with_security_parameters=False)
        results: list[Any] = list(document.get_all_operations())
        operations = [result.ok() for result in results]
        operations.sort(key=lambda o: o.method == "delete")
        for number in itertools.count(SEED * 1000):
            for index, operation in enumerate(operations):
                for mode in MODES:
                    self._operation(operation, mode, number * 100 + index)
                    if self.sent.total() >= total:
                        return

    def _operation(self, operation: Any, mode: GenerationMode, number: int) -> None:
        name = operation.definition.raw["operationId"]
        self._ids = [b["id"] for b in self._server.call("GET", "/builds?limit=20").json()["builds"]]

        @seed(number)
        @settings(
            max_examples=ROUND.get(name, 20),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), mix=st.integers(0, 1 << 32))
        def send(case: Any, mix: int) -> None:
            self._send(name, mend(case, self._ids, random.Random(mix)))

        try:
            send()
        except Unsatisfiable:  # nothing can be wrong with an operation that has no parameters
            assert mode is GenerationMode.NEGATIVE

    def _send(self, name: str, case: Any) -> None:
        began = time.monotonic()
        try:
            response = case.call(base_url=self._server.url, session=self._server.session, timeout=20)
        except requests.exceptions.InvalidHeader:
            return  # cannot be sent at all
        except requests.RequestException as problem:
            if problem.request is not None and len(problem.request.url or "") > LONGEST_ADDRESS:
                return  # tornado hangs up on more than 64 kB of headers; no handler has seen it
            self.problems[f"{name}: {type(problem).__name__}"] = f"{problem}\n{case.as_curl_command()}"
            return
        finally:
            self.sent[name] += 1
            self.slowest = max(self.slowest, (time.monotonic() - began, name))
        self.statuses[response.status_code] += 1
        if response.status_code == 400 and not response.content:
            return  # from tornado, which takes no more than 1,000 parameters; no handler has seen it
        try:
            case.validate_response(response, checks=CHECKS)
        except (AssertionError, schemathesis.core.failures.FailureGroup) as failure:
            self.problems[f"{name}: {response.status_code}"] = f"{failure}\n{case.as_curl_command()}"[:4000]


def without(node: Any, key: str) -> Any:
    """Return the document without a keyword of JSON Schema that schemathesis does not translate well."""
    if isinstance(node, dict):
        return {k: without(v, key) for k, v in node.items() if k != key}
    return [without(v, key) for v in node] if isinstance(node, list) else node


def mend(case: Any, ids: list[str], chance: random.Random) -> Any:
    """Put things that are there into a case, so that more than the first check of a handler is reached."""
    if "id" in (case.path_parameters or {}) and ids and chance.random() < 0.8:
        case.path_parameters["id"] = chance.choice(ids)
    if "path" in (case.path_parameters or {}) and chance.random() < 0.5:
        case.path_parameters["path"] = chance.choice(["resolved.json", "final", "01-verilator-lint/state_out.json"])
    if case.query and "path" in case.query and chance.random() < 0.5:
        names = ["chip.gds", "broken.gds", "report.lyrdb", "out.gds", "nothing.gds"]
        case.query["path"] = f"course/{chance.choice(names)}"
    if isinstance(case.body, dict):
        body = case.body
        if "design_dir" in body and chance.random() < 0.8:
            body["design_dir"] = "course"
        if isinstance(body.get("config"), dict) and chance.random() < 0.7:
            body["config"] = {**body["config"], **GOOD_CONFIG} if chance.random() < 0.7 else dict(GOOD_CONFIG)
        if "verilog_files" in body and chance.random() < 0.7:
            body["verilog_files"] = ["counter.v"]
        for name in ("pdk", "scl", "flow", "toolchain", "from_step", "to_step", "only", "skip", "timeout", "cores"):
            if chance.random() < 0.6:
                body.pop(name, None)
    return case


@pytest.mark.timeout(60 + REQUESTS // 5)
def test_whatever_the_document_allows_or_forbids_is_answered(
    server: LiveServer, build: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fuzzer = Fuzzer(server)
    began = time.monotonic()
    fuzzer.run(REQUESTS)
    seconds = time.monotonic() - began
    with capsys.disabled():
        statuses = ", ".join(f"{k}: {v}" for k, v in sorted(fuzzer.statuses.items()))
        print(f"\n{fuzzer.sent.total()} requests in {seconds:.0f} s; {statuses}; slowest {fuzzer.slowest}")
    assert not fuzzer.problems, "\n\n".join(f"{k}\n{v}" for k, v in fuzzer.problems.items())
    assert "Traceback" not in server.log.read_text(errors="replace")
    wanted = {o["operationId"] for i in CONTRACT.document["paths"].values() for k, o in i.items() if k != "parameters"}
    assert set(fuzzer.sent) == wanted
    assert fuzzer.statuses[201] > 0


def cursor(text: str) -> bytes:
    return base64.urlsafe_b64encode(text.encode())


LONG = b"a" * (1 << 20)
TARGETS = {
    "traversal in an id": b"/builds/..%2f..%2fetc%2fpasswd",
    "dots for an id": b"/builds/%2e%2e/log",
    "NUL in an id": b"/builds/%00",
    "bytes that are no UTF-8 in an id": b"/builds/%ff%fe/log",
    "raw bytes that are no UTF-8 in an id": b"/builds/\xff\xfe",
    "a surrogate in an id": b"/builds/%ed%a0%80",
    "1 MB for an id": b"/builds/" + LONG,
    "60 kB for an id": b"/builds/" + LONG[:60_000],
    "traversal in an artifact": b"/builds/ID/artifacts/../../../../../../etc/passwd",
    "escaped traversal in an artifact": b"/builds/ID/artifacts/%2e%2e/%2e%2e/%2e%2e/counter.v",
    "absolute artifact": b"/builds/ID/artifacts//etc/passwd",
    "escaped absolute artifact": b"/builds/ID/artifacts/%2fetc%2fpasswd",
    "NUL in an artifact": b"/builds/ID/artifacts/a%00b",
    "a long name for an artifact": b"/builds/ID/artifacts/" + LONG[:1000],
    "a long path for an artifact": b"/builds/ID/artifacts/" + b"a/" * 20_000,
    "bytes that are no UTF-8 in an artifact": b"/builds/ID/artifacts/%ff",
    "link out of an artifact": b"/builds/ID/artifacts/out/passwd",
    "traversal in an archive": b"/builds/ID/archive?path=../..&path=/etc",
    "many paths for an archive": b"/builds/ID/archive?" + b"path=a&" * 300,
    "layout up and out": b"/layouts/scene?path=../../../etc/passwd.gds",
    "absolute layout": b"/layouts/layers?path=/etc/passwd.gds",
    "layout behind a link": b"/layouts/layers?path=course/out.gds",
    "layout in a linked directory": b"/layouts/layers?path=course/out/x.gds",
    "layout of a home": b"/layouts/layers?path=~root/x.gds",
    "layout of nobody's home": b"/layouts/layers?path=~nobody-at-all/x.gds",
    "NUL in a layout": b"/layouts/scene?path=course/%00.gds",
    "a long name for a layout": b"/layouts/scene?path=" + LONG[:300] + b".gds",
    "a long path for a layout": b"/layouts/scene?path=" + b"a/" * 2500 + b"x.gds",
    "wide characters in a long layout name": b"/layouts/scene?path=" + b"%e2%82%ac" * 100 + b".gds",
    "bytes that are no UTF-8 in a layout": b"/layouts/markers?path=%ff%fe.lyrdb",
    "a directory for a layout": b"/layouts/scene?path=course/directory.gds",
    "no layout": b"/layouts/scene",
    "two layouts": b"/layouts/scene?path=course/nothing.gds&path=/etc/passwd.gds",
    "two limits": b"/builds?limit=10&limit=-1",
    "two limits, one that is no UTF-8": b"/builds?limit=%ff&limit=1",
    "a parameter name that is no UTF-8": b"/builds?%ff=1&limit=0",
    "a huge limit": b"/builds?limit=" + b"9" * 5000,
    "more parameters than are read": b"/builds?" + b"a=1&" * 2000,
    "a limit with a superscript": b"/builds?limit=%c2%b2",
    "a cursor that is none": b"/builds?cursor=%7f%c2%80x",
    "a cursor that is not ASCII": b"/builds?cursor=%e2%82%ac",
    "a cursor with a surrogate": b"/builds?cursor=" + cursor('["\\ud800", "x"]'),
    "a cursor that nests": b"/builds?cursor=" + cursor("[" * 30_000),
    "a cursor with a huge number": b"/builds?cursor=" + cursor("9" * 5000),
    "a tag with NUL": b"/builds?limit=0&tag=%00&text=%00",
    "a huge offset": b"/builds/ID/log/search?offset=" + b"9" * 5000,
    "an offset that is no number": b"/builds/ID/log/search?offset=NaN",
    "a negative limit": b"/builds/ID/log/search?limit=-1",
    "a pattern that nests": b"/builds/ID/log/search?regex=true&pattern=" + b"(" * 499,
    "a pattern that repeats": b"/builds/ID/log/search?regex=true&pattern=((((a{9999}){9999}){9999}){9999}){9999}",
    "a pattern with a huge number": b"/builds/ID/log/search?regex=true&pattern=a{" + b"9" * 400 + b"}",
    "a pattern of flags": b"/builds/ID/log/search?regex=true&pattern=(%3fV9)(%3f%3C",
    "a pattern that calls itself": b"/builds/ID/log/search?regex=true&pattern=(%3fR)",
    "a step with NUL": b"/builds/ID/log?step=x%00",
    "a stream that is none": b"/builds/ID/stream?after=x",
}


@pytest.mark.parametrize("case", TARGETS)
def test_a_hostile_address_is_refused(server: LiveServer, build: str, case: str) -> None:
    (server.root / "course" / "directory.gds").mkdir(exist_ok=True)
    link = server.root / "course" / "runs" / build / "out"
    if not link.is_symlink():
        link.symlink_to("/etc")
    target = TARGETS[case].replace(b"ID", build.encode())
    answer = server.exchange("GET", target)
    if answer is None:
        assert len(target) > 1 << 16  # more than tornado reads of a head
    else:
        status, headers, body = answer
        assert 400 <= status < 500, (status, body[:300])
        assert b"root:" not in body
        assert b"Traceback" not in body
        assert len(body) < 20_000
        if body or status != 400:  # else it is tornado's own, see ``Fuzzer``
            CONTRACT.check("GET", f"/api/a6hub{target.decode('latin-1')}", status, dict(headers.items()), body)
    assert server.call("GET", "/").status_code == 200


def body_with(**changes: Any) -> bytes:
    """Return a good request but for the changes; ``config`` is merged in."""
    config = {**GOOD_CONFIG, **changes.pop("config", {})}
    return json.dumps({"design_dir": "course", "config": config, **changes}).encode()


def nested(depth: int) -> bytes:
    return body_with(config={"X": "HERE"}).replace(b'"HERE"', b"[" * depth + b"]" * depth)


BODIES = {
    "no UTF-8": b'{"design_dir": "\xff\xfe"}',
    "a surrogate": b'{"design_dir": "course", "name": "\\ud800", "config": {}}',
    "half an escape": b'{"design_dir": "\\ud8',
    "UTF-16": '{"design_dir": "course"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "deep nesting": nested(100_000),
    "nesting that json takes": nested(900),
    "nesting that half of us takes": nested(300),
    "a huge whole number": body_with(timeout=10**4000),
    "a huge whole number of cores": body_with(cores=10**4000),
    "a huge whole number of bytes": body_with(memory=1 << 70),
    "a number with too many digits": b'{"design_dir": "course", "timeout": ' + b"9" * 10_000 + b"}",
    "NaN": b'{"design_dir": "course", "timeout": NaN}',
    "infinite": b'{"design_dir": "course", "config": {"FP_CORE_UTIL": -Infinity}}',
    "a number that becomes infinite": body_with(config={"FP_CORE_UTIL": 7}).replace(b": 7", b": 1e999"),
    "a timeout that becomes infinite": body_with(timeout=7).replace(b": 7", b": 1e999"),
    "a clock of no size": body_with(config={"CLOCK_PERIOD": 7}).replace(b": 7", b": 1e-999"),
    "a name of 1 MB": body_with(name="a" * 1_000_000),
    "a name with a line end": body_with(name="a\nb"),
    "a name with NUL": body_with(name="a\0b"),
    "a design name of 900 kB": body_with(config={"DESIGN_NAME": "a" * 900_000}),
    "a directory with a long name": body_with(design_dir="a" * 300),
    "a directory far down": body_with(design_dir="a/" * 2040),
    "a directory of wide characters": body_with(design_dir="€" * 200),
    "a directory up and out": body_with(design_dir="course/../../.."),
    "a directory behind a link": body_with(design_dir="course/out"),
    "a directory of a home": body_with(design_dir="~root"),
    "a file with a long name": body_with(config={"VERILOG_FILES": ["a" * 300]}),
    "a file with NUL": body_with(config={"VERILOG_FILES": ["dir::a\0b"]}),
    "a file behind a link": body_with(config={"VERILOG_FILES": ["out/passwd"]}),
    "a file twice marked": body_with(config={"VERILOG_FILES": ["dir::dir::/etc/passwd"]}),
    "a reference up and out": body_with(config={"VERILOG_FILES": ["refg::/etc/*"]}),
    "a directory for a file": body_with(config={"VERILOG_FILES": ["."]}),
    "include directories with a long name": body_with(config={"VERILOG_INCLUDE_DIRS": ["a" * 300]}),
    "a list for a design name": body_with(config={"DESIGN_NAME": ["counter"]}),
    "a mapping for a design name": body_with(config={"DESIGN_NAME": {}}),
    "numbers for clock ports": body_with(config={"CLOCK_PORT": [3, {}]}),
    "a mapping for a clock port": body_with(config={"CLOCK_PORT": {"a": 1}}),
    "a mapping for a clock period": body_with(config={"CLOCK_PERIOD": {}}),
    "an expression for a clock period": body_with(config={"CLOCK_PERIOD": "expr::1/0"}),
    "expressions that nest": body_with(config={"FP_CORE_UTIL": "expr::" + "(" * 5000}),
    "a name of a variable that is none": body_with(config={"": 1, "\0": 2, "pdk::*": 3}),
    "a PDK up and out": body_with(pdk="../../../etc"),
    "a PDK with NUL": body_with(pdk="a\0b"),
    "a PDK with a long name": body_with(pdk="a" * 5000),
    "a library up and out": body_with(scl="../../etc"),
    "a flow with NUL": body_with(flow="\0", toolchain="express"),
    "a flow with a long name": body_with(flow="a" * 100_000, toolchain="express"),
    "a step with a long name": body_with(to_step="a" * 100_000),
    "a field with a name of 900 kB": body_with(**{"a" * 900_000: 1}),
    "many tags": body_with(tags=["x"] * 10_000),
    "a tag of nothing": body_with(tags=[""]),
    "true for a number": body_with(timeout=True),
    "a fraction of a core": body_with(cores=1.5),
    "no cores": body_with(cores=0),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_hostile_request_for_a_build_is_refused(server: LiveServer, build: str, case: str) -> None:
    answer = server.exchange("POST", b"/builds", BODIES[case], b"Content-Type: application/json\r\n")
    assert answer is not None
    status, headers, body = answer
    assert 400 <= status < 500, (status, body[:300])
    assert b"root:" not in body
    assert b"Traceback" not in body
    assert len(body) < 20_000
    CONTRACT.check("POST", "/api/a6hub/builds", status, dict(headers.items()), body)


@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data", b"\xff"])
def test_a_wrong_content_type_makes_no_difference(server: LiveServer, build: str, kind: bytes) -> None:
    """A form cannot stand in for JSON, for then any page could send one with a user's cookie."""
    answer = server.exchange("POST", b"/builds", b"design_dir=course", b"Content-Type: " + kind + b"\r\n")
    assert answer is not None
    assert answer[0] == 400, answer


@pytest.mark.parametrize(
    ("path", "body", "statuses"),
    [
        (b"/builds/ID/resume", b'{"skip": ["\\ud800"]}', {400}),
        (b"/builds/ID/resume", b'{"timeout": 1e999}', {400}),
        (b"/builds/ID/resume", b'{"only": "' + b"a" * 900_000 + b'"}', {422}),
        (b"/lint", b'{"design_dir": "course", "verilog_files": ["' + b"a" * 300 + b'"]}', {422}),
        (b"/lint", b'{"design_dir": ["course"], "verilog_files": ["counter.v"]}', {422}),
        (b"/lint", b'{"design_dir": "course", "verilog_files": {"counter.v": 1}}', {422}),
        (b"/lint", b'{"design_dir": "course", "verilog_files": ["--help"]}', {422}),
        (
            b"/lint",
            b'{"design_dir": "course", "verilog_files": ["counter.v"], "top": "' + b"a" * 900_000 + b'"}',
            {422},
        ),
        (b"/lint", b'{"design_dir": "' + b"a" * 300 + b'", "verilog_files": ["counter.v"]}', {422}),
        (b"/lint", b'{"design_dir": "course", "verilog_files": ["."]}', {422}),
        (b"/builds/%ff/cancel", b"", {400}),
        (b"/builds/%00/retry", b"{}", {404}),
    ],
)
def test_the_other_requests_are_no_softer(
    server: LiveServer, build: str, path: bytes, body: bytes, statuses: set[int]
) -> None:
    answer = server.exchange("POST", path.replace(b"ID", build.encode()), body)
    assert answer is not None
    assert answer[0] in statuses, answer
    assert len(answer[2]) < 20_000
    CONTRACT.check(
        "POST", f"/api/a6hub{path.decode()}".replace("ID", build), answer[0], dict(answer[1].items()), answer[2]
    )


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        (b"Idempotency-Key: \r\n", {400}),
        (b"Idempotency-Key: " + b"k" * 201 + b"\r\n", {400}),
        (b"Idempotency-Key: \xff\xfe\r\n", {400, 422}),
        (b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n", {400, 422}),
        (b"Content-Length: 5\r\n", {400, 422}),
        (b"Transfer-Encoding: chunked\r\n", {400, 422}),
        (b"Content-Encoding: gzip\r\n", {400, 422}),
        (b"X-Long: " + b"a" * 70_000 + b"\r\n", {400, 431}),
    ],
)
def test_hostile_headers_make_no_build(server: LiveServer, build: str, headers: bytes, statuses: set[int]) -> None:
    answer = server.exchange("POST", b"/builds", body_with(pdk="none-such"), headers)
    assert answer is None or answer[0] in statuses, answer
    assert server.call("GET", "/").status_code == 200


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (b"bytes=0-" + b"9" * 5000, 200),
        (b"bytes=-0", 416),
        (b"bytes=5-1", 416),
        (b"bytes=999999999-", 416),
        (b"bytes=\xb2-", 200),
        (b"bytes=0-0,2-3", 200),
        (b"lines=1-2", 200),
        (b"\xff\x01", 200),
    ],
)
def test_a_strange_range_is_passed_over_or_refused(server: LiveServer, build: str, value: bytes, status: int) -> None:
    path = f"/builds/{build}/log"
    answer = server.exchange("GET", path.encode(), headers=b"Range: " + value + b"\r\n")
    assert answer is None or answer[0] in {status, 400}, answer
    if answer is not None:
        CONTRACT.check("GET", f"/api/a6hub{path}", answer[0], dict(answer[1].items()), answer[2])


def test_the_server_has_met_no_defect(server: LiveServer, build: str) -> None:
    """Last in this file: what the server has written down of all the above."""
    text = server.log.read_text(errors="replace")
    assert "Traceback" not in text, text[text.index("Traceback") - 2000 :][:6000]
