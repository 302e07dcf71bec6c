"""A reader of Liberty files: groups and attributes, each cell parsed when it is first asked for.

A library has hundreds of cells and a design uses a few dozen; most of the text is power tables, which nobody
here reads and which are skipped unread. Source of the syntax: Liberty User Guide, volume 1.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CELL = re.compile(r'cell\s*\(\s*"?([^")\s]+)"?\s*\)\s*\{')
NAME_OR_TEXT = re.compile(r'[\w"]')
TEMPLATE = re.compile(r"_template\s*\(")
"""A table's shape, which belongs to the library also where it stands between two cells."""
BRACE = re.compile(r"[{}]")
TOKEN = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"|(?P<mark>[(){}:;,])|(?P<word>[^\s(){}:;,"\\]+)', re.DOTALL)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
UNREAD = {"internal_power", "leakage_power", "test_cell", "wire_load", "wire_load_selection", "power_lut_template"}


@dataclass
class Group:
    """A Liberty group: `name (arguments) { ... }`."""

    name: str
    arguments: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    @property
    def argument(self) -> str:
        """The first argument, or an empty text."""
        return self.arguments[0] if self.arguments else ""

    def each(self, *names: str) -> Iterator[Group]:
        """Subgroups with one of these names."""
        return (group for group in self.groups if group.name in names)

    def number(self, name: str) -> float | None:
        """A numeric attribute; None when it is not given."""
        match = NUMBER.search(self.values.get(name, ""))
        return float(match[0]) if match else None

    def numbers(self, name: str) -> list[float]:
        """All numbers of a list attribute such as `values` or `index_1`."""
        return [float(n) for text in self.lists.get(name, ()) for n in NUMBER.findall(text)]


def matching_brace(text: str, at: int) -> int:
    """The position after the brace that closes the one before `at`. Raises ValueError at the end of the text."""
    depth = 1
    for match in BRACE.finditer(text, at):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.end()
    raise ValueError("a group without its closing brace")


def _end_of_cell(text: str, cell: re.Match[str], following: re.Match[str] | None) -> int:
    """Where a cell ends, found from where the next one begins: most of a library is never looked at brace by brace."""
    if following is not None:
        between = text[cell.start() : following.start()]
        if between.count("{") == between.count("}") and TEMPLATE.search(between) is None:
            return following.start()
    return matching_brace(text, cell.end())


class Parser:
    """Parses one group from a text without comments."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _next(self) -> tuple[str, str]:
        """Kind (text, mark or word) and content of the next token."""
        match = TOKEN.search(self._text, self._at)
        if match is None:
            raise ValueError("the text ends within a group")
        self._at = match.end()
        kind = match.lastgroup or "word"
        return kind, match[kind].replace("\\\n", " ")

    def group(self) -> Group:
        """The group that starts here."""
        _, name = self._next()
        group = Group(name)
        self._next()  # the opening parenthesis
        group.arguments = self._arguments()
        self._next()  # the opening brace
        self._body(group)
        return group

    def _arguments(self) -> list[str]:
        """What stands up to the closing parenthesis."""
        found: list[str] = []
        while True:
            kind, word = self._next()
            if kind == "mark" and word == ")":
                return found
            if kind == "mark" and word == ":" and found:
                found[-1] += f":{self._next()[1]}"  # a range of bits without quotes: pin (D[7:0])
            elif kind != "mark":
                found.append(word)

    def _body(self, group: Group) -> None:
        while True:
            kind, word = self._next()
            if kind == "mark":
                if word == "}":
                    return
                continue
            _, mark = self._next()
            if mark == ":":
                group.values[word] = self._value()
            elif mark == "(":
                arguments = self._arguments()
                opening = TOKEN.search(self._text, self._at)
                if opening is None or opening[0] != "{":
                    group.lists[word] = arguments
                elif word in UNREAD:
                    self._at = matching_brace(self._text, opening.end())
                else:
                    self._at = opening.end()
                    inner = Group(word, arguments)
                    self._body(inner)
                    group.groups.append(inner)

    def _value(self) -> str:
        """The value of a simple attribute, up to its semicolon or the end of its line."""
        _, value = self._next()
        end = self._text.find("\n", self._at)
        rest = self._text[self._at : end if end >= 0 else len(self._text)]
        before, semicolon, _ = rest.partition(";")
        if before.strip() and "}" not in before:
            value = f"{value} {before.strip()}"
        self._at += len(before) + 1 if semicolon and "}" not in before else 0
        return value


class LibertyText:
    """One Liberty file: its head is parsed at once, its cells on demand. Raises ValueError when malformed."""

    def __init__(self, text: str) -> None:
        if "/*" in text:
            text = COMMENT.sub(" ", text)
        self._cells: dict[str, str] = {}
        head, at = [], 0
        starts = [match for match in CELL.finditer(text) if NAME_OR_TEXT.match(text[match.start() - 1]) is None]
        for match, following in itertools.zip_longest(starts, starts[1:]):
            if match.start() < at:  # within the cell before: not a cell of the library
                continue
            head.append(text[at : match.start()])
            at = _end_of_cell(text, match, following)
            self._cells[match[1]] = text[match.start() : at]
        self.head = Parser("".join([*head, text[at:]])).group()

    def names(self) -> Iterator[str]:
        """Names of all cells."""
        return iter(self._cells)

    def cell(self, name: str) -> Group:
        """The group of one cell."""
        return Parser(self._cells[name]).group()
