"""Reports that are text, and which files of a run are reports; in the words of the tools that write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from a6hub_jupyter.layout import LayoutError
from a6hub_jupyter.layout.reports import find_reports, read_text

MAGIC = """counter
----------------------------------------
Metal1 spacing < 0.14um (met1.2)
----------------------------------------
 1.000um 2.000um 1.140um 2.500um
 3.000um 4.000um 2.500um 4.500um
----------------------------------------
Local interconnect width < 0.17um
----------------------------------------
 -0.500um 0.000um 0.000um 1.000um
----------------------------------------
[INFO] COUNT: 3
[INFO] Should be divided by 3 or 4

"""
ROUTER = """  violation type: Short
    srcs: net:_000_ net:_001_
    bbox = (12.1, 3.4) - (12.5, 3.6) on Layer met1
  violation type: Metal Spacing
    srcs: inst:u1/A net:clk
    congestion information: none
    bbox = (1, 2) - (3, 4) on Layer met2
"""
DATABASE = "<?xml version='1.0' encoding='utf8'?>\n<report-database><cells/></report-database>"


def test_magics_rules_with_their_boxes(tmp_path: Path) -> None:
    (tmp_path / "drc.magic.rpt").write_text(MAGIC)
    assert list(read_text(tmp_path / "drc.magic.rpt")) == [
        ("met1.2", "Metal1 spacing < 0.14um (met1.2)", [1, 2, 1.14, 2.5], ""),
        ("met1.2", "Metal1 spacing < 0.14um (met1.2)", [2.5, 4, 3, 4.5], ""),
        ("Local interconnect width < 0.17um", "Local interconnect width < 0.17um", [-0.5, 0, 0, 1], ""),
    ]


def test_the_routers_violations_with_what_is_involved(tmp_path: Path) -> None:
    (tmp_path / "spm.drc").write_text(ROUTER)
    assert list(read_text(tmp_path / "spm.drc")) == [
        ("met1.Short", "Short on met1", [12.1, 3.4, 12.5, 3.6], "net:_000_ net:_001_"),
        ("met2.Metal Spacing", "Metal Spacing on met2", [1, 2, 3, 4], "inst:u1/A net:clk"),
    ]


@pytest.mark.parametrize("content", ["", "counter\n----\n[INFO] COUNT: 0\n\n", "\n \n"])
def test_a_clean_report_has_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.rpt").write_text(content)
    assert list(read_text(tmp_path / "x.rpt")) == []


@pytest.mark.parametrize(
    "content",
    [
        "counter\n----\nrule\n----\n1um 2um three 4um\n",
        "counter\nnobody expects this\n",
        " violation type: Short\n bbox = (1, x) - (2, 3) on Layer met1\n",
        " violation type: Short\n what is this\n",
        "counter\n----\nrule\n----\n1um 2um 3e3e3um 4um\n",
    ],
)
def test_what_is_out_of_place_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.drc").write_text(content)
    with pytest.raises(LayoutError, match=r"^The report bad\.drc is damaged \('.+' is out of place\)"):
        list(read_text(tmp_path / "bad.drc"))


def test_each_finding_is_taken_from_one_file(tmp_path: Path) -> None:
    files = {
        "44-drt/drt-run-0/spm.drc": ROUTER,
        "44-drt/drt-run-0/spm.drc.xml": DATABASE,
        "44-drt/spm.drc": ROUTER,
        "44-drt/spm.drc.xml": DATABASE,
        "45-other/only.drc": ROUTER,
        "62-xor/xor.xml": DATABASE,
        "63-other/config.xml": "<config/>",
        "64-magic-drc/reports/drc.magic.lyrdb": DATABASE,
        "64-magic-drc/reports/drc.magic.rpt": MAGIC,
        "65-magic-drc/reports/drc.magic.rpt": MAGIC,
        "66-checker/antenna.rpt": "not a report with places",
        "70-density/density.lyrdb": DATABASE,
    }
    for name, content in files.items():
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).write_text(content)
    (tmp_path / "elsewhere.lyrdb").write_text(DATABASE)
    (tmp_path / "run" / "link.lyrdb").symlink_to(tmp_path / "elsewhere.lyrdb")
    found = [path.relative_to(tmp_path / "run").as_posix() for path in find_reports(tmp_path / "run")]
    assert found == [
        "44-drt/spm.drc.xml",
        "45-other/only.drc",
        "62-xor/xor.xml",
        "64-magic-drc/reports/drc.magic.lyrdb",
        "65-magic-drc/reports/drc.magic.rpt",
        "70-density/density.lyrdb",
    ]
