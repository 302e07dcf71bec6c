"""Linting: a quick look at Verilog files, without a build."""

from __future__ import annotations

from ..auth import BUILDS, EXECUTE, Refusal
from ..isolated import clean_environment
from ..librelane.lint import LintError, lint
from ..toolchains import toolchain
from .base import A6HubHandler, guarded
from .turns import Kind

MAX_FILES, MAX_TOP = 1000, 200
TIMEOUT = 60.0
LINTS = Kind("runs of the linter", at_once=2, waiting=20)


class LintHandler(A6HubHandler):
    """``lint``."""

    @guarded(EXECUTE, BUILDS)
    async def post(self) -> None:
        """Answer with Verilator's findings on ``verilog_files`` in ``design_dir``; ``top`` may be null."""
        body = self.json_body()
        directory = self.services.roots.resolve(body.get("design_dir", ""), "design_dir")
        names, top = body.get("verilog_files"), body.get("top")
        if not isinstance(names, list) or not names or len(names) > MAX_FILES:
            raise Refusal(422, "There is no Verilog file to check.", field="verilog_files", remedy="Name at least one.")
        if top is not None and (
            not isinstance(top, str) or len(top) > MAX_TOP or not top.replace("$", "_").isidentifier()
        ):
            raise Refusal(422, "This is no module name.", field="top", remedy="Give the name of the top module.")
        files = [self.services.roots.resolve(name, "verilog_files", directory) for name in names]
        for name, path in zip(names, files, strict=True):
            if not path.is_file():
                raise Refusal(
                    422, f"The Verilog file '{name}' does not exist.", field="verilog_files", remedy="Write it first."
                )
        environment = toolchain("express").environment(clean_environment())
        try:
            async with self.turn(LINTS):
                findings = await lint(files, top, directory, environment, TIMEOUT)
        except LintError as error:
            raise Refusal(422, str(error), field="verilog_files") from error
        await self.finish({"findings": findings})
