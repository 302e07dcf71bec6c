"""How we start Python processes of our own: nothing of the working directory is imported, no secret is passed on."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

# `python -m` puts the working directory first on the path: a `random.py` beside a student's Verilog would be run in
# place of the library's. Python 3.11 has -P against it.
_BOOTSTRAP = (
    "import runpy, sys; sys.path.remove(''); sys.argv = sys.argv[1:]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)

# What lets a process act as the user towards Jupyter or a hub; EDA tools and the Tcl of PDKs have no use for it.
_SECRET = re.compile(r"(JUPYTER.*TOKEN|JUPYTERHUB_.*|JPY_.*|CONFIGPROXY_.*|.*COOKIE_SECRET.*)")


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with this Python, wherever it is started."""
    if sys.version_info >= (3, 11):
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-c", _BOOTSTRAP, module, *arguments]


def clean_environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment without the server's secrets."""
    return {name: value for name, value in base.items() if not _SECRET.fullmatch(name)}
