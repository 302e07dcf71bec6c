"""Small random designs from a seed: registers, gates, arithmetic, multiplexers, with and without a reset.

python -m tests.flow.random_designs SEED
"""

from __future__ import annotations

import random
import sys

BINARY = ("&", "|", "^", "+", "-")
COMPARE = ("<", "==", "!=", ">=")


class Design:
    """One module `random_<seed>` as Verilog."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.name = f"random_{seed}"
        self._inputs = [(f"i{k}", self._random.randint(1, 4)) for k in range(self._random.randint(2, 5))]
        self._registers = [(f"r{k}", self._random.randint(1, 4)) for k in range(self._random.randint(0, 4))]
        self._wires: list[tuple[str, int]] = []

    @property
    def has_clock(self) -> bool:
        return bool(self._registers)

    def _operand(self) -> str:
        name, width = self._random.choice([*self._inputs, *self._registers, *self._wires])
        bit = self._random.random() < 0.4 and width > 1
        return f"{name}[{self._random.randrange(width)}]" if bit else name

    def _expression(self, depth: int = 2) -> str:
        kind = self._random.random()
        if depth == 0 or kind < 0.15:
            return self._operand()
        if kind < 0.25:
            return f"~{self._operand()}"
        if kind < 0.4:
            compared = f"{self._operand()} {self._random.choice(COMPARE)} {self._operand()}"
            return f"({compared} ? {self._expression(depth - 1)} : {self._expression(depth - 1)})"
        return f"({self._expression(depth - 1)} {self._random.choice(BINARY)} {self._expression(depth - 1)})"

    def _width(self) -> int:
        return self._random.randint(1, 4)

    def verilog(self) -> str:
        """The module; registers are declared first, and combinational wires lean on earlier ones alone."""
        ports = ["input clk", "input rst"] if self._registers else []
        ports += [f"input [{width - 1}:0] {name}" for name, width in self._inputs]
        lines = [f"  reg [{width - 1}:0] {name};" for name, width in self._registers]
        for k in range(self._random.randint(2, 5)):
            width = self._width()
            lines.append(f"  wire [{width - 1}:0] w{k} = {self._expression()};")
            self._wires.append((f"w{k}", width))
        edge = "negedge" if self._random.random() < 0.2 else "posedge"
        for name, width in self._registers:
            value = self._expression()
            if self._random.random() < 0.5:
                value = f"rst ? {width}'d{self._random.randrange(2**width)} : {value}"
            lines.append(f"  always @({edge} clk) {name} <= {value};")
        for k in range(self._random.randint(1, 3)):
            ports.append(f"output [{self._width() - 1}:0] o{k}")
            lines.append(f"  assign o{k} = {self._expression()};")
        listed = ",\n  ".join(ports)
        return "\n".join([f"module {self.name} (\n  {listed}\n);", *lines, "endmodule", ""])


if __name__ == "__main__":
    print(Design(int(sys.argv[1])).verilog())
