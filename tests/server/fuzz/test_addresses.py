"""Addresses that are made to lead out, or to break what reads them."""

from __future__ import annotations

import base64

import pytest

from ..conformance import CONTRACT
from ..live import LiveServer


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
    "a meta that nests": b"/flows/Classic/variables?meta=" + b"[" * 20_000,
    "a limit of nets with many zeros": b"/builds/ID/nets?limit=000001" + b"9" * 5000,
    "a place beyond all": b"/builds/ID/place?x=1e308&y=-1e308",
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
