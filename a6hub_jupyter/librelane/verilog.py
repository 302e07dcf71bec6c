"""What Verilog files say of themselves: modules, their ports, where the syntax breaks (slang's parser, not regex)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyslang


@dataclass(frozen=True)
class Port:
    """A port; ``direction`` is ``input``, ``output``, ``inout``, or empty where the header does not say."""

    name: str
    direction: str


@dataclass
class Sources:
    """What a set of Verilog files defines."""

    modules: dict[str, list[Port]] = field(default_factory=dict)
    instantiated: set[str] = field(default_factory=set)
    has_syntax_errors: bool = False

    @property
    def tops(self) -> list[str]:
        """Modules that none of the others instantiates."""
        return [m for m in self.modules if m not in self.instantiated]


def read_sources(files: Sequence[Path], include_dirs: Sequence[Path] = ()) -> Sources:
    """Parse files (not elaborate: missing modules do not matter); OSError when one cannot be read."""
    manager = pyslang.SourceManager()
    for directory in include_dirs:
        manager.addUserDirectories(str(directory))
    sources = Sources()
    for path in files:
        path.open("rb").close()
        tree = pyslang.syntax.SyntaxTree.fromFile(str(path), manager)
        sources.has_syntax_errors |= any(d.isError() for d in tree.diagnostics)
        _visit(tree.root, sources)
    return sources


def _visit(root: Any, sources: Sources) -> None:
    kinds = pyslang.syntax.SyntaxKind

    def handle(node: Any) -> None:
        kind = getattr(node, "kind", None)
        if kind == kinds.ModuleDeclaration:
            sources.modules[node.header.name.valueText] = list(ports_of(node))
        elif kind == kinds.HierarchyInstantiation:
            sources.instantiated.add(node.type.valueText)

    root.visit(handle)


def ports_of(module: Any) -> Iterable[Port]:
    """Yield the ports of a module's syntax node, in order."""
    kinds = pyslang.syntax.SyntaxKind
    ports = module.header.ports
    if ports is None:
        return
    if ports.kind == kinds.AnsiPortList:
        direction = ""
        for port in ports.ports:
            if port.kind != kinds.ImplicitAnsiPort:
                continue
            given = getattr(port.header, "direction", None)
            if given is not None and given.valueText:
                direction = given.valueText
            yield Port(port.declarator.name.valueText, direction)
        return
    directions: dict[str, str] = {}
    for member in module.members:
        if member.kind == kinds.PortDeclaration:
            direction = member.header.direction.valueText
            for declarator in member.declarators:
                if hasattr(declarator, "name"):
                    directions[declarator.name.valueText] = direction
    for name, direction in directions.items():
        yield Port(name, direction)
