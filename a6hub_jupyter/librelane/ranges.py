"""What no value of a variable can be, and what it hardly ever is; all else is LibreLane's to say."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from .findings import Finding, finding

# (least, most, whether the least itself is allowed): beyond them a tool can only fail
LIMITS: dict[str, tuple[str, str | None, bool]] = {
    "CLOCK_PERIOD": ("0", None, False),
    "FP_CORE_UTIL": ("0", "100", False),
    "FP_ASPECT_RATIO": ("0", None, False),
    "PL_TARGET_DENSITY_PCT": ("0", "100", False),
    "DRT_OPT_ITERS": ("0", "64", True),
    "SYNTH_MAX_FANOUT": ("1", None, True),
    "EXPRESS_DENSITY": ("0", "1", False),
    "EXPRESS_EFFORT": ("1", "9", True),
    "EXPRESS_MAX_FANOUT": ("2", None, True),
    "EXPRESS_CLOCK_FANOUT": ("2", None, True),
    "EXPRESS_ROUTE_SECONDS": ("0", None, False),
}
# units: (most, what such a number usually means); only to warn
PLAUSIBLE: dict[str, tuple[str, str]] = {
    "ns": ("1000", "Numbers like this are usually picoseconds; divide by 1000."),
    "µm": ("100000", "Numbers like this are usually nanometres; divide by 1000."),
}
AREAS = {"DIE_AREA", "CORE_AREA"}
WORDS = {"ns": "nanoseconds", "µm": "micrometres", "%": "percent"}


def in_words(units: str | None) -> str:
    """Return the name of a unit, for ``a number in ...``."""
    return WORDS.get(units or "", units or "")


def check_range(variable: Any, key: str, value: Any) -> Iterator[Finding]:
    """Yield what is impossible about a value of the right type."""
    field = f"config.{key}"
    if variable.name in AREAS and isinstance(value, (tuple, list)) and len(value) == 4:
        x0, y0, x1, y1 = value
        if x0 >= x1 or y0 >= y1:
            shown = " ".join(map(_shown, value))
            message = f"{key} is {shown}, which encloses nothing."
            yield finding(field, message, "Give x0, y0, x1, y1 in micrometres, with x0 < x1 and y0 < y1.")
    if not _is_number(value):
        return
    if isinstance(value, Decimal) and not value.is_finite():
        yield finding(field, f"{key} is {value}, which is no finite number.", "Give a number.")
    elif variable.name in LIMITS:
        least, most, closed = LIMITS[variable.name]
        low = value < Decimal(least) or (value == Decimal(least) and not closed)
        if low or (most is not None and value > Decimal(most)):
            unit = f" {in_words(variable.units)}" if variable.units else ""
            bounds = f"{'at least' if closed else 'above'} {least}" + (f", at most {most}" if most else "")
            example = f", for example {variable.default}" if variable.default is not None else ""
            yield finding(
                field, f"{key} is {_shown(value)}{unit}.", f"Give a number {bounds}{unit and ' in' + unit}{example}."
            )


def check_plausible(variable: Any, key: str, value: Any) -> Iterator[Finding]:
    """Yield what is unlikely about a value: nearly always another unit was meant."""
    if not _is_number(value) or not variable.units:
        return
    field, unit = f"config.{key}", in_words(variable.units)
    if variable.units in PLAUSIBLE:
        most, remedy = PLAUSIBLE[variable.units]
        if abs(value) > Decimal(most):
            yield finding(field, f"{key} is {_shown(value)} {unit}, far more than is usual.", remedy)
    elif variable.units == "%":
        if isinstance(value, Decimal) and 0 < value < 1:
            remedy = f"For a fraction of {_shown(value)} write {_shown(value * 100)}."
            yield finding(field, f"{key} is {_shown(value)} percent.", remedy)
        elif not 0 <= value <= 100:
            yield finding(field, f"{key} is {_shown(value)} percent.", "Percentages are usually between 0 and 100.")


def _shown(number: Decimal | int) -> str:
    return f"{float(number):.12g}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
