"""The design-rule check against each rule of both technologies: what breaks it is found, what just keeps it is not."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.flow.faults import Fault, FaultMaker

if TYPE_CHECKING:
    import klayout.db as kdb

    from a6hub_jupyter.express.lef import Lef
    from tests.flow.conftest import Pdk

LOWEST = {"sky130A": "li1", "ihp-sg13g2": "Metal1", "gf180mcuD": "Metal1"}
FEWEST = {"sky130A": 90, "ihp-sg13g2": 130, "gf180mcuD": 80}


def technology(pdk: Pdk) -> Lef:
    from a6hub_jupyter.express.lef import Lef

    reference = pdk.root / pdk.name / "libs.ref" / pdk.library
    files = [*Path(reference).glob("*/*tech.lef"), *Path(reference).glob("*/*nom.tlef")]
    return Lef(files[0])


def broken(lef: Lef, stack: list[str], fault: Fault) -> set[str]:
    """The rules that the check says these shapes break."""
    import klayout.db as kdb

    from a6hub_jupyter.express.designrules import RuleCheck

    regions: dict[str, kdb.Region] = {name: kdb.Region() for name in stack}
    for layer, box in fault.shapes:
        regions[layer].insert(kdb.Box(*box))
    for region in regions.values():
        region.merge()
    return {v.rule for v in RuleCheck(lef, stack).violations(regions)}


def test_each_rule_is_found_where_it_is_broken_and_only_there(pdk: Pdk) -> None:
    lef = technology(pdk)
    maker = FaultMaker(lef, LOWEST[pdk.name])
    faults = list(maker.faults())
    wrong: dict[str, object] = defaultdict(set)
    for fault in faults:
        found = broken(lef, maker.stack, fault)
        if (fault.rule is None and found) or (fault.rule is not None and fault.rule not in found):
            wrong[fault.name] = (fault.rule, found)
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())
    assert len(faults) >= FEWEST[pdk.name]
