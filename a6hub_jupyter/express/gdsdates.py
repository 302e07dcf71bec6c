"""Dates in GDS files: the same for the same design, so that a layout built twice has the same bytes.

Source: GDSII Stream Format Manual, records BGNLIB (01) and BGNSTR (05): two dates of six words each, years from 1900.
"""

from __future__ import annotations

import os
import struct
from datetime import datetime, timezone
from pathlib import Path

BGNLIB, ENDLIB, BGNSTR = 0x01, 0x04, 0x05
DATES = 24
"""Bytes of two dates."""
FIRST_YEAR = 1900


def wanted_date() -> datetime:
    """SOURCE_DATE_EPOCH (seconds, as reproducible-builds.org has it), or 1970-01-01 where it is not set."""
    try:
        return datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), timezone.utc)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, timezone.utc)


def set_dates(path: Path, date: datetime) -> None:
    """Write `date` as the dates of a GDS file and of all its cells, in place."""
    words = (date.year - FIRST_YEAR, date.month, date.day, date.hour, date.minute, date.second) * 2
    stamp = struct.pack(">12h", *words)
    data, at = bytearray(path.read_bytes()), 0
    while at + 4 <= len(data):
        length, kind = data[at] << 8 | data[at + 1], data[at + 2]
        if kind in (BGNLIB, BGNSTR):
            data[at + 4 : at + 4 + DATES] = stamp
        if kind == ENDLIB or length < 4:
            break
        at += length
    path.write_bytes(data)
