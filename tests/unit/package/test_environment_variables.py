"""a6hub's environment variables are defaults of our traits."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from a6hub_jupyter import environment
from a6hub_jupyter.app import A6HubApp

LOG = logging.getLogger("test")


def test_they_are_the_defaults_and_traits_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_TIMEOUT", "1800")
    monkeypatch.setenv("MAX_JOB_DURATION", "7200.5")
    app = A6HubApp()
    assert (app.build_timeout, app.max_build_timeout) == (1800, 7200.5)
    assert A6HubApp(build_timeout=5.0).build_timeout == 5


@pytest.mark.parametrize("text", ["an hour", "-1", "0", "nan", "inf"])
def test_a_bad_value_is_a_sentence_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    monkeypatch.setenv("WORKER_TIMEOUT", text)
    assert environment.seconds("WORKER_TIMEOUT", 3600.0, LOG) == 3600
    assert f"WORKER_TIMEOUT is '{text}', which is no number of seconds above 0; 3600 is used." in caplog.text


def test_a_path_that_leads_nowhere_is_a_sentence_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    plain = tmp_path / "librelane"
    plain.touch(mode=0o644)
    monkeypatch.setenv("PDK_ROOT", "/nothing/pdks")
    monkeypatch.setenv("LIBRELANE_PATH", str(plain))
    environment.check_paths(LOG)
    assert "PDK_ROOT is '/nothing/pdks', which does not exist" in caplog.text
    assert f"LIBRELANE_PATH is '{plain}', which is no executable file" in caplog.text
    caplog.clear()
    monkeypatch.setenv("PDK_ROOT", str(plain))
    monkeypatch.delenv("LIBRELANE_PATH")
    environment.check_paths(LOG)
    assert "which is no directory" in caplog.text
    assert "LIBRELANE_PATH" not in caplog.text
