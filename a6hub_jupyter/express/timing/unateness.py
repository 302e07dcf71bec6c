"""Whether an output follows an input, or its opposite, or either: from the function of the output.

Source of the syntax of functions: Liberty User Guide, volume 1, "Group Statements, function".
"""

from __future__ import annotations

import functools
import itertools
import re

POSITIVE, NEGATIVE, BOTH = "positive_unate", "negative_unate", "non_unate"
TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\]]*|[01!'()*&+|^])")
MOST_INPUTS = 10


class _Function:
    """Evaluates a Liberty function: ! and ' bind most, then ^, then * & and adjacency, then + and |."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != re.sub(r"\s", "", text):
            raise ValueError(f"the function {text} is not understood")
        self.inputs = sorted({t for t in self.tokens if t[0].isalpha() or t[0] == "_"})
        self._at = 0
        self._values: dict[str, bool] = {}

    def __call__(self, values: dict[str, bool]) -> bool:
        self._at, self._values = 0, values
        return self._sum()

    def _peek(self) -> str:
        return self.tokens[self._at] if self._at < len(self.tokens) else ""

    def _sum(self) -> bool:
        value = self._product()
        while self._peek() in ("+", "|"):
            self._at += 1
            value = self._product() or value
        return value

    def _product(self) -> bool:
        value = self._difference()
        while self._peek() not in ("", ")", "+", "|"):
            if self._peek() in ("*", "&"):
                self._at += 1
            value = self._difference() and value
        return value

    def _difference(self) -> bool:
        value = self._factor()
        while self._peek() == "^":
            self._at += 1
            value ^= self._factor()
        return value

    def _factor(self) -> bool:
        word = self._peek()
        self._at += 1
        if word == "!":
            return not self._factor()
        if word == "(":
            value = self._sum()
            self._at += 1
        else:
            value = self._values.get(word, word == "1")
        while self._peek() == "'":
            self._at += 1
            value = not value
        return value


@functools.cache
def sense(function: str, pin: str) -> str:
    """The timing sense of `pin` in a function; both ways when the function cannot tell."""
    try:
        evaluate = _Function(function)
    except ValueError:
        return BOTH
    others = [name for name in evaluate.inputs if name != pin]
    if pin not in evaluate.inputs or len(others) > MOST_INPUTS:
        return BOTH
    rises = falls = False
    for values in itertools.product((False, True), repeat=len(others)):
        known = dict(zip(others, values, strict=True))
        low, high = evaluate({**known, pin: False}), evaluate({**known, pin: True})
        rises |= high and not low
        falls |= low and not high
    if rises != falls:
        return POSITIVE if rises else NEGATIVE
    return BOTH
