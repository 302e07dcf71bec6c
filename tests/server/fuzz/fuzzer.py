"""Requests that schemathesis makes of the OpenAPI document, against a real server."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis import checks as basic
from schemathesis.config import GenerationConfig
from schemathesis.specs.openapi import checks

from a6hub_jupyter.api.builds import MAX_WAIT

from ..conformance import CONTRACT
from ..live import LiveServer
from .conftest import GOOD_CONFIG

# How many requests go by between two words on how far it is.
PROGRESS = 500
# What tornado reads of a request's head, less what the headers take.
MAX_HEAD = (1 << 16) - 1000
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

MODES: list[Any] = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


class Fuzzer:
    """Sends what schemathesis makes of the document, mixed with what is really there, and keeps what went wrong."""

    def __init__(self, server: LiveServer, tell: Callable[[str], None]) -> None:
        self._server = server
        self._tell = tell
        self._ids: list[str] = []
        self.sent: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.slowest = (0.0, "")
        self.problems: dict[str, str] = {}
        self._barren: set[tuple[str, GenerationMode]] = set()

    def run(self, total: int, first: int) -> None:
        """Go through all operations until ``total`` requests have been made."""
        document = schemathesis.openapi.from_dict(without(CONTRACT.document, "prefixItems"))
        document.config.generation = GenerationConfig(with_security_parameters=False)
        results: list[Any] = list(document.get_all_operations())
        operations = [result.ok() for result in results]
        operations.sort(key=lambda o: o.method == "delete")
        for number in itertools.count(first):
            for index, operation in enumerate(operations):
                for mode in MODES:
                    self._operation(operation, mode, number * 100 + index)
                    if self.sent.total() >= total:
                        return

    def _operation(self, operation: Any, mode: GenerationMode, number: int) -> None:
        name = operation.definition.raw["operationId"]
        if (name, mode) in self._barren:
            return
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
            self._barren.add((name, mode))  # finding that out takes longer than all requests of a turn

    def _send(self, name: str, case: Any) -> None:
        began = time.monotonic()
        try:
            response = case.call(base_url=self._server.url, session=self._server.session, timeout=60)
        except requests.exceptions.InvalidHeader:
            return  # cannot be sent at all
        except requests.RequestException as problem:
            if problem.request is not None and len(problem.request.url or "") > MAX_HEAD:
                return  # tornado closes the connection; no handler has seen it
            self.problems[f"{name}: {type(problem).__name__}"] = f"{problem}\n{case.as_curl_command()}"
            return
        finally:
            self.sent[name] += 1
            if self.sent.total() % PROGRESS == 0:
                self._tell(f"{self.sent.total()} requests, {len(self.problems)} problems")
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
    if case.query and str(case.query.get("wait", "")).isdecimal():  # what comes later is for other tests
        case.query["wait"] = min(int(case.query["wait"]), 1) if int(case.query["wait"]) <= MAX_WAIT else MAX_WAIT + 1
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
