"""Damaged layouts through the real worker process, and what it makes of them through the browser's decoder.

A6HUB_MUTATIONS sets how many files there are (default: 24; 1,000 take some minutes).
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gdstk

COUNT = int(os.environ.get("A6HUB_MUTATIONS", "24"))
SECONDS = 20
MEMORY = 1 << 30

# Decodes each scene that it is given, and prints what came of it; a hang is the caller's to notice.
DECODE = """
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const { decodeOasis, buildScene } = await import(process.argv[2]);
for (const name of process.argv.slice(3)) {
  try {
    buildScene(decodeOasis(new Uint8Array(gunzipSync(readFileSync(name))), 1 << 22));
    console.log("ok");
  } catch (error) {
    console.log(error instanceof RangeError || error instanceof TypeError ? `crash: ${error.stack}` : error.message);
  }
}
"""


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Damage a file as disks, transfers and bad writers do: bytes, gaps, repeats, an early end."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(damaged))
        kind = chance.randrange(5)
        if kind == 0:
            damaged[at] = chance.randrange(256)
        elif kind == 1:
            damaged[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del damaged[at : at + chance.randrange(1, 20)]
        elif kind == 3:
            damaged[at:at] = damaged[at : at + chance.randrange(1, 200)]
        else:
            damaged[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"))
    return bytes(damaged[: chance.randrange(1, len(damaged) + 1)] if chance.random() < 0.1 else damaged)


def convert(source: Path) -> tuple[Path | None, str]:
    """Run the worker on a file; return the scene, or None and what went wrong."""
    output = source.with_suffix(".oas.gz"), source.with_suffix(".json")
    command = [sys.executable, "-m", "a6hub_jupyter.layout.scene", str(source), *map(str, output)]
    command += ["--memory", str(MEMORY)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode == 0:
        assert output[0].exists()
        return output[0], ""
    if done.returncode < 0:
        return None, f"signal {-done.returncode}"  # which the cache tells in a sentence, see test_cache.py
    problem = json.loads(done.stdout.splitlines()[-1])
    assert problem["message"].endswith("."), problem
    assert "Traceback" not in done.stderr.decode(errors="replace"), done.stderr
    assert "Traceback" not in problem["message"]
    return None, problem["message"]


def test_damaged_layouts_are_refused_or_read_never_more(layout: Path, tmp_path: Path, decoder: Path) -> None:
    oasis = tmp_path / "small.oas"
    gdstk.read_gds(layout).write_oas(oasis, compression_level=0)
    sources = [layout.read_bytes(), oasis.read_bytes()]
    chance = random.Random(20261123)
    files = []
    for number in range(COUNT):
        path = tmp_path / f"mutated{number}.{('gds', 'oas')[number % 2]}"
        path.write_bytes(mutate(sources[number % 2], chance))
        files.append(path)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(convert, files))
    scenes = [scene for scene, _ in results if scene is not None]
    problems = [problem for scene, problem in results if scene is None]
    print(f"{COUNT} files: {len(scenes)} read, {len(problems)} refused, "
          f"{sum(problem.startswith('signal') for problem in problems)} of them by a signal")  # fmt: skip
    assert scenes, "some damage does no harm"
    assert problems, "some does"
    decode(scenes + damaged_scenes(scenes, chance), tmp_path, decoder)


def damaged_scenes(scenes: list[Path], chance: random.Random) -> list[Path]:
    """Write damaged copies of scenes, as many as there are files."""
    paths = []
    for number in range(COUNT):
        content = gzip.decompress(chance.choice(scenes).read_bytes())
        path = scenes[0].with_name(f"scene{number}.gz")
        path.write_bytes(gzip.compress(content[:13] + mutate(content[13:], chance), 1))
        paths.append(path)
    return paths


def decode(scenes: list[Path], directory: Path, decoder: Path) -> None:
    """Have the browser's decoder read scenes; AssertionError where it crashes instead of saying what is wrong."""
    script = directory / "run.mjs"
    script.write_text(DECODE)
    command = ["node", str(script), str(decoder), *map(str, scenes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + COUNT, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len([line for line in lines if not line.startswith("    at ")]) == len(scenes)
    assert not [line for line in lines if line.startswith("crash")], done.stdout
    assert "ok" in lines
    # What is wrong with bytes is said with their place.
    assert [line for line in lines if line.startswith("The layout is damaged at byte ")]
