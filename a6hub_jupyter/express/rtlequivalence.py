"""Express.RTLEquivalence: the synthesised netlist must do what the RTL says; proven by Yosys, bounded in time.

    python -m a6hub_jupyter.express.rtlequivalence job.json

The RTL is what LibreLane's Yosys.JsonHeader has read: the flat design before any optimisation. Registers of both sides
become logic that samples its clock, so that a wrong edge, clock or asynchronous reset is a difference like any other.
Signals with one name on both sides are proven equal by SAT, then by induction. What is left
is named: it may be a fault of synthesis, or beyond this proof (registers that synthesis has merged or re-encoded).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a6hub_jupyter.express import verilog
from a6hub_jupyter.express.cellclasses import CellClasses
from a6hub_jupyter.express.equivalence import LENIENT, STUBS, Proof, prove, stub
from a6hub_jupyter.express.job import Job, run
from a6hub_jupyter.express.lef import Lef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from a6hub_jupyter.express.job import Metrics

SHOWN = 20
STEPS = 4
"""Steps of the induction."""
RTL, NETLIST = "rtl.named.json", "netlist.v"
PREPARE = (
    "flatten -noscopeinfo",
    "memory -nomap",
    "memory_map",
    "opt_expr",
    "opt_clean",
    "clk2fflogic",
    "opt_expr",
    "opt_clean",
    "splitnets -ports",
)
"""What is done to both sides: no hierarchy, no memories, no clocked cells."""


def script(top: str, libraries: Sequence[str]) -> str:
    """The Yosys script of the proof, for files beside it."""
    lines = [f"read_json {RTL}", f"hierarchy -top \\{top}", *PREPARE, f"rename \\{top} gold", "design -stash gold"]
    for library in libraries:  # first all as empty boxes: the second reading leaves out what has no function
        lines += [f"read_liberty -lib -ignore_miss_dir {library}", f"read_liberty {LENIENT} {library}"]
    lines += [f"read_verilog {STUBS}", f"read_verilog {NETLIST}", f"hierarchy -top \\{top}"]
    lines += [f"rename -hide */w:* \\{top}/w:* %d", *PREPARE]  # states of registers have no name in the RTL
    lines += [f"rename \\{top} gate", "design -stash gate"]
    lines += ["design -copy-from gold -as gold gold", "design -copy-from gate -as gate gate"]
    lines += ["equiv_make gold gate equiv", "hierarchy -top equiv", "opt_clean equiv"]
    # once with every signal 0 or 1, and once with what the RTL leaves undefined: each proves what the other cannot
    lines += [f"equiv_simple {way}equiv" for way in ("", "-undef ")]
    lines += [f"equiv_induct {way}-seq {STEPS} equiv" for way in ("", "-undef ")]
    return "\n".join([*lines, "equiv_status equiv", ""])


def with_names_of(read: dict[str, Any], netlist: verilog.Netlist) -> dict[str, Any]:
    """The design as read, where signals have the names alone that the netlist has for them, a bit each.

    A signal with several names is else known to Yosys by one that the netlist may lack.
    """
    known = {*netlist.nets, *(port.name for port in netlist.ports)}
    module = read["modules"][netlist.top]
    kept = {}
    for name, net in module["netnames"].items():
        if name in module["ports"]:
            kept[name] = net
            continue
        count, offset = len(net["bits"]), net.get("offset", 0)
        for k, bit in enumerate(net["bits"]):
            index = offset + (count - 1 - k if net.get("upto") else k)
            full = f"{name}[{index}]" if count > 1 else name
            if full in known:
                kept[full] = {"hide_name": 0, "bits": [bit], "attributes": {}}
    return {**read, "modules": {**read["modules"], netlist.top: {**module, "netnames": kept}}}


def left_out(job: Job, cells: int) -> str | None:
    """Why there is no proof; None when there is one to be made."""
    if not job.rtl:
        return "Yosys.JsonHeader was left out, which reads the RTL"
    if cells > job.rtl_cells:
        return f"the netlist has {cells:,} cells, and EXPRESS_RTL_EQUIVALENCE_CELLS is {job.rtl_cells:,}"
    return None


def check(job: Job) -> Metrics:
    """Prove, print what is not proven, and count."""
    given = job.given("synthesised")
    macros = Lef(*job.lefs, *job.macro_lefs).macros
    netlist = verilog.read(given, job.top, macros.bits)
    reason = left_out(job, len(netlist.cells))
    if reason is not None:
        print(f"The netlist is not compared with the RTL: {reason}.")
        return {}
    classes = CellClasses.of(job.liberty)
    unknown = sorted(set(netlist.cells.values()) - set(classes.cells))
    job.output(STUBS).write_text("".join(stub(cell, macros) for cell in unknown))
    libraries = [(f"cells_{k}.lib", path) for k, path in enumerate(job.liberty)]
    read = json.loads(Path(str(job.rtl)).read_text())
    job.output(RTL).write_text(json.dumps(with_names_of(read, netlist)))
    for name, path in [(NETLIST, given), *libraries]:
        job.output(name).unlink(missing_ok=True)
        job.output(name).symlink_to(Path(path).resolve())
    program = job.output("rtl.ys")
    program.write_text(script(job.top, [name for name, _ in libraries]))
    start = time.monotonic()
    proof = prove(program, job.rtl_seconds)
    return report(job, proof, time.monotonic() - start)


def report(job: Job, proof: Proof, seconds: float) -> Metrics:
    """Say and write what the proof has come to."""
    sentences = [f"Not proven equal to the RTL: {name}." for name in proof.unproven]
    if proof.stopped and "$tribuf" in proof.stopped:
        sentences.append("The proof against the RTL came to no end: tri-state cells are beyond it.")
    elif proof.stopped:
        sentences.append(
            f"The proof against the RTL came to no end: {proof.stopped.rstrip('.')}. Raise "
            "EXPRESS_RTL_EQUIVALENCE_SECONDS, or set EXPRESS_RTL_EQUIVALENCE_CELLS to 0 to leave it out."
        )
    for sentence in sentences[:SHOWN]:
        print(sentence)
    job.output("rtl_equivalence.rpt").write_text("".join(f"{sentence}\n" for sentence in sentences))
    print(f"RTL against netlist: {proof.proven} signals proven, {len(proof.unproven)} not, in {seconds:.1f} s.")
    return {
        "design__rtl_equivalence_proven__count": proof.proven,
        "design__rtl_equivalence_unproven__count": len(sentences),
    }


if __name__ == "__main__":
    run(check)
