"""The record on disk: whole or absent, in order, readable after anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from a6hub_jupyter.builds import journal
from a6hub_jupyter.builds.model import BUILD_ID, Snapshot, json_safe, new_build_id


def test_events_are_numbered_from_one_without_gaps(tmp_path: Path) -> None:
    writer = journal.JournalWriter(tmp_path)
    for k in range(5):
        writer.append("metric", {"k": k})
    writer.close()
    events = journal.JournalReader(tmp_path).read()
    assert [e["seq"] for e in events] == [1, 2, 3, 4, 5]
    assert [e["data"]["k"] for e in events] == [0, 1, 2, 3, 4]


def test_an_event_of_a_later_version_is_passed_over(tmp_path: Path) -> None:
    writer = journal.JournalWriter(tmp_path)
    writer.append("metric", {"a": 1})
    writer.append("novelty", {"what": ["nobody", "knows"]})
    writer.append("metric", {"b": 2})
    snapshot = Snapshot()
    for event in journal.JournalReader(tmp_path).read():
        snapshot.apply(event)
    assert (snapshot.seq, snapshot.metrics, snapshot.state) == (3, {"a": 1, "b": 2}, "queued")


def test_a_reader_takes_whole_lines_only(tmp_path: Path) -> None:
    reader = journal.JournalReader(tmp_path)
    assert reader.read() == []
    path = tmp_path / journal.JOURNAL
    line = json.dumps({"seq": 1, "type": "metric", "data": {"text": "a\rb\u2028c"}, "timestamp": ""}) + "\n"
    path.write_text(line[:20])
    assert reader.read() == []
    path.write_text(line + line[:5])
    assert [e["data"]["text"] for e in reader.read()] == ["a\rb\u2028c"]
    assert reader.read() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_full_disk_is_an_error_and_not_a_torn_line(tmp_path: Path) -> None:
    (tmp_path / journal.JOURNAL).symlink_to("/dev/full")
    writer = journal.JournalWriter(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        writer.append("metric", {})
    assert writer.seq == 0


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    journal.write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        journal.write_json(path, {"a": object()})
    assert journal.read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_numbers_that_json_lacks_become_strings() -> None:
    assert json_safe({"a": [float("inf"), float("nan"), 1.5]}) == {"a": ["inf", "nan", 1.5]}


def test_only_one_can_claim_a_build(tmp_path: Path) -> None:
    assert journal.claim(tmp_path, "start")
    assert not journal.claim(tmp_path, "cancel")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"request": {}}', '{"request": 3}', '{"request": {"id": "x"}}'])
def test_what_is_no_build_is_told_in_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / journal.REQUEST).write_text(content)
    with pytest.raises(ValueError, match="no build directory"):
        journal.read_request(tmp_path)


@pytest.mark.parametrize("name", ["counter", "A_b$[3]", "../../etc", "é" * 100, "", "a" * 300])
def test_a_build_id_is_safe_as_a_file_name(name: str) -> None:
    assert BUILD_ID.fullmatch(new_build_id(name))


def test_a_snapshot_passes_over_events_it_does_not_know() -> None:
    snapshot = Snapshot()
    snapshot.apply({"seq": 3, "type": "weather", "data": {}, "timestamp": ""})
    step = {"id": "A", "name": "A", "state": "running", "colour": "new in a later version"}
    snapshot.apply({"seq": 4, "type": "step", "data": step, "timestamp": ""})
    assert snapshot.seq == 4
    assert snapshot.current_step == "A"
