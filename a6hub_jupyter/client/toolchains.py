"""Where EDA tools come from, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .server import current_server

if TYPE_CHECKING:
    import pandas as pd


class Toolchains(list[dict[str, Any]]):
    """The toolchains of the server, in the order in which ``auto`` tries them; a notebook shows them as a table."""

    def to_frame(self) -> pd.DataFrame:
        """Return availability, flows, LibreLane's version, tools, and what is missing; the index is the name."""
        import pandas  # noqa: PLC0415 - half a second, for those who ask for it

        rows = [
            {
                "name": t["name"],
                "available": t["available"],
                "flows": t["flows"],
                "librelane": t["librelane"] or "",
                "tools": ", ".join(f"{x['name']} {x['version'] or ''}".strip() for x in t["tools"] if _there(x)),
                "missing": "" if t["available"] else f"{t['reason']} {t['remedy']}",
            }
            for t in self
        ]
        frame: pd.DataFrame = pandas.DataFrame(rows).set_index("name")
        return frame

    def __str__(self) -> str:
        return "\n".join(
            f"{'✓' if t['available'] else '✗'} {t['name']}: "
            + (f"{t['flows']}, LibreLane {t['librelane'] or 'of its own'}" if t["available"] else t["reason"])
            for t in self
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())


def toolchains() -> Toolchains:
    """Return the ways in which the Jupyter server can provide EDA tools, and what is missing for each."""
    return Toolchains(current_server().get("toolchains")["toolchains"])


def _there(tool: dict[str, Any]) -> bool:
    return bool(tool["path"] or tool["version"])
