"""Express.Equivalence: the final netlist must do what the synthesised one does; proven by Yosys.

    python -m a6hub_jupyter.express.equivalence job.json

Both netlists are cut at their registers, macros and other cells that Liberty gives no function for: these must be
the same in both, and everything that leads into one of them or to a port is proven to be the same function. Clocks
are looked at like any other signal. First the gates are left as they are and only buffers are seen through: a proof by
structure, enough where cells were buffered or exchanged for stronger ones. What this leaves open is proven with
the Liberty functions of the gates and Yosys' SAT solver. What is not proven counts as an error.
"""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from a6hub_jupyter.express import verilog
from a6hub_jupyter.express.cellclasses import CellClasses
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.lef import Lef
from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.isolated import module_command

if TYPE_CHECKING:
    from a6hub_jupyter.express.job import Metrics
    from a6hub_jupyter.express.lefcells import Macros

SHOWN = 20
STUBS = "stubs.v"
LENIENT = "-ignore_miss_func -ignore_miss_dir -ignore_miss_data_latch"
FOUND = re.compile(r"Found (\d+) \$equiv cells in equiv:\s+Of those cells (\d+) are proven and (\d+) are unproven")
NONE_LEFT = "No $equiv cells found"
UNPROVEN = re.compile(r"Unproven \$equiv \S+: \\?(.+?) \\?(\S+(?: \[\d+\])?)$", re.M)
COPY = re.compile(r"_(?:gold|gate)\b")
FAILED = re.compile(r"^(?:\S+: )?ERROR: (.*)$", re.M)


