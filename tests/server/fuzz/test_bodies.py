"""Bodies of requests that are made to break what reads them."""

from __future__ import annotations

import pytest

from ..conformance import CONTRACT
from ..live import LiveServer
from .conftest import body_with


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
    "a mapping for a version": body_with(config={"meta": {"version": {}}}),
    "a list for a version": body_with(config={"meta": {"version": []}}),
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
