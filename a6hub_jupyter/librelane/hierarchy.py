"""Which module instantiates which, and what clocks them: as much of the syntax trees as that needs (slang's parser)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyslang

from .verilog import Port, ports_of

KIND = pyslang.syntax.SyntaxKind
ALWAYS = {KIND.AlwaysBlock, KIND.AlwaysFFBlock, KIND.AlwaysLatchBlock, KIND.AlwaysCombBlock}


@dataclass
class Instance:
    """An instance of ``module``; ``signals`` are the parent's, by port name or by position."""

    module: str
    signals: dict[str | int, str] = field(default_factory=dict)
    wildcard: bool = False


@dataclass
class Module:
    """A module: where it is, its ports, what it instantiates, the signals whose edges it waits for (resets apart)."""

    name: str
    file: Path
    ports: list[Port]
    instances: list[Instance] = field(default_factory=list)
    edges: set[str] = field(default_factory=set)
    has_initial: bool = False


@dataclass
class Source:
    """A file: its modules, whether it has packages, what it includes, and the first line that does not parse."""

    path: Path
    modules: list[Module] = field(default_factory=list)
    has_package: bool = False
    includes: list[str] = field(default_factory=list)
    problem: str | None = None


def read(path: Path, include_dirs: Sequence[Path]) -> Source:
    """Parse one file; OSError if it cannot be read."""
    path.open("rb").close()
    manager = pyslang.SourceManager()
    for directory in include_dirs:
        manager.addUserDirectories(str(directory))
    tree = pyslang.syntax.SyntaxTree.fromFile(str(path), manager)
    source = Source(path, includes=[i.path for i in tree.getIncludeDirectives() if not i.isSystem])
    for problem in tree.diagnostics:
        if problem.isError():
            source.problem = f"line {manager.getLineNumber(problem.location)}"
            break
    root: Any = tree.root
    members = root.members if root.kind == KIND.CompilationUnit else [root]
    for member in members:
        source.has_package |= member.kind == KIND.PackageDeclaration
        if member.kind == KIND.ModuleDeclaration:
            source.modules.append(_module(member, path))
    return source


def _module(node: Any, path: Path) -> Module:
    module = Module(node.header.name.valueText, path, list(ports_of(node)))
    for member in _members(node.members):
        if member.kind == KIND.HierarchyInstantiation:
            module.instances += _instances(member)
        elif member.kind in ALWAYS:
            module.edges |= _edges(member.statement)
        elif member.kind == KIND.InitialBlock:
            module.has_initial = True
    return module


def _members(nodes: Any) -> Iterator[Any]:
    """Yield the members of a module, those inside of generate blocks too."""
    for node in nodes:
        kind = getattr(node, "kind", None)
        if kind in {KIND.GenerateRegion, KIND.GenerateBlock}:
            yield from _members(node.members)
        elif kind == KIND.LoopGenerate:
            yield from _members([node.block])
        elif kind == KIND.IfGenerate:
            yield from _members([node.block])
            if node.elseClause is not None:
                yield from _members([node.elseClause.clause])
        elif kind == KIND.CaseGenerate:
            yield from _members([c.clause for c in node.items if hasattr(c, "clause")])
        elif kind is not None:
            yield node


def _instances(node: Any) -> Iterator[Instance]:
    for each in node.instances:
        if not hasattr(each, "connections"):
            continue
        instance = Instance(node.type.valueText)
        position = 0
        for connection in each.connections:
            kind = getattr(connection, "kind", None)
            if kind == KIND.NamedPortConnection:
                name = connection.name.valueText
                shorthand = connection.openParen is None or not connection.openParen.valueText
                signal = name if connection.expr is None and shorthand else _name(connection.expr)
                if signal:
                    instance.signals[name] = signal
            elif kind == KIND.OrderedPortConnection:
                if signal := _name(connection.expr):
                    instance.signals[position] = signal
                position += 1
            elif kind == KIND.WildcardPortConnection:
                instance.wildcard = True
        yield instance


def _name(node: Any) -> str:
    """Return the text of an expression that is one identifier, else nothing."""
    if node is None:
        return ""
    first, last = node.getFirstToken(), node.getLastToken()
    same = first.location == last.location
    return str(first.valueText) if same and str(first.valueText).isidentifier() else ""


def _edges(statement: Any) -> set[str]:
    """Return what a process waits for an edge of, without what it tests first: that is its reset."""
    if statement.kind != KIND.TimingControlStatement:
        return set()
    names = {n for n in _waited(getattr(statement.timingControl, "expr", None)) if n}
    body = statement.statement
    while getattr(body, "kind", None) == KIND.SequentialBlockStatement:
        items = [i for i in body.items if getattr(i, "kind", None) is not None]
        if not items:
            return names
        body = items[0]
    if len(names) > 1 and getattr(body, "kind", None) == KIND.ConditionalStatement:
        tested: set[str] = set()

        def note(token: Any) -> None:
            if isinstance(token, pyslang.parsing.Token):
                tested.add(str(token.valueText))

        body.predicate.visit(note)
        names -= tested
    return names


def _waited(event: Any) -> Iterator[str]:
    kind = getattr(event, "kind", None)
    if kind == KIND.ParenthesizedEventExpression:
        yield from _waited(event.expr)
    elif kind == KIND.BinaryEventExpression:
        yield from _waited(event.left)
        yield from _waited(event.right)
    elif kind == KIND.SignalEventExpression and event.edge.valueText in {"posedge", "negedge"}:
        yield _name(event.expr)


def clocks_of(modules: Mapping[str, Module]) -> dict[str, set[str]]:
    """Return the signals that clock something, in each module, through the hierarchy below it."""
    found = {name: set(m.edges) for name, m in modules.items()}
    changed = True
    while changed:
        changed = False
        for name, module in modules.items():
            for instance in module.instances:
                child = modules.get(instance.module)
                clocked = found[instance.module] if child else set()
                new = set(_driven(instance, child, clocked)) - found[name] if child else set()
                if new:
                    found[name] |= new
                    changed = True
    return found


def _driven(instance: Instance, child: Module, clocked: set[str]) -> Iterator[str]:
    for position, port in enumerate(child.ports):
        if port.name in clocked:
            signal = instance.signals.get(port.name) or instance.signals.get(position)
            if signal or instance.wildcard:
                yield signal or port.name


def below(top: str, modules: Mapping[str, Module]) -> list[str]:
    """Return the modules of a hierarchy, the top first."""
    seen, rest = dict.fromkeys([top]), [top]
    while rest:
        for instance in modules[rest.pop()].instances:
            if instance.module in modules and instance.module not in seen:
                seen[instance.module] = None
                rest.append(instance.module)
    return list(seen)
