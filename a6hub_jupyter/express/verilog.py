"""Structural Verilog, as synthesis writes it: read into a flat netlist, and written back.

The layout check reads the netlist with this reader too, so it does not lean on what placement remembers.
Understood: modules, port and wire declarations, instances with named connections, `assign`, bit and part
selects, concatenations, sized constants, escaped names. Source: IEEE 1364-2005, chapters 3, 4 and 12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    BitsOfPin = Callable[[str, str], list[str]]
    """Names of the bits of a pin of a cell, most significant first; empty for a pin of one bit."""

TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/|\(\*.*?\*\)|`[^\n]*"
    r"|(?P<escaped>\\\S+)|(?P<constant>\d*\s*'[sS]?[bodhBODH]\s*[0-9a-fA-FxXzZ_?]+)"
    r"|(?P<name>[A-Za-z_$][\w$]*)|(?P<number>\d+)|(?P<mark>[()\[\]{},;:.=#])",
    re.DOTALL,
)
PLAIN_NAME = re.compile(r"[A-Za-z_][\w$]*")
BIT = re.compile(r"(.*)\[(\d+)\]")
BITS_PER_DIGIT = {"b": 1, "o": 3, "h": 4}
CONSTANTS = ("1'b0", "1'b1", "1'bx", "1'bz")
"""Nets that are constants; no Verilog name looks like this."""


@dataclass
class Port:
    """One bit of a port: its full name, its direction in LEF's words (INPUT, OUTPUT, INOUT) and its net."""

    name: str
    direction: str
    net: str


@dataclass
class Netlist:
    """A flat netlist. `cells` maps instance to cell, `nets` maps net to its (instance, pin) connections."""

    top: str
    cells: dict[str, str] = field(default_factory=dict)
    nets: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    ports: list[Port] = field(default_factory=list)

    def net_of(self) -> dict[tuple[str, str], str]:
        """The net of each connected (instance, pin)."""
        return {connection: net for net, connections in self.nets.items() for connection in connections}


@dataclass
class Module:
    """One module as parsed: bit lists, most significant first."""

    name: str
    ranges: dict[str, list[int]] = field(default_factory=dict)
    directions: dict[str, str] = field(default_factory=dict)
    port_order: list[str] = field(default_factory=list)
    instances: list[tuple[str, str, dict[str, list[str]]]] = field(default_factory=list)
    assigns: list[tuple[list[str], list[str]]] = field(default_factory=list)

    def bits(self, name: str) -> list[str]:
        """Full names of all bits of a port or wire."""
        indices = self.ranges.get(name)
        return [name] if indices is None else [f"{name}[{i}]" for i in indices]


