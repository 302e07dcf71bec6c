"""The words of a LEF text: statements, and lengths in whole nanometres.

Source of the syntax: LEF/DEF 5.8 Language Reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEF58_RULE = re.compile(r'PROPERTY\s+LEF58_(?:EOLENCLOSURE|SPACING)\s+"([^"]*)"\s*;')
"""Rules of LEF 5.8 in properties are read like statements."""
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def nanometres(text: str) -> int:
    """A LEF length (microns) in nm."""
    return round(float(text) * 1000)


def lengths(words: Iterable[str]) -> list[int]:
    """Those of the words that are numbers, as lengths in nm."""
    return [nanometres(word) for word in words if NUMBER.fullmatch(word)]


class Words:
    """The words of a LEF text, and where reading stands."""

    def __init__(self, text: str) -> None:
        text = LEF58_RULE.sub(r" \1 ", re.sub(r"#.*", "", text))
        text = re.sub(r'"[^"]*"', '""', text)
        self._words = text.replace(";", " ; ").split()
        self._at = 0

    def _statement(self) -> list[str]:
        end = self._words.index(";", self._at)
        words, self._at = self._words[self._at : end], end + 1
        return words

    def _statements(self, *, named: bool = True) -> Iterator[list[str]]:
        """Statements of a flat block up to its END, which has a name except for PORT and OBS."""
        while self._words[self._at] != "END":
            words = self._statement()
            if words:
                yield words
        self._at += 2 if named else 1
