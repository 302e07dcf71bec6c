"""Headers of requests that are made to break what reads them."""

from __future__ import annotations

import pytest

from ..conformance import CONTRACT
from ..live import LiveServer
from .conftest import body_with


@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data", b"\xff"])
def test_a_wrong_content_type_makes_no_difference(server: LiveServer, build: str, kind: bytes) -> None:
    """A form cannot stand in for JSON, for then any page could send one with a user's cookie."""
    answer = server.exchange("POST", b"/builds", b"design_dir=course", b"Content-Type: " + kind + b"\r\n")
    assert answer is not None
    assert answer[0] == 400, answer


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