class Parser:
    """Parses the modules of one Verilog text. ProblemError names the place of what it does not understand."""

    def __init__(self, text: str, source: str = "the netlist") -> None:
        self._source = source
        self._words = list(self._tokens(text))
        self._at = 0

    def _tokens(self, text: str) -> Iterator[str]:
        position = 0
        while position < len(text):
            match = TOKEN.match(text, position)
            if match is None:
                line = text.count("\n", 0, position) + 1
                raise ProblemError(f"{self._source}, line {line}: '{text[position]}' is not structural Verilog.")
            if match.lastgroup == "escaped":
                yield match[0][1:]
            elif match.lastgroup:
                yield match[0]
            position = match.end()

    def _next(self) -> str:
        if self._at >= len(self._words):
            raise ProblemError(f"{self._source} ends within a module.")
        self._at += 1
        return self._words[self._at - 1]

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _expect(self, mark: str) -> None:
        found = self._next()
        if found != mark:
            raise ProblemError(
                f"{self._source}: '{mark}' expected, '{found}' found; only gate-level netlists are read."
            )

    def modules(self) -> dict[str, Module]:
        """All modules by name."""
        found = {}
        while self._peek():
            self._expect("module")
            module = self._module(Module(self._next()))
            found[module.name] = module
        return found

    def _module(self, module: Module) -> Module:
        if self._peek() == "(":
            while self._next() != ")":
                pass
        self._expect(";")
        while (word := self._next()) != "endmodule":
            if word in ("input", "output", "inout", "wire", "tri", "supply0", "supply1"):
                self._declaration(module, word)
            elif word == "assign":
                left = self._expression(module)
                self._expect("=")
                module.assigns.append((left, self._expression(module)))
                self._expect(";")
            else:
                self._instance(module, word)
        return module

    def _declaration(self, module: Module, kind: str) -> None:
        while self._peek() in ("wire", "reg", "signed"):
            self._next()
        indices = self._range()
        while True:
            name = self._next()
            if indices is not None:
                module.ranges[name] = indices
            if kind in ("input", "output", "inout"):
                module.directions[name] = kind.upper()
                module.port_order.append(name)
            if self._next() == ";":
                return

    def _range(self) -> list[int] | None:
        if self._peek() != "[":
            return None
        self._next()
        high = int(self._next())
        low = high
        if self._next() == ":":
            low = int(self._next())
            self._expect("]")
        return list(range(high, low - 1, -1)) if high >= low else list(range(high, low + 1))

    def _instance(self, module: Module, cell: str) -> None:
        name = self._next()
        self._expect("(")
        pins: dict[str, list[str]] = {}
        while (mark := self._next()) != ")":
            if mark == ",":
                continue
            if mark != ".":
                raise ProblemError(f"{self._source}: the instance {name} of {cell} needs named connections.")
            pin = self._next()
            self._expect("(")
            pins[pin] = [] if self._peek() == ")" else self._expression(module)
            self._expect(")")
        self._expect(";")
        module.instances.append((name, cell, pins))

    def _expression(self, module: Module) -> list[str]:
        word = self._next()
        if word == "{":
            bits: list[str] = []
            while True:
                bits += self._expression(module)
                if self._next() == "}":
                    return bits
        if "'" in word:
            return constant_bits(word)
        selected = self._range()
        return module.bits(word) if selected is None else [f"{word}[{i}]" for i in selected]


def constant_bits(text: str) -> list[str]:
    """Bits of a sized constant such as 4'b10x0, most significant first."""
    size, _, value = text.replace("_", "").replace(" ", "").partition("'")
    value = value.lstrip("sS")
    base, digits = value[0].lower(), value[1:].lower().replace("?", "z")
    if base == "d":
        bits = list(bin(int(digits))[2:])
    else:
        per = BITS_PER_DIGIT[base]
        bits = [b for d in digits for b in ([d] * per if d in "xz" else f"{int(d, 16):0{per}b}")]
    width = int(size) if size else len(bits)
    return [f"1'b{bit}" for bit in (["0"] * (width - len(bits)) + bits)[-width:]]


class Flattener:
    """Dissolves the hierarchy below one module and joins what `assign` joins."""

    def __init__(self, modules: dict[str, Module], bits_of_pin: BitsOfPin | None = None) -> None:
        self._modules = modules
        self._bits_of_pin = bits_of_pin
        self._known_bits: dict[tuple[str, str], list[str]] = {}
        self._same: dict[str, str] = {}
        self._pins: list[tuple[str, str, str]] = []
        self._cells: dict[str, str] = {}

    def _root(self, net: str) -> str:
        while self._same.get(net, net) != net:
            net = self._same[net]
        return net

    def _pin_bits(self, cell: str, pin: str) -> list[str]:
        """The pin, or its bits where it is a bus of a hard macro."""
        if (cell, pin) not in self._known_bits:
            found = self._bits_of_pin(cell, pin) if self._bits_of_pin else []
            self._known_bits[cell, pin] = found or [pin]
        return self._known_bits[cell, pin]

    def _join(self, a: str, b: str) -> None:
        a, b = self._root(a), self._root(b)
        if a != b:
            self._same[max(a, b, key=_rank)] = min(a, b, key=_rank)

    def _descend(self, module: Module, prefix: str) -> None:
        def full(bit: str) -> str:
            return bit if bit in CONSTANTS else prefix + bit

        for left, right in module.assigns:
            for a, b in zip(left, right, strict=False):
                self._join(full(a), full(b))
        for name, cell, pins in module.instances:
            inner = self._modules.get(cell)
            if inner is None:
                self._cells[prefix + name] = cell
                for pin, bits in pins.items():
                    pairs = zip(reversed(self._pin_bits(cell, pin)), reversed(bits), strict=False)
                    self._pins += [(prefix + name, one, full(bit)) for one, bit in pairs]
                continue
            self._descend(inner, f"{prefix}{name}/")
            for port, bits in pins.items():
                for a, b in zip(inner.bits(port), bits, strict=False):
                    self._join(f"{prefix}{name}/{a}", full(b))

    def flat(self, top: str) -> Netlist:
        """The flat netlist below `top`. Ports give their nets their names."""
        if top not in self._modules:
            raise ProblemError(f"The netlist has no module '{top}': DESIGN_NAME must name the top module.")
        module = self._modules[top]
        self._descend(module, "")
        netlist = Netlist(top, self._cells)
        ports = [(bit, module.directions[name]) for name in module.port_order for bit in module.bits(name)]
        naming: dict[str, str] = {}
        for bit, _ in ports:
            if self._root(bit) not in CONSTANTS:
                naming.setdefault(self._root(bit), bit)
        netlist.ports = [Port(bit, way, naming.get(self._root(bit), self._root(bit))) for bit, way in ports]
        for instance, pin, bit in self._pins:
            root = self._root(bit)
            netlist.nets.setdefault(naming.get(root, root), []).append((instance, pin))
        return netlist


