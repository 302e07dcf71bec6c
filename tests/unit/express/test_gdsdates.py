"""Dates in GDS files."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from a6hub_jupyter.express.gdsdates import set_dates, wanted_date
from tests.flow.test_express import gds_dates

pytestmark = pytest.mark.needs("express")


def test_dates_of_file_and_cells_are_set_and_nothing_else(tmp_path: Path) -> None:
    import klayout.db as kdb

    layout = kdb.Layout()
    for name in ("a", "b"):
        layout.create_cell(name).shapes(layout.layer(1, 5)).insert(kdb.Box(0, 0, 0x0102, 0x0506))
    path = tmp_path / "a.gds"
    layout.write(str(path))
    before = path.read_bytes()
    set_dates(path, datetime(2001, 2, 3, 4, 5, 6, tzinfo=timezone.utc))
    assert gds_dates(path.read_bytes()) == {(101, 2, 3, 4, 5, 6)}
    again = kdb.Layout()
    again.read(str(path))
    assert kdb.LayoutDiff().compare(layout, again)
    assert len(path.read_bytes()) == len(before)


@pytest.mark.parametrize(("given", "year"), [("1000000000", 2001), (None, 1970), ("soon", 1970), ("9" * 30, 1970)])
def test_source_date_epoch(given: str | None, year: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    if given is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    assert wanted_date().year == year
