"""A build's record as tests make it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from a6hub_jupyter.builds.model import BuildRequest


def plain_request(**more: Any) -> BuildRequest:
    """Return a request for a small build, with these fields changed."""
    plain = BuildRequest(
        id="20261123-121314-counter-a1b2c3",
        created="2026-11-23T12:13:14.000Z",
        name="counter",
        design_dir="/d",
        config={},
        flow="Express",
        pdk="sky130A",
        scl=None,
        pdk_root=None,
        pdk_note=None,
        toolchain="express",
        executor="local",
        steps=[],
        timeout=60.0,
    )
    return replace(plain, **more)
