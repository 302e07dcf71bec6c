"""What LibreLane thinks of a configuration, shown as a table."""

from __future__ import annotations

import html
from typing import Any

import pandas as pd


class Validation:
    """The answer to ``Design.validate()``; true where the design can be built."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong; warnings may be there all the same."""
        return bool(self._data["valid"])

    @property
    def errors(self) -> list[dict[str, str]]:
        """What is wrong: dicts with field, message and remedy, one for each field."""
        return list(self._data["errors"])

    @property
    def warnings(self) -> list[dict[str, str]]:
        """What is unlikely to be meant, or has a newer name; dicts with field, message and remedy."""
        return list(self._data["warnings"])

    @property
    def config(self) -> dict[str, Any]:
        """What LibreLane would be given: presets in their order, and over them what the design says."""
        return dict(self._data["config"] or {})

    @property
    def steps(self) -> list[str]:
        """The ids of the steps that would run, in order."""
        return [s["id"] for s in self._data["steps"]]

    @property
    def resolved(self) -> pd.DataFrame:
        """Every variable of the flow with its value and where that is from; empty where there are errors."""
        rows = [{"variable": k, **v} for k, v in self._data["resolved"].items()]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=["variable", "value", "origin"]).set_index("variable")
        return frame

    @property
    def chosen(self) -> pd.DataFrame:
        """Those variables that a preset or the design has set."""
        frame = self.resolved
        chosen: pd.DataFrame = frame[~frame["origin"].isin(["default", "pdk"])]
        return chosen

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        lines = [self._verdict()]
        lines += [f"✗ {_name(e)}: {e['message']} {e['remedy']}".rstrip() for e in self.errors]
        lines += [f"⚠ {_name(w)}: {w['message']} {w['remedy']}".rstrip() for w in self.warnings]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Validation({self._verdict()!r})"

    def _verdict(self) -> str:
        if not self.valid:
            count = len(self.errors)
            return f"not valid: {count} {'error' if count == 1 else 'errors'}"
        data = self._data
        warned = f", {len(self.warnings)} to look at" if self.warnings else ""
        presets = f", presets {' < '.join(data['presets'])}" if data["presets"] else ""
        return f"valid: {data['flow']} on {data['pdk']}, {len(data['steps'])} steps{presets}{warned}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        mark = "✓" if self.valid else "✗"
        rows = [("✗", e) for e in self.errors] + [("⚠", w) for w in self.warnings]
        findings = "".join(
            f"<tr><td>{sign}</td><td style='text-align:left'><code>{html.escape(_name(f))}</code></td>"
            f"<td style='text-align:left'>{html.escape(f['message'])} <em>{html.escape(f['remedy'])}</em></td></tr>"
            for sign, f in rows
        )
        head = "<tr><th></th><th style='text-align:left'>field</th><th style='text-align:left'>what</th></tr>"
        table = f"<table>{head}{findings}</table>" if findings else ""
        return f"<p>{mark} <strong>{html.escape(self._verdict())}</strong></p>{table}{self._chosen_html()}"

    def _chosen_html(self) -> str:
        if not self.valid:
            return ""
        rows = "".join(
            f"<tr><td style='text-align:left'><code>{html.escape(str(name))}</code></td>"
            f"<td style='text-align:left'>{html.escape(str(row['value']))[:200]}</td>"
            f"<td style='text-align:left'>{html.escape(str(row['origin']))}</td></tr>"
            for name, row in self.chosen.iterrows()
        )
        head = "<tr><th style='text-align:left'>variable</th><th style='text-align:left'>value</th><th>from</th></tr>"
        return f"<details><summary>{len(self.chosen)} values are set</summary><table>{head}{rows}</table></details>"


def _name(finding: dict[str, str]) -> str:
    return finding["field"].removeprefix("config.")
