"""The real command lines of toolchains that no test machine has: golden files, which a person can try.

To write them anew after a change that is meant: ``A6HUB_GOLDEN=write pytest tests/unit/toolchains``, and read the diff.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from a6hub_jupyter.builds.model import BuildRequest
from a6hub_jupyter.toolchains import Plan, Settings, toolchains
from a6hub_jupyter.toolchains import apptainer as apptainer_module
from a6hub_jupyter.toolchains import container as container_module
from a6hub_jupyter.toolchains.base import ask

GOLDEN = Path(__file__).parent / "golden"
PROVIDED = {
    "container-docker": {"engine": "docker", "image": "ghcr.io/librelane/librelane:3.0.17", "user": "1000:1000"},
    "container-podman": {"engine": "podman", "image": "ghcr.io/librelane/librelane:2.4.13"},
    "apptainer": {
        "engine": "apptainer",
        "image": "docker://ghcr.io/librelane/librelane:3.0.17",
        "file": "/scratch/images/librelane.sif",
    },
    "nix": {"nix": "nix", "flake": "github:librelane/librelane/3.0.17"},
}


def request_with(provided: dict[str, str], **changes: object) -> BuildRequest:
    data: dict[str, object] = {
        "id": "20261123-121314-counter-abcdef",
        "created": "2026-11-23T12:13:14.000Z",
        "name": "counter",
        "design_dir": "/home/ada/course/counter",
        "config": {"DESIGN_NAME": "counter", "VERILOG_FILES": ["dir::counter.v"]},
        "flow": "Classic",
        "pdk": "sky130A",
        "scl": "sky130_fd_sc_hd",
        "pdk_root": "/opt/pdks",
        "pdk_note": None,
        "toolchain": "",
        "executor": "local",
        "steps": [],
        "timeout": 3600.0,
        "to_step": "OpenROAD.Floorplan",
        "skip": ["KLayout.DRC"],
        "provided": provided,
        **changes,
    }
    return BuildRequest.from_json(data)


def plan_of(name: str, provided: dict[str, str], build_dir: Path, **changes: object) -> Plan:
    return toolchains()[name].plan(request_with(provided, **changes), build_dir, {"PATH": "/usr/bin"})


def text_of(plan: Plan) -> str:
    """Return the commands as a shell takes them, our own Python as ``python``."""
    lines = []
    for title, argv in (
        *((f"prepare: {c.name}", c.argv) for c in plan.prepare),
        ("librelane", plan.librelane.argv),
        *([("ask it to stop", plan.stop.ask), ("end it", plan.stop.end)] if plan.stop else []),
    ):
        ours = [k for k, word in enumerate(argv) if word.startswith("a6hub_jupyter.")]
        words = ["python", "-m", *argv[ours[0] :]] if ours else argv
        lines += [f"# {title}", shlex.join(words), ""]
    return "\n".join(lines)


@pytest.mark.parametrize("case", PROVIDED)
def test_the_command_lines_are_those_of_the_golden_files(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_module, "_image_id", lambda _: None)
    plan = plan_of(case.partition("-")[0], PROVIDED[case], Path("/home/ada/.local/share/jupyter/a6hub/builds/b1"))
    file = GOLDEN / f"{case}.sh"
    if os.environ.get("A6HUB_GOLDEN") == "write":
        file.write_text(text_of(plan))
    assert text_of(plan) == file.read_text()


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.sh")), ids=lambda p: p.stem)
def test_a_golden_file_is_what_a_shell_can_run(file: Path) -> None:
    subprocess.run(["sh", "-n", str(file)], check=True)


def test_a_container_sees_what_the_configuration_names_outside_of_the_design(tmp_path: Path) -> None:
    design, library = tmp_path / "course" / "counter", tmp_path / "course" / "lib, shared: yes"
    design.mkdir(parents=True)
    library.mkdir()
    (library / "fifo.v").touch()
    config = {
        "DESIGN_NAME": "counter",
        "VERILOG_FILES": ["dir::counter.v", f"{library}/*.v", "dir::../lib, shared: yes/fifo.v"],
        "nested": {"LEF": ["dir::../nowhere/x.lef"]},
    }
    plan = plan_of("apptainer", PROVIDED["apptainer"], tmp_path / "b", design_dir=str(design), config=config)
    argv = plan.librelane.argv
    mounts = [argv[k + 1] for k, word in enumerate(argv) if word == "--mount"]
    assert f'type=bind,"source={library}","target={library}"' in mounts
    assert len(mounts) == 4, mounts  # the design, the record, the PDK, the library, each once


def test_a_nix_build_does_not_inherit_the_modules_of_this_python(tmp_path: Path) -> None:
    plan = toolchains()["nix"].plan(request_with(PROVIDED["nix"]), tmp_path, {"PYTHONPATH": "/x", "PATH": "/y"})
    assert plan.environment == {"PATH": "/y"}


def test_without_a_setting_the_image_is_that_of_the_librelane_beside_us() -> None:
    from importlib.metadata import version

    plain, chosen = toolchains(), toolchains(Settings(container_image="registry.lab/eda:1", nix_flake="path:/nix/x"))
    assert plain["container"].describe()["librelane"] == version("librelane")
    assert chosen["container"].provide()["image"] == "registry.lab/eda:1"
    assert chosen["container"].librelane_version() is None
    assert chosen["nix"].librelane_version() is None
    assert plain["nix"].librelane_version() == version("librelane")


def tool(directory: Path, name: str, script: str) -> Path:
    directory.mkdir(exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_what_is_missing_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    known = toolchains(Settings(apptainer_image=str(tmp_path / "no.sif")))
    sentences = {name: known[name].missing() for name in ("path", "container", "apptainer", "nix")}
    for name, words in {"path": "openroad, yosys", "container": "docker or podman", "apptainer": "apptainer"}.items():
        obstacle = sentences[name]
        assert obstacle is not None
        assert words in obstacle.reason
        assert obstacle.remedy
    tool(tmp_path / "bin", "apptainer", "echo apptainer version 1.4.1")
    missing = known["apptainer"].missing()
    assert missing is not None
    assert "no.sif" in missing.reason
    (tmp_path / "no.sif").touch()
    assert known["apptainer"].missing() is None
    assert known["apptainer"].tools()[0].version == "apptainer version 1.4.1"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'Cannot connect to the Docker daemon.' >&2; exit 1", "Cannot connect"),
        ("echo 'no json'", "no json"),
        ('echo \'{"ServerErrors": ["permission denied"]}\'', "permission denied"),
        ("exec sleep 30", "within"),
    ],
)
def test_an_engine_that_does_not_answer_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    monkeypatch.setattr(container_module, "ask", lambda argv: ask(argv, 1.0))
    engine = tool(tmp_path / "bin", "docker", script)
    obstacle = toolchains(Settings(container_engine=str(engine)))["container"].missing()
    assert obstacle is not None
    assert words in obstacle.reason


def test_a_rootless_engine_and_podman_run_as_root_within_which_is_the_user_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        '{"ServerVersion": "28", "SecurityOptions": ["name=seccomp"]}': True,
        '{"ServerVersion": "28", "SecurityOptions": ["name=rootless"]}': False,
        '{"host": {"security": {"rootless": true}}, "version": {"Version": "5"}}': False,
    }
    for answer, named in answers.items():
        engine = tool(tmp_path / "bin", "engine", f"echo '{answer}'")
        provided = toolchains(Settings(container_engine=str(engine)))["container"].provide()
        assert ("user" in provided) is named


def test_tools_of_the_path_say_their_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from a6hub_jupyter.toolchains.path import TOOLS

    for name in TOOLS:
        tool(tmp_path / "bin", name, f"echo; echo '{name} 1.2.3'")
    tool(tmp_path / "bin", "magic", "exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    path = toolchains()["path"]
    assert path.missing() is None
    versions = {t.name: t.version for t in path.tools()}
    assert versions == {**{name: f"{name} 1.2.3" for name in TOOLS}, "magic": None}
    for wrong in ("nothing", "bin"):  # a directory can be entered, which is no running of it
        for name in ("path", "express"):
            broken = toolchains(Settings(librelane=str(tmp_path / wrong)))[name].missing()
            assert broken is not None
            assert "no executable" in broken.reason


def test_an_apptainer_image_is_fetched_whole_or_not_at_all(tmp_path: Path) -> None:
    from a6hub_jupyter.isolated import module_command

    good = tool(tmp_path / "bin", "apptainer", 'echo "INFO: $*"; echo sif > "$3"')
    file = tmp_path / "images" / "x.sif"
    pull = module_command("a6hub_jupyter.toolchains.pull", str(good), "docker://x:1", str(file))
    assert subprocess.run(pull, check=True, capture_output=True, text=True).stdout.count("docker://x:1") == 2
    assert file.read_text() == "sif\n"
    tool(tmp_path / "bin", "apptainer", 'echo half > "$3"; echo "FATAL: no space left"; exit 255')
    file.unlink()
    done = subprocess.run(pull, check=False, capture_output=True, text=True)
    assert done.returncode == 255
    assert "no space left" in done.stdout.splitlines()[-1]
    assert list(file.parent.iterdir()) == []


def test_an_apptainer_image_in_the_cache_needs_no_preparation(tmp_path: Path) -> None:
    file = tmp_path / "there.sif"
    provided = {**PROVIDED["apptainer"], "file": str(file)}
    assert toolchains()["apptainer"].preparations(provided) == [apptainer_module.PULL_STEP]
    file.touch()
    assert toolchains()["apptainer"].preparations(provided) == []
    assert plan_of("apptainer", provided, tmp_path).prepare == []
