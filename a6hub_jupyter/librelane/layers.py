"""A configuration made of layers: presets in their order, then what the user gave; and where each value is from.

Runs in the inspector, which knows the variables of the flow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EXPLICIT = "explicit"


@dataclass
class Composed:
    """``config`` is what LibreLane is given; ``origins`` has the layer of each key; ``unused`` what the flow lacks."""

    config: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)


def compose(
    presets: Sequence[Mapping[str, Any]], explicit: Mapping[str, Any], variables: Mapping[str, Any]
) -> Composed:
    """Lay presets (name, config) over one another, the later wins, and ``explicit`` over them all.

    ``variables`` are those of the flow by all their names: a preset's value for another flow is left out, and a value
    under an old name gives way to one under the new name, and the other way round.
    """
    result = Composed()
    for preset in presets:
        for key, value in preset["config"].items():
            if key in variables or "::" in key:
                _lay(result, key, value, f"preset {preset['name']}", variables)
            else:
                result.unused.setdefault(preset["name"], []).append(key)
    for key, value in explicit.items():
        _lay(result, key, value, EXPLICIT, variables)
    return result


def _lay(result: Composed, key: str, value: Any, origin: str, variables: Mapping[str, Any]) -> None:
    variable = variables.get(key)
    for other in [k for k in result.config if k == key or (variable and variables.get(k) is variable)]:
        if result.origins[other] != origin or other == key:  # two names in one layer are for LibreLane to judge
            del result.config[other], result.origins[other]
    result.config[key], result.origins[key] = value, origin
