"""The wires of a design as SPEF, for timing analysers of others. Source of the syntax: IEEE 1481-2019, chapter 9."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a6hub_jupyter.express.timing.graph import Graph
    from a6hub_jupyter.express.timing.wires import RcTree, Terminal

SPECIAL = re.compile(r"([^\w$])")


def _escaped(name: str, *, bus: bool = False) -> str:
    """A name with its special characters escaped; the index of a port's bus stays as it is.

    Other nets and instances are no buses: Verilog writes their brackets as part of an escaped name.
    """
    match = re.fullmatch(r"(.*)\[(\d+)\]", name) if bus else None
    stem, index = (match[1], f"[{match[2]}]") if match else (name, "")
    return SPECIAL.sub(r"\\\1", stem) + index


def _pin(terminal: Terminal) -> str:
    instance, pin = terminal
    return f"{_escaped(instance)}:{pin}" if instance else _escaped(pin, bus=True)


def lines(design: str, trees: list[RcTree], graph: Graph) -> Iterator[str]:
    """The lines of a SPEF file: pF and kOhm; pin capacitances are left to the reader's libraries."""
    yield '*SPEF "IEEE 1481-1998"'
    yield f'*DESIGN "{design}"'
    yield '*DATE "-"\n*VENDOR "a6hub-jupyter"\n*PROGRAM "Express"\n*VERSION "1"\n*DESIGN_FLOW "ESTIMATE"'
    yield "*DIVIDER /\n*DELIMITER :\n*BUS_DELIMITER []"
    yield "*T_UNIT 1 NS\n*C_UNIT 1 PF\n*R_UNIT 1 KOHM\n*L_UNIT 1 HENRY\n"
    ports = {port.name for port in graph.netlist.ports}
    for tree in trees:
        yield from _net(_escaped(tree.net, bus=tree.net in ports), tree, graph)


def _net(net: str, tree: RcTree, graph: Graph) -> Iterator[str]:
    """One net. A node with one pin has that pin's name; further pins on it hang on a resistor of 1 mOhm."""
    names = [f"{net}:{k + 1}" for k in range(len(tree.parents))]
    extra: list[tuple[str, str]] = []
    named: set[int] = set()
    yield f"*D_NET {net} {sum(tree.capacitances):.9g}\n*CONN"
    for terminal, node in tree.terminals.items():
        drives = graph.drives(*terminal) if terminal in graph.index else node == 0  # a macro without a model
        if terminal[0]:
            yield f"*I {_pin(terminal)} {'O' if drives else 'I'}"
        else:
            yield f"*P {_pin(terminal)} {'I' if drives else 'O'}"
        if node in named:
            extra.append((names[node], _pin(terminal)))
        else:
            named.add(node)
            names[node] = _pin(terminal)
    yield "*CAP"
    count = 0
    for name, value in zip(names, tree.capacitances, strict=True):
        if value > 0:
            count += 1
            yield f"{count} {name} {value:.9g}"
    yield "*RES"
    count = 0
    for k, parent in enumerate(tree.parents):
        if parent >= 0:
            count += 1
            yield f"{count} {names[parent]} {names[k]} {max(tree.resistances[k], 1e-6):.9g}"
    for a, b in extra:
        count += 1
        yield f"{count} {a} {b} 1e-6"
    yield "*END\n"
