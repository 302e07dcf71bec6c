"""Liberty files: where cells begin and end, and that files are read once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from a6hub_jupyter.express.problem import ProblemError
from a6hub_jupyter.express.timing.cellreader import read_ahead
from a6hub_jupyter.express.timing.liberty import LibertyText
from a6hub_jupyter.express.timing.library import Library

CELL = """
  cell ({name}) {{
    area : {area} ;
    pin (A) {{ direction : input ; capacitance : 0.01 ; }}
    pin (Y) {{ direction : output ; function : "!A" ;
      timing () {{ related_pin : "A" ; cell_rise (scalar) {{ values ("1") ; }} }}
    }}
  }}
"""
TEMPLATE = "  lu_table_template (two_template) { variable_1 : input_net_transition ; }\n"


def library(*between: str) -> str:
    cells = [CELL.format(name=name, area=area) for name, area in (("first", 1), ('"second"', 2), ("third", 3))]
    parts = [part for pair in zip(cells, [*between, "", "", ""], strict=False) for part in pair]
    return "library (x) {\n" + "".join(parts) + "}\n"


@pytest.mark.parametrize(
    "between",
    [
        (),
        (TEMPLATE, TEMPLATE.replace("two_template", "other_template")),
        ("  /* cell (commented) { } */\n",),
        ("  define_cell_area (my_cells, pad_slots) ;\n  scaled_cell (no, cell) { area : 9 ; }\n",),
        ('  operating_conditions ("cell (odd) { }") { process : 1 ; }\n',),
    ],
)
def test_cells_are_found_whatever_stands_between(between: tuple[str, ...]) -> None:
    text = LibertyText(library(*between))
    assert list(text.names()) == ["first", "second", "third"]
    assert [text.cell(name).number("area") for name in text.names()] == [1, 2, 3]
    templates = [group.argument for group in text.head.each("lu_table_template")]
    assert len(templates) == sum("template" in part for part in between)


def test_a_cell_within_a_cell_is_none_of_the_library() -> None:
    inner = "  cell (outer) { area : 1 ;\n    test_cell () { cell (inner) { } }\n  }\n"
    text = LibertyText("library (x) {\n" + inner + CELL.format(name="last", area=2) + "}\n")
    assert list(text.names()) == ["outer", "last"]


def test_a_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.lib"
    path.write_text(library())
    first = Library([path])
    assert Library([path])["first"] is first["first"]
    path.write_text(library().replace("area : 1 ", "area : 7 "))
    os.utime(path, ns=(1, 1))
    assert Library([path])["first"].area == 7
    assert first["first"].area == 1


def test_reading_ahead_goes_cell_by_cell_and_leaves_faults_to_the_step(tmp_path: Path) -> None:
    good, bad, cut = tmp_path / "good.lib", tmp_path / "bad.lib", tmp_path / "cut.lib"
    good.write_text(library())
    bad.write_text(library().replace('function : "!A" ;', 'function : "!A'))
    cut.write_text(library()[:-200])
    assert len(list(read_ahead([str(tmp_path / "missing.lib"), str(good), str(cut)]))) == 3 + 3
    assert list(read_ahead([str(bad)]))
    with pytest.raises(ProblemError, match="cut short or malformed"):
        Library([cut])
