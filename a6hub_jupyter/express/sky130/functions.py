"""What a SkyWater cell computes, from its `functional.v` (gate primitives and UDPs), in Liberty syntax."""

from __future__ import annotations

import re
from dataclasses import dataclass

NEGATED = ("nand", "nor", "xnor")
OPERATORS = {"and": "&", "nand": "&", "or": "|", "nor": "|", "xor": "^", "xnor": "^"}
STORAGE = {
    "dff$P": ("ff", "D CLK"),
    "dff$PR": ("ff", "D CLK RESET"),
    "dff$PS": ("ff", "D CLK SET"),
    "dff$NSR": ("ff", "SET RESET CLKN D"),
    "dlatch$P": ("latch", "D GATE"),
    "dlatch$lP": ("latch", "D GATE"),
    "dlatch$PR": ("latch", "D GATE RESET"),
}
"""Sequential UDPs: kind, and the roles of their inputs."""
GATE = re.compile(r"^\s*([a-z_]\w*(?:\$\w+)?)\s+(\w+)\s*\(([^;]*)\)\s*;", re.M)


class UnmodelledError(Exception):
    """The cell uses a primitive (tri-state, for instance) that Liberty functions here do not cover."""


@dataclass
class Storage:
    """A flip-flop or latch: `kind` is ff or latch; expressions by role (D, CLK, GATE, RESET, SET)."""

    kind: str
    roles: dict[str, str]

    @property
    def control(self) -> str:
        """The expression of the clock or gate."""
        return self.roles.get("CLK") or self.roles["GATE"]

    @property
    def control_pin(self) -> str:
        """The pin in it."""
        return self.control.lstrip("!").strip("()")


@dataclass
class CellFunction:
    """Inputs, outputs, a Liberty expression for each output, and what is stored."""

    inputs: list[str]
    outputs: list[str]
    expressions: dict[str, str]
    storage: Storage | None


def inverted(expression: str) -> str:
    """The complement of an expression; two inversions of a name cancel."""
    if expression.startswith("!") and "(" not in expression:
        return expression[1:]
    return "!" + expression


class FunctionReader:
    """Resolves the outputs of one module into expressions of its inputs."""

    def __init__(self, verilog: str) -> None:
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", verilog.replace("`UNIT_DELAY", ""), flags=re.DOTALL)
        self._inputs = re.findall(r"^\s*input\s+(\w+)", text, re.M)
        self._outputs = re.findall(r"^\s*output\s+(\w+)", text, re.M)
        self._storage: Storage | None = None
        self._drivers: dict[str, tuple[str, list[str]]] = {}
        for kind, _, arguments in GATE.findall(text):
            nets = [a.strip() for a in arguments.split(",")]
            if kind != "module":
                self._drivers[nets[0]] = (kind.rsplit("udp_", 1)[-1], nets[1:])

    def read(self) -> CellFunction:
        """The function of the cell. Raises UnmodelledError."""
        expressions = {output: self._expression(output) for output in self._outputs}
        return CellFunction(self._inputs, self._outputs, expressions, self._storage)

    def _expression(self, net: str) -> str:
        if net not in self._drivers:
            return net
        kind, nets = self._drivers[net]
        if kind in STORAGE:
            return self._stored(net, kind, nets)
        values = [self._expression(n) for n in nets]
        if kind == "buf":
            return values[0]
        if kind == "not":
            return inverted(values[0])
        if kind in OPERATORS:
            joined = "(" + OPERATORS[kind].join(values) + ")"
            return inverted(joined) if kind in NEGATED else joined
        if kind in ("mux_2to1", "mux_2to1_N"):
            zero, one, select = values
            chosen = f"(({zero}&{inverted(select)})|({one}&{select}))"
            return "!" + chosen if kind.endswith("N") else chosen
        if kind == "mux_4to2":
            *data, low, high = values
            terms = []
            for n, value in enumerate(data):
                high_term = high if n & 2 else inverted(high)
                low_term = low if n & 1 else inverted(low)
                terms.append(f"({value}&{high_term}&{low_term})")
            return "(" + "|".join(terms) + ")"
        if kind in ("pullup", "pulldown"):
            return "1" if kind == "pullup" else "0"
        raise UnmodelledError(kind)

    def _stored(self, net: str, kind: str, nets: list[str]) -> str:
        sort, names = STORAGE[kind]
        self._drivers[net] = ("buf", ["IQ"])  # flip-flops with enable feed back
        roles = {role: self._expression(n) for role, n in zip(names.split(), nets, strict=False)}
        if "CLKN" in roles:
            roles["CLK"] = inverted(roles["CLKN"])
        self._storage = Storage(sort, roles)
        return "IQ"
