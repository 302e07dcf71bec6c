"""What a process may use is read from its affinity and its cgroups, of both versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from a6hub_jupyter.builds import limits

MACHINE_MEMORY = 64 << 30
NO_LIMIT = 9223372036854771712  # what version 1 says where there is none


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """16 cores that this process may run on, 64 GiB, and no cgroups but those that a test makes."""
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": MACHINE_MEMORY // 4096}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    monkeypatch.setattr(limits, "_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(limits, "_OWN_CGROUPS", tmp_path / "own")


def make(tmp_path: Path, own: str, **files: str) -> None:
    """Write ``/proc/self/cgroup`` and a tree of limits: paths with ``__`` for ``/`` and ``_at_`` for ``.``."""
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        path = tmp_path / "cgroup" / name.replace("__", "/").replace("_at_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


def test_without_cgroups_the_machine_is_the_limit() -> None:
    assert (limits.host_cores(), limits.host_memory()) == (16, MACHINE_MEMORY)


def test_affinity_is_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    make(tmp_path, "0::/\n", cpu_at_max="800000 100000")
    assert limits.host_cores() == 3


@pytest.mark.parametrize(
    ("quota", "cores"), [("400000 100000", 4), ("max 100000", 16), ("50000 100000", 1), ("250000 100000", 2), ("", 16)]
)
def test_the_quota_of_version_2(tmp_path: Path, quota: str, cores: int) -> None:
    make(tmp_path, "0::/\n", cpu_at_max=quota)
    assert limits.host_cores() == cores


def test_the_least_limit_of_all_cgroups_above_holds(tmp_path: Path) -> None:
    make(
        tmp_path,
        "0::/user/ada\n",
        user__cpu_at_max="300000 100000",
        user__ada__cpu_at_max="600000 100000",
        user__memory_at_max="max",
        user__ada__memory_at_max=str(3 << 30),
    )
    assert (limits.host_cores(), limits.host_memory()) == (3, 3 << 30)


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_version_1(tmp_path: Path, mount: str) -> None:
    own = "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/system\n"
    make(tmp_path, own, memory__docker__1__memory_at_limit_in_bytes=str(2 << 30))
    quota = tmp_path / "cgroup" / mount / "docker" / "1"
    quota.mkdir(parents=True)
    (quota / "cpu.cfs_quota_us").write_text("200000\n")
    (quota / "cpu.cfs_period_us").write_text("100000\n")
    assert (limits.host_cores(), limits.host_memory()) == (2, 2 << 30)
    (quota / "cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cgroup/memory/docker/1/memory.limit_in_bytes").write_text(str(NO_LIMIT))
    assert (limits.host_cores(), limits.host_memory()) == (16, MACHINE_MEMORY)


def test_version_1_in_a_container_that_names_the_hosts_path(tmp_path: Path) -> None:
    """Without a namespace of cgroups: the path is the host's, the files are at the root of the mount."""
    own = "4:memory:/docker/1f\n3:cpu,cpuacct:/docker/1f\n"
    make(
        tmp_path,
        own,
        memory__memory_at_limit_in_bytes=str(1 << 30),
        cpu__cpu_at_cfs_quota_us="150000",
        cpu__cpu_at_cfs_period_us="50000",
    )
    assert (limits.host_cores(), limits.host_memory()) == (3, 1 << 30)
