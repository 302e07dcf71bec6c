"""a6hub's environment variables, as defaults of our traits; what is wrong in one is said in the log."""

from __future__ import annotations

import logging
import math
import os
from pathlib import Path


def seconds(name: str, otherwise: float, log: logging.Logger) -> float:
    """Return the seconds that a variable gives, ``otherwise`` where it is not set or no number above 0."""
    text = os.environ.get(name, "").strip()
    if not text:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and value > 0:
        return value
    log.warning("a6hub: %s is '%s', which is no number of seconds above 0; %g is used.", name, text[:100], otherwise)
    return otherwise


def check_paths(log: logging.Logger) -> None:
    """Say in the log where a variable names what is not there."""
    root = os.environ.get("PDK_ROOT")
    if root and Path(root).exists() and not Path(root).is_dir():
        log.warning("a6hub: PDK_ROOT is '%s', which is no directory; no PDK is found there.", root)
    elif root and not Path(root).exists():
        log.warning("a6hub: PDK_ROOT is '%s', which does not exist (yet); no PDK is found there.", root)
    librelane = os.environ.get("LIBRELANE_PATH")
    if librelane and not (Path(librelane).is_file() and os.access(librelane, os.X_OK)):
        log.warning(
            "a6hub: LIBRELANE_PATH is '%s', which is no executable file; builds with it are refused.", librelane
        )
