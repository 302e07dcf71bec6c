"""LibreLane's own checks with other people's decks, where the program and the PDK's files are there.

What they find is added to what Express has found by its own checks, under the same metric names.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from librelane.logging import info, warn
from librelane.state import DesignFormat
from librelane.steps import Checker, KLayout, Magic, Netgen

if TYPE_CHECKING:
    from librelane.state import State

SKY130_DEFINES = {"feol": "true", "beol": "true", "floating_metal": "false", "offgrid": "true", "seal": "false"}
"""What LibreLane's step asks the deck of sky130 for, where the PDK's settings do not say."""


UNKNOWN_COMMAND = re.compile(r"undefined method [`'](\w+)' for (?:an instance of )?DRC")
"""How KLayout says that it does not know a command of a deck."""


class WhereThere:
    """Runs a step of LibreLane where its program and files are there, and says in one sentence what is not."""

    programs: ClassVar[tuple[str, ...]]
    """Names of the program; the first that is on PATH is taken."""
    files: ClassVar[tuple[str, ...]]
    """Variables that must name files."""

    def program(self) -> str | None:
        """Path of the program; None when there is none."""
        return next((found for name in self.programs if (found := shutil.which(name))), None)

    def lacking(self, state: State) -> str | None:
        """What is not there; None when all is."""
        me: Any = self
        if self.program() is None:
            return f"there is no {' or '.join(self.programs)} on PATH"
        for name in self.files:
            path = me.config[name]
            if not path:
                return f"{name} is not set: the PDK {me.config['PDK']} comes without that file"
            if not Path(path).is_file():
                return f"{name} names {path}, which is not there"
        return None

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """As the step does; what Express has counted under the same names is added."""
        me: Any = self
        reason = self.lacking(state_in)
        if reason is not None:
            info(f"{me.id} is left out: {reason}.")
            return {}, {}
        env = {**(kwargs.pop("env", None) or os.environ), "QT_QPA_PLATFORM": "offscreen"}
        step: Any = super()
        views, metrics = step.run(state_in, env=env, **kwargs)
        return views, {name: value + before(state_in, name, value) for name, value in metrics.items()}


def before(state: State, name: str, value: Any) -> Any:
    """What an earlier check has counted under the same name."""
    known = state.metrics.get(name)
    return known if known is not None and isinstance(value, int) else type(value)()


def not_required(variables: list[Any], names: tuple[str, ...]) -> list[Any]:
    """The variables, those named here as plain text without obligation: a PDK may come without such files.

    LibreLane itself derives some of these paths from the PDK's name, and would refuse the PDK as a whole.
    """
    return [dataclasses.replace(v, type=str | None) if v.name in names else v for v in variables]


class KLayoutDRC(WhereThere, KLayout.DRC):  # type: ignore[misc]
    """The PDK's deck for KLayout on the final GDS."""

    programs = ("klayout",)
    files = ("KLAYOUT_DRC_RUNSET",)

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Run the deck; violations count as klayout__drc_error__count.

        A program that does not know a command of the deck is too old for it, and counts as not there.
        """
        me: Any = self
        if not me.config["KLAYOUT_DRC_DEFINES"]:
            me.config = me.config.copy(KLAYOUT_DRC_DEFINES=SKY130_DEFINES)
        try:
            return super().run(state_in, **kwargs)
        except subprocess.CalledProcessError:
            log = Path(me.get_log_path())
            unknown = UNKNOWN_COMMAND.search(log.read_text(errors="replace")) if log.exists() else None
            if unknown is None:
                raise
            warn(
                f"{me.id} is left out: {self.program()} is too old for {me.config['KLAYOUT_DRC_RUNSET']}, which uses "
                f"'{unknown[1]}'. Install a newer KLayout, or set RUN_KLAYOUT_DRC to false."
            )
            return {}, {}


MAGIC_FILES = ("MAGICRC", "MAGIC_TECH", "MAGIC_PDK_SETUP")
LEAST_MAGIC = (8, 3, 411)
"""LibreLane's scripts use commands that older versions do not have, and the PDKs' files ask for this one."""


def old_magic(program: str) -> str | None:
    """A clause on a Magic that is too old; None when it is new enough."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} does not say its version ({error})"
    version = tuple(int(part) for part in re.findall(r"\d+", answer.strip().splitlines()[0] if answer.strip() else ""))
    if version >= LEAST_MAGIC:
        return None
    return f"{program} is version {answer.strip() or 'unknown'}, and LibreLane needs {'.'.join(map(str, LEAST_MAGIC))}"


class WhereMagicIs(WhereThere):
    """The same for steps of Magic, which must be new enough."""

    programs = ("magic",)
    files = MAGIC_FILES[:2]

    def lacking(self, state: State) -> str | None:
        """What is not there, or too old."""
        return super().lacking(state) or old_magic(self.program() or "")


class MagicDRC(WhereMagicIs, Magic.DRC):  # type: ignore[misc]
    """Magic's design-rule check on the final GDS."""

    config_vars = not_required(Magic.DRC.config_vars, MAGIC_FILES)


class CheckMagicDRC(Checker.MagicDRC):  # type: ignore[misc]
    """Fails the flow where Magic has found something."""

    def run(self, state_in: State, **kwargs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
        """Without a run of Magic there is nothing to judge."""
        if "magic__drc_error__count" not in state_in.metrics:
            return {}, {}
        result: tuple[dict[Any, Any], dict[str, Any]] = super().run(state_in, **kwargs)
        return result


class SpiceExtraction(WhereMagicIs, Magic.SpiceExtraction):  # type: ignore[misc]
    """The netlist that Magic extracts from the final GDS, for Netgen."""

    config_vars = not_required(Magic.SpiceExtraction.config_vars, MAGIC_FILES)

    def lacking(self, state: State) -> str | None:
        """Without Netgen nobody would read it."""
        return super().lacking(state) or (None if netgen() else f"there is no {' or '.join(NETGEN)} on PATH")


NETGEN = ("netgen-lvs", "netgen")
"""Debian calls it netgen-lvs: its netgen makes meshes."""


def netgen() -> str | None:
    """Path of Netgen; None when there is none."""
    return next((found for name in NETGEN if (found := shutil.which(name))), None)


class NetgenLVS(WhereThere, Netgen.LVS):  # type: ignore[misc]
    """Netgen's comparison of Magic's netlist with the final one, down to the cells."""

    programs = NETGEN
    files = ("NETGEN_SETUP",)
    config_vars = not_required(Netgen.LVS.config_vars, files)
    inputs = [DesignFormat.SPICE.mkOptional(), DesignFormat.POWERED_NETLIST]  # noqa: RUF012

    def lacking(self, state: State) -> str | None:
        """Nor is there anything to compare without what Magic extracts."""
        return super().lacking(state) or (None if state.get(DesignFormat.SPICE) else "Magic has extracted no netlist")

    def get_command(self) -> list[str]:
        """The command line, with the program that is there."""
        command: list[str] = super().get_command()
        return [netgen() or command[0], *command[1:]]
