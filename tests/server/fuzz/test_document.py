"""Whatever the OpenAPI document allows or forbids, a real server answers in time, as the document says, without a 5xx.

``A6HUB_FUZZ=10000`` makes that many requests instead of the few of every day.
"""

from __future__ import annotations

import os
import time

import pytest

from ..conformance import CONTRACT
from ..live import LiveServer
from .fuzzer import Fuzzer

EVERYDAY = 1500  # each operation has its turn
REQUESTS = int(os.environ.get("A6HUB_FUZZ", str(EVERYDAY)))
SEED = int(os.environ.get("A6HUB_FUZZ_SEED", "1"))


@pytest.mark.timeout(60 + REQUESTS // 5)
def test_whatever_the_document_allows_or_forbids_is_answered(
    server: LiveServer, build: str, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()

    def tell(text: str) -> None:
        with capsys.disabled():
            print(f"\n{time.monotonic() - began:.0f} s: {text}", flush=True)

    fuzzer = Fuzzer(server, tell)
    fuzzer.run(REQUESTS, SEED * 1000)
    statuses = ", ".join(f"{k}: {v}" for k, v in sorted(fuzzer.statuses.items()))
    tell(f"{fuzzer.sent.total()} requests; {statuses}; slowest {fuzzer.slowest}")
    assert not fuzzer.problems, "\n\n".join(f"{k}\n{v}" for k, v in fuzzer.problems.items())
    assert "Traceback" not in server.log.read_text(errors="replace")
    wanted = {o["operationId"] for i in CONTRACT.document["paths"].values() for k, o in i.items() if k != "parameters"}
    assert set(fuzzer.sent) == wanted or REQUESTS < EVERYDAY
    assert fuzzer.statuses[201] > 0
