"""The progress of a build as text."""

from __future__ import annotations

import io
from typing import Any

import pytest

from a6hub_jupyter.client.progress import ProgressPrinter, bar, clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def build(state: str, *states: str, **more: Any) -> dict[str, Any]:
    names = ("Lint", "Synthesis", "EQY", "Routing")
    steps = [
        {"id": f"S.{name}", "name": name, "state": each, "seconds": 1.25 if each in {"done", "failed"} else None}
        for name, each in zip(names, states, strict=True)
    ]
    return {
        "design": {"name": "counter"},
        "state": state,
        "steps": steps,
        "progress": 40,
        "error": None,
        "queue_position": None,
        "queue_reason": None,
        "started": "2026-11-23T12:00:00.000Z",
        "finished": None,
        "eta_seconds": 75.0,
        **more,
    }


PENDING = ("pending", "pending", "skipped", "pending")
MIDWAY = ("done", "running", "skipped", "pending")
FAILED = ("done", "failed", "skipped", "pending")
END = {"finished": "2026-11-23T12:01:07.000Z"}


def test_a_step_that_was_stopped_with_its_build_has_not_failed() -> None:
    out = io.StringIO()
    ProgressPrinter(out).tell(build("cancelled", *FAILED, **END))
    assert out.getvalue().splitlines()[1] == "-  2/3 Synthesis  1.2 s"


def test_without_a_terminal_each_step_is_one_line_once() -> None:
    out = io.StringIO()
    printer = ProgressPrinter(out)
    waits = {"queue_position": 2, "queue_reason": "All cores are taken."}
    for data in (
        build("queued", *PENDING, **waits),
        build("queued", *PENDING, **waits),
        build("running", *MIDWAY),
        build("running", *MIDWAY),
        build("failed", *FAILED, error={"message": "No such cell."}, **END),
    ):
        printer.tell(data)
    assert out.getvalue().splitlines() == [
        "counter number 2 in the queue. All cores are taken.",
        "✓  1/3 Lint  1.2 s",
        "✗  2/3 Synthesis  1.2 s",
        "counter failed after 1:07: No such cell.",
    ]


def test_a_terminal_has_a_bar_below_the_lines_that_goes_with_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    printer = ProgressPrinter(out)
    printer.tell(build("running", *MIDWAY))
    first, standing = out.getvalue().removeprefix("\r\x1b[K").split("\n")
    assert first == "✓  1/3 Lint  1.2 s"
    assert standing.startswith("▕████████            ▏  40 %  2/3 Synthesis  ")
    assert standing.endswith("about 1:15 left")
    printer.tell(build("succeeded", "done", "done", "skipped", "done", **END))
    last = out.getvalue().split("\r\x1b[K")[-1]
    assert last == "✓  2/3 Synthesis  1.2 s\n✓  3/3 Routing  1.2 s\ncounter succeeded after 1:07\n"


def test_a_narrow_terminal_does_not_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    out = Terminal()
    ProgressPrinter(out).tell(build("running", *MIDWAY))
    assert len(out.getvalue().split("\n")[-1]) < 30


def test_whoever_stops_waiting_finds_no_half_line() -> None:
    out = Terminal()
    printer = ProgressPrinter(out)
    printer.tell(build("running", *MIDWAY))
    printer.clear()
    assert out.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(
    ("percent", "filled"),
    [(-1, ""), (0, ""), (1, "▎"), (50, "█" * 10), (99, "█" * 19 + "▊"), (100, "█" * 20), (200, "█" * 20)],
)
def test_the_bar_is_as_full_as_it_should_be_and_always_as_wide(percent: float, filled: str) -> None:
    assert bar(percent) == f"▕{filled.ljust(20)}▏"


def test_hours() -> None:
    assert [clock(s) for s in (0, 59.9, 187, 3723)] == ["0:00", "0:59", "3:07", "1:02:03"]
