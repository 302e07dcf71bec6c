"""The command line of a build, for people."""

from __future__ import annotations

import subprocess
from pathlib import Path

from a6hub_jupyter.builds.model import Snapshot
from a6hub_jupyter.builds.reproduction import command_event, command_json, shell_text

from ...records import plain_request


def test_only_what_the_toolchain_has_put_in_is_told_of_the_environment() -> None:
    data = command_event(
        ["librelane"], "/d", {"PATH": "/x:/bin", "HOME": "/h", "NEW": "1"}, {"PATH": "/bin", "HOME": "/h"}
    )
    assert data == {"argv": ["librelane"], "directory": "/d", "environment": {"NEW": "1", "PATH": "/x:/bin"}}


def test_the_text_runs_in_a_shell_as_it_stands_whatever_is_in_it(tmp_path: Path) -> None:
    place = tmp_path / "it's a $HOME; design"
    place.mkdir()
    script = place / "tool"
    script.write_text('#!/bin/sh\npwd; printf "%s\\n" "$WORD" "$@"\n')
    script.chmod(0o755)
    argv = [str(script), "--run-tag", "T", "a b", "'", "$(echo x)", "--last"]
    text = shell_text(plain_request(), {"argv": argv, "directory": str(place), "environment": {"WORD": 'two "words"'}})
    printed = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True).stdout
    expected = [str(place), 'two "words"', "--run-tag", "T-again", "a b", "'", "$(echo x)", "--last"]
    assert printed.splitlines() == expected


def test_what_went_on_in_another_run_directory_is_repeated_there() -> None:
    command = {"argv": ["l", "--run-tag", "T"], "directory": "/d", "environment": {}}
    assert "--run-tag T\n" in shell_text(plain_request(resume_of="x"), command)


def test_before_the_start_there_is_none_and_after_it_the_journal_has_it() -> None:
    snapshot = Snapshot.of(plain_request())
    assert command_json(plain_request(), snapshot.command) is None
    data = {"argv": ["l"], "directory": "/d", "environment": {}}
    snapshot.apply({"seq": 1, "timestamp": "2026-11-23T12:13:14.000Z", "type": "command", "data": data})
    assert Snapshot.from_json(snapshot.to_json()).command == data
    assert command_json(plain_request(), snapshot.command) == {**data, "shell": "(\ncd /d &&\nl\n)"}
