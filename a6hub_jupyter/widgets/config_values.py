"""Values of variables as a person types them, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

PREFIXES = ("expr::", "ref::", "refg::", "dir::", "pdk_dir::")


def shown(value: Any) -> str:
    """Return a value as it stands in an input."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)) and all(isinstance(v, (str, int, float)) for v in value):
        numbers = all(isinstance(v, (int, float)) for v in value)
        if numbers or not any("," in str(v) or not str(v).strip() for v in value):
            return (" " if numbers else ", ").join(str(v) for v in value)
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def read(text: str, kind: Mapping[str, Any]) -> Any:
    """Return what a person means by ``text`` for a type; None for nothing. What cannot be meant stays text.

    The server says what is wrong with that, in LibreLane's words.
    """
    text = text.strip()
    if not text:
        return None
    name = kind["kind"]
    if text.startswith(PREFIXES) and name not in {"list", "union"}:
        return text
    if name in {"integer", "decimal"}:
        return _number(text)
    if name == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if name in {"mapping", "record", "list", "tuple", "union"} and text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    if name == "tuple":
        return [_number(word) for word in text.replace(",", " ").split()]
    if name == "list":
        return [_item(word.strip(), kind["items"]) for word in text.split(",") if word.strip()]
    if name == "union" and "," in text:
        return [word.strip() for word in text.split(",") if word.strip()]
    return text


def _item(text: str, kind: Mapping[str, Any]) -> Any:
    return _number(text) if kind["kind"] in {"integer", "decimal"} else text


def _number(text: str) -> Any:
    for convert in (int, float):
        try:
            number = convert(text)
        except ValueError:
            continue
        if number - number == 0:  # neither infinite nor "nan", which JSON lacks
            return number
    return text