def _rank(net: str) -> tuple[bool, int, str]:
    """Which of two joined nets gives the name: a constant first, then the shorter."""
    return net not in CONSTANTS, len(net), net


def read(path: str | Path, top: str, bits_of_pin: BitsOfPin | None = None) -> Netlist:
    """The flat netlist of module `top` in a structural Verilog file.

    Without `bits_of_pin`, pins of cells are taken to have one bit each.
    """
    return Flattener(Parser(Path(path).read_text(), Path(path).name).modules(), bits_of_pin).flat(top)


def _escaped(name: str) -> str:
    return name if PLAIN_NAME.fullmatch(name) else f"\\{name} "


def _connections(pins: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What each pin is connected to; the bits of a bus of a hard macro as one concatenation, highest first."""
    single, buses = [], dict[str, list[tuple[int, str]]]()
    for pin, reference in pins:
        match = BIT.fullmatch(pin)
        if match:
            buses.setdefault(match[1], []).append((int(match[2]), reference))
        else:
            single.append((pin, reference))
    joined = [(bus, ", ".join(what for _, what in sorted(bits, reverse=True))) for bus, bits in buses.items()]
    return sorted([*single, *((bus, f"{{{what}}}") for bus, what in joined)])


def write(netlist: Netlist) -> str:
    """The netlist as structural Verilog: buses for the ports, one wire for each other net."""
    buses: dict[str, list[int]] = {}
    directions: dict[str, str] = {}
    for port in netlist.ports:
        match = BIT.fullmatch(port.name)
        name = match[1] if match else port.name
        directions[name] = port.direction.lower()
        buses.setdefault(name, [])
        if match:
            buses[name].append(int(match[2]))

    def reference(net: str) -> str:
        match = BIT.fullmatch(net)
        if match and int(match[2]) in buses.get(match[1], ()):
            return f"{_escaped(match[1])}[{match[2]}]"
        return net if net in CONSTANTS else _escaped(net)

    lines = [f"module {_escaped(netlist.top)} ({', '.join(_escaped(b) for b in buses)});"]
    for name, indices in buses.items():
        span = f"[{indices[0]}:{indices[-1]}] " if indices else ""  # upwards if that is how the design counts
        lines.append(f"  {directions[name]} {span}{_escaped(name)};")
    of_ports = {port.name for port in netlist.ports}
    lines += [f"  wire {_escaped(net)};" for net in netlist.nets if net not in of_ports and net not in CONSTANTS]
    lines += [f"  assign {reference(p.name)} = {reference(p.net)};" for p in netlist.ports if p.net != p.name]
    pins: dict[str, list[tuple[str, str]]] = {}
    for net, connections in netlist.nets.items():
        for instance, pin in connections:
            pins.setdefault(instance, []).append((pin, net))
    for instance, cell in netlist.cells.items():
        connected = _connections([(pin, reference(net)) for pin, net in pins.get(instance, [])])
        listed = ", ".join(f".{_escaped(pin)}({what})" for pin, what in connected)
        lines.append(f"  {_escaped(cell)} {_escaped(instance)} ({listed});")
    return "\n".join([*lines, "endmodule", ""])
