"""Runs the tools of Express for LibreLane's steps: in processes of their own, with what each of them used."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from librelane.common import format_elapsed_time, format_size
from librelane.logging import verbose
from librelane.steps.step import DefaultOutputProcessor

from a6hub_jupyter.express.steps.ahead import current
from a6hub_jupyter.express.steps.serving import Ended, prepared
from a6hub_jupyter.isolated import module_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from a6hub_jupyter.express.job import Job
    from a6hub_jupyter.express.steps.base import ExpressStep


def run_tool(step: ExpressStep, job: Job, environment: dict[str, str]) -> dict[str, Any]:
    """Run a step's tool on its job, as LibreLane's `run_subprocess` does: log, metrics, COMMANDS, statistics.

    Where it was begun ahead of the step, what it has come to is taken over. Returns {returncode, log_path,
    generated_metrics}.
    """
    argument = str(job.save())
    command = module_command(step.module, argument)
    log_path = Path(step.get_log_path())
    with Path(step.step_dir, "COMMANDS").open("a") as commands:
        commands.write(" ".join(command) + "\n")
    verbose(f"Logging subprocess to [repr.filename]'{os.path.relpath(log_path)}'[/repr.filename]…")
    reader = DefaultOutputProcessor(step, step.step_dir, False)
    ended, seconds = _begun_ahead(reader, log_path, step, job)
    if ended is None:
        began = time.monotonic()
        ended = _served(reader, log_path, step.module, argument, environment)
        if ended is None:
            ended = _started(reader, log_path, command, environment)
        seconds = time.monotonic() - began
    _statistics(ended, seconds, log_path)
    return {"returncode": ended.code, "log_path": str(log_path), reader.key: reader.result()}


def _begun_ahead(
    reader: DefaultOutputProcessor, log_path: Path, step: ExpressStep, job: Job
) -> tuple[Ended | None, float]:
    """Wait for the tool that was begun ahead of its step; (None, 0) where there is none. Also its seconds."""
    ahead = current()
    begun = ahead.taken(step, job) if ahead else None
    if ahead is None or begun is None:
        return None, 0.0
    with ahead.waiting():
        _read(begun.lines(), log_path, reader)
    begun.hand_over(Path(step.step_dir))
    return begun.ended, begun.seconds


def _served(
    reader: DefaultOutputProcessor, log_path: Path, module: str, argument: str, environment: dict[str, str]
) -> Ended | None:
    """Run in a fork of the tool server, if there is one."""
    server = prepared()
    if server is None:
        return None
    try:
        tool = server.start(module, argument, environment)
    except OSError:
        return None
    _read(tool.output, log_path, reader)
    return tool.end()


def _started(reader: DefaultOutputProcessor, log_path: Path, command: list[str], environment: dict[str, str]) -> Ended:
    """Run in a process of its own."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf8",
        errors="replace",
    )
    _read(process.stdout or (), log_path, reader)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended.of(status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss)


def _read(output: Iterable[str], log_path: Path, reader: DefaultOutputProcessor) -> None:
    with log_path.open("w") as log:
        for line in output:
            log.write(line)
            reader.process_line(line)


def _statistics(ended: Ended, seconds: float, log_path: Path) -> None:
    """Write what LibreLane writes beside the log of a process; ours are the kernel's figures, not samples."""
    times = {"cpu_time_user": ended.user, "cpu_time_system": ended.system, "runtime": seconds}
    statistics = {
        "time": {name: format_elapsed_time(value) for name, value in times.items()},
        "peak_resources": {"memory_rss": format_size(ended.memory)},
    }
    log_path.with_suffix(".process_stats.json").write_text(json.dumps(statistics, indent=4))
