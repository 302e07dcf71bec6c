"""What is found wrong with a request: the field, one sentence on what is wrong, one on what to do."""

from __future__ import annotations

from collections.abc import Sequence

Finding = dict[str, str]


def finding(field: str, message: str, remedy: str) -> Finding:
    """Return one entry of a refusal, or one warning."""
    return {"field": field, "message": message, "remedy": remedy}


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint with the nearest of ``known``, or the first few of them."""
    import difflib  # noqa: PLC0415 - for a wrong name, not for a server that starts

    folded = {k.lower(): k for k in known}
    close = [folded[c] for c in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)]
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Choose one of: {', '.join(known[:12])}{', …' if len(known) > 12 else ''}." if known else "There is none."
