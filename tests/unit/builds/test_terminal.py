"""Whether anything is left of a process tree, also what has left its session and lost its parent."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A child that makes a session of its own, starts a process, and ends: that process is an orphan, and so ours.
PROGRAM = """
import os, signal, subprocess, sys
from a6hub_jupyter.builds.terminal import adopt_orphans, has_descendants
adopt_orphans()
print(has_descendants())
leave = "import os, subprocess; os.setsid(); print(subprocess.Popen(['sleep', '60'], stdout=-3, stderr=-3).pid)"
orphan = int(subprocess.run([sys.executable, "-c", leave], capture_output=True, check=True).stdout)
print(has_descendants())
os.kill(orphan, signal.SIGKILL)
print(has_descendants())
os.waitpid(orphan, 0)
print(has_descendants())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans are not adopted, and always looked for")
def test_an_orphan_counts_until_it_has_been_seen_off() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=200)
    assert done.stdout.split() == ["False", "True", "True", "False"], done.stderr