@dataclass
class Proof:
    """What Yosys has proven: how many signals, which it could not, and why it stopped early, if it did."""

    proven: int = 0
    unproven: list[str] = field(default_factory=list)
    stopped: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether everything is proven."""
        return not self.unproven and self.stopped is None


def drives_something(cell: str, macros: Macros) -> bool:
    """Whether the cell has a signal pin that is more than an input. Antenna diodes, taps and fillers have none."""
    return cell not in macros or any(p.is_signal and p.direction != "INPUT" for p in macros[cell].pins.values())


def register_differences(
    gold: verilog.Netlist, gate: verilog.Netlist, classes: CellClasses, macros: Macros
) -> list[str]:
    """Registers, macros and other cells without a function that are not the same in both netlists."""

    def state(netlist: verilog.Netlist) -> dict[str, str]:
        found = {}
        for name, cell in netlist.cells.items():
            known = classes.cells.get(cell)
            if not (known and known.is_gate) and drives_something(cell, macros):
                found[name] = classes.representative.get(cell, cell)
        return found

    before, after = state(gold), state(gate)
    sentences = [f"The final netlist has no {name} ({cell})." for name, cell in before.items() if name not in after]
    sentences += [
        f"The final netlist has {name} ({cell}) of its own." for name, cell in after.items() if name not in before
    ]
    sentences += [
        f"{name} was {before[name]}, and is {cell}, which behaves differently."
        for name, cell in after.items()
        if name in before and before[name] != cell
    ]
    return sentences


def stub(cell: str, macros: Macros) -> str:
    """A Verilog module without content for a cell that Liberty does not describe, with the ports of its LEF."""
    if cell not in macros:
        raise ProblemError(f"The netlist uses '{cell}', which neither a LEF nor a Liberty file defines.")
    ports: dict[str, tuple[str, list[int]]] = {}
    for name, pin in macros[cell].pins.items():
        if pin.is_signal:
            match = verilog.BIT.fullmatch(name)
            bus = ports.setdefault(match[1] if match else name, (pin.direction.split()[0].lower(), []))
            if match:
                bus[1].append(int(match[2]))
    declared = []
    for name, (direction, bits) in ports.items():
        span = f"[{max(bits)}:{min(bits)}] " if bits else ""
        declared.append(f"{direction if direction in ('input', 'output') else 'inout'} {span}\\{name} ")
    return f"(* blackbox *) module \\{cell} ({', '.join(declared)}); endmodule\n"


@dataclass(frozen=True)
class Question:
    """Whether `gate.v` is equal to `gold.v`: the top module of both, and what is known of the cells in them.

    Files are named relative to the step directory, where links stand for them: Yosys takes no spaces in paths.
    """

    top: str
    libraries: tuple[str, ...]
    used: frozenset[str]
    classes: CellClasses

    def script(self, *, functions: bool) -> str:
        """The Yosys script that proves them equal: with the functions of gates, or by structure alone."""
        cells = self.classes.cells
        known = sorted(name for name in self.used if name in cells)
        through = {n for n in known if (cells[n].is_gate if functions else cells[n].is_buffer)}
        opaque = [n for n in known if n not in through]
        same = [f"chtype -map \\{n} \\{self.classes.representative[n]}" for n in opaque]
        opaque += [self.classes.representative[n] for n in opaque]
        lines = []
        for library in self.libraries:  # first all as empty boxes: the second reading leaves out what has no function
            lines += [f"read_liberty -lib -ignore_miss_dir {library}", f"read_liberty {LENIENT} {library}"]
        lines += [f"blackbox {' '.join(chr(92) + n for n in sorted(set(opaque)))}"] if opaque else []
        lines += [f"read_verilog {STUBS}", "design -save library"]
        for name in ("gold", "gate"):
            lines += ["design -load library", f"read_verilog {name}.v", f"hierarchy -top {self.top}", *same]
            lines += ["flatten -noscopeinfo -separator /", "splitnets -ports", "opt_clean"]
            lines += [f"rename {self.top} {name}", f"design -stash {name}"]
        lines += [
            "design -load library",
            "design -copy-from gold -as gold gold",
            "design -copy-from gate -as gate gate",
        ]
        lines += ["equiv_make gold gate equiv", "hierarchy -top equiv", "opt_clean equiv", "equiv_simple -short equiv"]
        return "\n".join([*lines, "equiv_status equiv", ""])


def prove(script: Path, seconds: float) -> Proof:
    """Run a Yosys script that ends in `equiv_status`; its log goes beside it. Bounded by `seconds`."""
    log = script.with_suffix(".log")
    command = module_command("a6hub_jupyter.express.yosys", "-s", script.name)
    try:
        with log.open("w") as output:
            subprocess.run(
                command,
                cwd=script.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=max(1, seconds),
                check=False,
            )
    except subprocess.TimeoutExpired:
        return Proof(stopped=f"the proof was given up after {seconds:.0f} s")
    return read_log(log.read_text(errors="replace"))


def read_log(text: str) -> Proof:
    """What a finished run says; a run that ended otherwise has proven nothing."""
    failed = FAILED.search(text)
    if failed:
        return Proof(stopped=f"Yosys says: {failed[1]}")
    found = FOUND.search(text)
    if not found:
        return Proof() if NONE_LEFT in text else Proof(stopped="Yosys ended without a result")
    pairs = [tuple(COPY.sub("", name) for name in m) for m in UNPROVEN.findall(text[text.rfind("EQUIV_STATUS") :])]
    unproven = [a if a == b else f"{a} and {b}" for a, b in pairs]
    unproven += ["a signal without a name"] * (int(found[3]) - len(unproven))
    return Proof(int(found[2]), unproven)


def check(job: Job) -> Metrics:
    """Compare, print what differs, and count what is proven and what not."""
    gold, gate = job.given("synthesised"), job.given("netlist")
    start = time.monotonic()
    classes = CellClasses.of(job.liberty)
    macros = Lef(*job.lefs, *job.macro_lefs).macros
    before, after = (verilog.read(path, job.top, macros.bits) for path in (gold, gate))
    differences = register_differences(before, after, classes, macros)
    used = frozenset([*before.cells.values(), *after.cells.values()])
    job.output(STUBS).write_text("".join(stub(cell, macros) for cell in sorted(used - set(classes.cells))))
    libraries = [(f"cells_{k}.lib", path) for k, path in enumerate(job.liberty)]
    for name, path in [("gold.v", gold), ("gate.v", gate), *libraries]:
        job.output(name).unlink(missing_ok=True)
        job.output(name).symlink_to(Path(path).resolve())
    question = Question(job.top, tuple(name for name, _ in libraries), used, classes)
    proof = Proof(stopped="the registers differ")
    for functions, way in ((False, "by structure"), (True, "with the functions of the gates")):
        script = job.output("functions.ys" if functions else "structure.ys")
        script.write_text(question.script(functions=functions))
        proof = prove(script, job.equivalence_seconds - (time.monotonic() - start))
        result = f"{proof.proven} signals proven, {len(proof.unproven)} not"
        print(f"Proof {way}: {result}{f'; {proof.stopped}' if proof.stopped else ''}.")
        if proof.is_complete:
            break
    sentences = [*differences, *(f"Not proven equal: {name}." for name in proof.unproven)]
    sentences += [f"Nothing is proven: {proof.stopped}."] if proof.stopped else []
    for sentence in sentences[:SHOWN]:
        print(sentence)
    job.output("equivalence.rpt").write_text("".join(f"{sentence}\n" for sentence in sentences))
    print("The final netlist is equivalent to the synthesised one." if not sentences else "NOT proven equivalent.")
    return {
        "design__equivalence_proven__count": proof.proven,
        "design__equivalence_unproven__count": len(sentences),
    }


if __name__ == "__main__":
    run(check)
