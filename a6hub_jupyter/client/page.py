"""A build as a page without scripts: what nbconvert, GitHub and notebooks that are not trusted show of it.

Only tags and styles that Jupyter's and GitHub's sanitisers leave in place; every text of the build is escaped.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

TAIL_LINES = 40
LONGEST_LINE = 300

# Metrics as (LibreLane's name, label, unit, format); the first of several names that was measured counts.
MEASURES = (
    (("design__instance__count__stdcell", "design__instance__count"), "Cells", "", "{:,.0f}"),
    (("design__die__area",), "Die area", "µm²", "{:,.0f}"),
    (("design__instance__utilization",), "Core utilisation", "", "{:.1%}"),
    (("route__wirelength",), "Wire length", "µm", "{:,.0f}"),
    (("route__vias",), "Vias", "", "{:,.0f}"),
)
SLACKS = (("timing__setup__ws", "Worst setup slack"), ("timing__hold__ws", "Worst hold slack"))
CHECKS = (
    (("magic__drc_error__count", "klayout__drc_error__count"), "Design rule errors"),
    (("design__lvs_error__count",), "Layout vs. netlist errors"),
    (("route__antenna_violation__count",), "Antenna violations"),
)

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_RULE = re.compile(r"─{9,}")  # as wide as a terminal, which is wider than a page
_COLUMN = re.compile(r" {2,}[\w.-]+\.py:\d+ *$")  # Rich's: the place in LibreLane's code, at the right edge


def log_tail(raw: bytes) -> str:
    """Return the last lines of a console as plain text: no colours, no overwritten progress, no padding."""
    lines = []
    for line in raw.decode(errors="replace").split("\n")[-TAIL_LINES - 2 :]:
        shown = _ESCAPES.sub("", line).rstrip("\r").rpartition("\r")[2]
        shown = _RULE.sub("─" * 8, _COLUMN.sub("", _CONTROLS.sub("", shown))).rstrip()
        lines.append(shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]}…")
    return "\n".join("\n".join(lines).strip("\n").split("\n")[-TAIL_LINES:])


def static_page(data: Mapping[str, Any], picture: bytes | None, tail: str = "") -> str:
    """Return the build (in the API's form) with its picture (PNG) and the end of its log as HTML."""
    parts = [_head(data), _error(data), _figures(data.get("metrics") or {})]
    if picture:
        source = base64.b64encode(picture).decode()
        name = escape(data["design"]["name"])
        parts.append(f'<img alt="Layout of {name}" style="max-width:480px" src="data:image/png;base64,{source}">')
    parts.append(_steps(data))
    if tail:
        pre = f'<pre style="font-family:monospace">{escape(tail)}</pre>'
        parts.append(f"<details><summary>The end of the log</summary>{pre}</details>")
    return "".join(parts)


def summary(data: Mapping[str, Any]) -> str:
    """Return the build in plain words, for consoles."""
    lines = [f"Build {data['id']}: {data['state'].replace('_', ' ')}{_duration(data)}"]
    if data.get("error"):
        lines.append(f"✗ {data['error']['message']}")
    lines += [f"  {label}: {value}{f' {verdict}' if verdict else ''}" for label, value, verdict in _rows(data)]
    return "\n".join(lines)


def _head(data: Mapping[str, Any]) -> str:
    note = f" ({escape(data['pdk_note'])})" if data.get("pdk_note") else ""
    mark = {"succeeded": "✓ ", "failed": "✗ ", "timed_out": "✗ ", "lost": "✗ "}.get(data["state"], "")
    state = f"{mark}{escape(data['state'].replace('_', ' '))}{_duration(data)}"
    return (
        f"<div><b>{escape(data['design']['name'])}</b> {state} · "
        f"{escape(data['flow'])} on {escape(data['pdk'])}{note}</div><div><small>{escape(data['id'])}</small></div>"
    )


def _error(data: Mapping[str, Any]) -> str:
    error = data.get("error")
    if not error:
        return ""
    step = next((s["name"] for s in data["steps"] if s["id"] == error.get("step")), None)
    where = f"<b>{escape(step)} failed.</b> " if step else ""
    return f"<div>✗ {where}{escape(error['message'])}</div>"


def _rows(data: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (label, value with unit, verdict) of what was measured and checked."""
    metrics = data.get("metrics") or {}

    def number(name: str) -> float | None:
        value = metrics.get(name)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    rows = []
    for names, label, unit, form in MEASURES:
        value = next((number(n) for n in names if number(n) is not None), None)
        if value is not None:
            rows.append((label, f"{form.format(value)} {unit}".strip(), ""))
    for name, label in SLACKS:
        if (slack := number(name)) is not None:
            rows.append((label, f"{slack:.2f} ns", "✓ pass" if slack >= 0 else "✗ fail"))
    for names, label in CHECKS:
        counts = [c for n in names if (c := number(n)) is not None]
        if counts:
            rows.append((label, f"{sum(counts):,.0f}", "✗ fail" if sum(counts) else "✓ pass"))
    return rows


def _figures(metrics: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><td style="text-align:left">{label}</td><td>{escape(value)}</td><td>{verdict}</td></tr>'
        for label, value, verdict in _rows({"metrics": metrics})
    )
    return f"<table>{rows}</table>" if rows else ""


def _steps(data: Mapping[str, Any]) -> str:
    begun = [s for s in data["steps"] if s["state"] in {"done", "failed", "running"}]
    if not begun:
        return ""
    rows = "".join(_step_row(step_mark(s, data), s["name"], s.get("seconds")) for s in begun)
    count = "1 step" if len(begun) == 1 else f"{len(begun)} steps"
    return f"<details><summary>{count}</summary><table>{rows}</table></details>"


def step_mark(step: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the sign of a step that has begun; one that was stopped with its build has not failed by itself."""
    stopped = data["state"] in {"cancelled", "timed_out", "lost"} and step["id"] != (data["error"] or {}).get("step")
    return {"done": "✓", "failed": "-" if stopped else "✗"}.get(step["state"], "…")


def _step_row(mark: str, name: str, seconds: float | None) -> str:
    time = "" if seconds is None else f"{seconds:.1f} s"
    return f'<tr><td>{mark}</td><td style="text-align:left">{escape(name)}</td><td>{time}</td></tr>'


def _duration(data: Mapping[str, Any]) -> str:
    if not data.get("started") or not data.get("finished"):
        return ""
    started, finished = (datetime.fromisoformat(data[k].replace("Z", "+00:00")) for k in ("started", "finished"))
    seconds = max(0, int((finished - started).total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    return f" after {hours}:{minutes % 60:02}:{seconds % 60:02}" if hours else f" after {minutes}:{seconds % 60:02}"
