"""What a directory of Verilog is: its files, the likely top module and its clock. Runs in the inspector."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .findings import finding
from .hierarchy import Module, Source, below, clocks_of, read

SOURCES, HEADERS = {".v", ".sv"}, {".vh", ".svh"}
CONFIGS = ("config.json", "config.yaml", "config.yml", "config.tcl")
LEFT_OUT = {"runs", "node_modules", "__pycache__", "a6hub"}
MAX_FILES, MAX_DEPTH, MAX_BYTES = 2000, 8, 16 << 20


def analyse(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is in ``design_dir``; ``top`` may name the top module.

    The answer has ``name`` (the top module), ``verilog_files`` (those that it needs, packages first), ``include_dirs``,
    ``clock_port``, ``clocks`` (all that it could be), ``tops`` (all that ``name`` could be, the likeliest first),
    ``unused`` (files and why they are left out), ``config_file``, ``errors`` and ``warnings``. Paths are relative.
    """
    base = Path(question["design_dir"])
    sources, headers = _find(base)
    configs = [name for name in CONFIGS if (base / name).is_file()]
    answer: dict[str, Any] = {
        "name": None,
        "verilog_files": [],
        "include_dirs": [],
        "clock_port": None,
        "clocks": [],
        "tops": [],
        "unused": {},
        "config_file": configs[0] if configs else None,
        "errors": [],
        "warnings": [],
    }
    if not sources:
        message = f"The directory '{base.name}' holds no Verilog file."
        answer["errors"] = [finding("path", message, "Put at least one .v or .sv file into it.")]
        return answer
    read_files = [read(path, sorted({h.parent for h in headers})) for path in sources]
    _conclude(answer, base, read_files, headers, question.get("top"))
    return answer


def _find(base: Path) -> tuple[list[Path], list[Path]]:
    """Return sources and headers below a directory; what lies elsewhere, through a link, is none of the design's."""
    sources: list[Path] = []
    headers: list[Path] = []
    for directory, subdirectories, names in os.walk(base):
        depth = len(Path(directory).relative_to(base).parts)
        subdirectories[:] = sorted(
            d for d in subdirectories if d not in LEFT_OUT and not d.startswith(".") and depth < MAX_DEPTH
        )
        for name in sorted(names):
            path = Path(directory) / name
            if path.suffix not in SOURCES | HEADERS or name.startswith("."):
                continue
            if not path.is_file() or not path.resolve().is_relative_to(base.resolve()):
                continue
            if path.stat().st_size <= MAX_BYTES and len(sources) < MAX_FILES:
                (sources if path.suffix in SOURCES else headers).append(path)
    return sources, headers


def _conclude(
    answer: dict[str, Any], base: Path, sources: list[Source], headers: list[Path], wanted: str | None
) -> None:
    modules: dict[str, Module] = {}
    for source in sources:
        for module in source.modules:
            other = modules.setdefault(module.name, module)
            if other is not module:
                message = f"The module '{module.name}' is in {_name(other.file, base)} and {_name(source.path, base)}."
                answer["warnings"].append(finding("verilog_files", message, "Name the files that you mean."))
        if source.problem:
            message = f"{_name(source.path, base)}, {source.problem}: this is no Verilog that could be read."
            answer["warnings"].append(finding("verilog_files", message, "Mend it; lint() says more."))
    answer["tops"] = tops = _tops(modules, base)
    if not tops:
        answer["errors"] = [finding("path", "The Verilog files define no module.", "Write the top module first.")]
        return
    if wanted is not None and wanted not in modules:
        answer["errors"] = [finding("top", f"No module '{wanted}' is defined here.", f"There is: {', '.join(tops)}.")]
        return
    top = wanted or tops[0]
    used = {modules[m].file for m in below(top, modules)}
    chosen = [s for s in sources if s.has_package] + [s for s in sources if s.path in used and not s.has_package]
    answer["name"] = top
    answer["verilog_files"] = [_name(s.path, base) for s in chosen]
    answer["unused"] = {_name(s.path, base): _why_not(s, modules) for s in sources if s not in chosen}
    answer["include_dirs"] = list(_include_dirs(chosen, sources, headers, base))
    inputs = [p.name for p in modules[top].ports if p.direction in {"input", "inout", ""}]
    clocked = clocks_of(modules)[top]
    clocks = [name for name in inputs if name in clocked] or [n for n in inputs if _sounds_like_a_clock(n)]
    answer["clocks"] = sorted(clocks, key=lambda n: (not _sounds_like_a_clock(n), inputs.index(n)))
    answer["clock_port"] = answer["clocks"][0] if clocks else None


def _tops(modules: Mapping[str, Module], base: Path) -> list[str]:
    """Return what could be the top, the likeliest first: what only testbenches instantiate, by name and by size."""
    benches = {m.name for m in modules.values() if _is_testbench(m)}
    inner = {i.module for m in modules.values() if m.name not in benches for i in m.instances if i.module != m.name}
    tried = {i.module for name in benches for i in modules[name].instances}
    free = [name for name in modules if name not in inner and name not in benches] or list(modules)

    def rank(name: str) -> tuple[bool, bool, bool, int, str]:
        return (name != base.name, name not in tried, "top" not in name, -len(below(name, modules)), name)

    return sorted(free, key=rank)


def _is_testbench(module: Module) -> bool:
    words = module.name.lower().split("_")
    named = bool({"tb", "testbench", "test"} & set(words))
    return not module.ports and (named or module.has_initial)


def _sounds_like_a_clock(name: str) -> bool:
    return any(word in name.lower() for word in ("clk", "clock"))


def _why_not(source: Source, modules: Mapping[str, Module]) -> str:
    if not source.modules:
        return "defines no module"
    if all(_is_testbench(m) for m in source.modules):
        return "testbench"
    if any(modules[m.name].file != source.path for m in source.modules):
        return "defines a module of another file again"
    return "not part of the hierarchy"


def _include_dirs(chosen: list[Source], sources: list[Source], headers: list[Path], base: Path) -> Iterator[str]:
    """Yield the directories from which what is included is found."""
    wanted = {name for s in chosen for name in s.includes}
    seen: set[str] = set()
    for path in [*headers, *(s.path for s in sources)]:
        for name in wanted:
            parts = Path(name).parts
            if path.parts[-len(parts) :] == parts:
                directory = _name(path.parents[len(parts) - 1], base)
                if directory not in seen:
                    seen.add(directory)
                    yield directory


def _name(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
