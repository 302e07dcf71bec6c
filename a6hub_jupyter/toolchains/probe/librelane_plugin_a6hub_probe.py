"""Says in one line of JSON what a LibreLane is: version, flows with their steps, variables that switch steps off.

Stands alone and runs in any LibreLane from 2.4 to 3.x, with whatever Python that has: as a script on standard input,
or, where only LibreLane's executable is known, as a LibreLane plugin found on PYTHONPATH.
"""

import atexit
import fnmatch
import json
import sys
from typing import Any

MARK = "a6hub-probe:"


def flow_facts(flow: Any) -> dict[str, Any]:
    """Return steps in order, for each step the variables that gate it, and the gating variables off by default."""
    steps = [{"id": s.id, "name": getattr(s, "name", None) or s.id} for s in getattr(flow, "Steps", [])]
    ids = [s["id"] for s in steps]
    gates: dict[str, list[str]] = {}
    for pattern, names in (getattr(flow, "gating_config_vars", None) or {}).items():
        for step in fnmatch.filter(ids, pattern):
            gates.setdefault(step, []).extend(names)
    wanted = {name for names in gates.values() for name in names}
    variables = list(getattr(flow, "config_vars", None) or [])
    off = sorted({v.name for v in variables if v.name in wanted and v.default is False})
    return {"steps": steps, "gates": gates, "off": off}


def tell() -> None:
    """Write the line."""
    from librelane.__version__ import __version__  # noqa: PLC0415 - as a plugin we come before it is whole
    from librelane.flows import Flow  # noqa: PLC0415

    flows = {}
    for name in Flow.factory.list():
        flow = Flow.factory.get(name)
        if getattr(flow, "Steps", None):
            flows[name] = flow_facts(flow)
    data = {"version": __version__, "python": "{}.{}".format(*sys.version_info), "flows": flows}
    sys.stdout.write("\n" + MARK + json.dumps(data) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    tell()
else:
    atexit.register(tell)  # LibreLane imports its plugins before all of its flows are there
