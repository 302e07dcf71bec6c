"""Pin order files: sides, expressions, sorting, free places, and what is refused."""

from __future__ import annotations

import pytest

from a6hub_jupyter.express.pinorder import arrange, parse
from a6hub_jupyter.express.problem import ProblemError

PORTS = ["clk", "a[10]", "a[2]", "b[2]", "b[10]", "q"]


def test_sides_are_filled_in_order() -> None:
    found = arrange("#W\n@min_distance=0.8\nclk\na.*\n#ER\nb.*\n$2\nq\n", PORTS, "both")
    assert found["WEST"].places == ["clk", "a[2]", "a[10]"]
    assert found["WEST"].least_distance == 800
    assert found["EAST"].places == ["q", None, None, "b[10]", "b[2]"]
    assert found["NORTH"].places == found["SOUTH"].places == []


def test_bit_major_mixes_buses() -> None:
    found = arrange("@bit_major\n#N\n[ab].*\n#S\n.*", PORTS, "both")
    assert found["NORTH"].places == ["a[2]", "b[2]", "a[10]", "b[10]"]
    assert found["SOUTH"].places == ["clk", "q"]


def test_what_no_line_names_goes_to_the_emptiest_side() -> None:
    found = arrange("#N\na.*\n#S\nb.*\n#E\nclk", PORTS, "none")
    assert found["WEST"].places == ["q"]


def test_librelanes_own_example_is_read() -> None:
    sides = parse("#N\n@min_distance=0.1\na.*\n\n#S\n$1\nrst\n\n#E\nclk\n\n#W\ny\nx\n")
    assert sides["SOUTH"].entries == [1, "rst"]
    assert sides["NORTH"].least_distance == 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clk", "'clk' stands before the first side"),
        ("#X\nclk", "'#X' is no side"),
        ("#N\n@min_distance", "'@min_distance' is not understood"),
        ("#N\n@space=3", "'@space=3' is not understood"),
        ("#N\na(", "'a\\(' is no regular expression"),
        ("#N\n.*\n#S\nzz", "no port matches 'zz'"),
        ("#N\nclk", "has no place for a\\[10\\], a\\[2\\]"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        arrange(text, PORTS, "both")
