"""The designs of the course, simulated with Verilator: what becomes a chip must also do something."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from a6hub_jupyter import express
from tests.flow.conftest import Pdk
from tests.flow.driver import drive, results
from tests.flow.test_express import CLEAN

pytestmark = pytest.mark.needs("express")

compiled = pytest.mark.skipif(
    not (shutil.which("g++") and shutil.which("make")), reason="Verilator needs g++ and make to simulate"
)
DESIGNS = Path(__file__).parents[2] / "notebooks" / "designs"
BENCH = Path(__file__).parent / "designs_tb.v"
WORD = 0xFFFFFFFF
EBREAK = 0x00100073
BASE = 128 * 4


def signed(value: int) -> int:
    return value - (1 << 32) if value & (1 << 31) else value


def i_type(op: int, rd: int, funct3: int, rs1: int, imm: int) -> int:
    return (imm & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | op


def r_type(rd: int, funct3: int, rs1: int, rs2: int, funct7: int) -> int:
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33


def s_type(funct3: int, rs1: int, rs2: int, imm: int) -> int:
    return (imm >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 0x1F) << 7 | 0x23


def b_type(funct3: int, rs1: int, rs2: int, imm: int) -> int:
    high = (imm >> 12 & 1) << 31 | (imm >> 5 & 0x3F) << 25
    return high | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm >> 1 & 0xF) << 8 | (imm >> 11 & 1) << 7 | 0x63


def alu(funct3: int, a: int, b: int, other: bool) -> int:
    """What RV32I says of OP and OP-IMM."""
    shift = b & 31
    values = {
        0: a - b if other else a + b,
        1: a << shift,
        2: int(signed(a) < signed(b)),
        3: int(a < b),
        4: a ^ b,
        5: signed(a) >> shift if other else a >> shift,
        6: a | b,
        7: a & b,
    }
    return values[funct3] & WORD


def program(seed: int) -> tuple[list[int], list[int]]:
    """Random arithmetic and branches on x1 to x15, which are stored at the end; and what they must be."""
    rng, words, regs = random.Random(seed), [], [0] * 32
    for register in range(1, 16):
        value = rng.getrandbits(32)
        low = value & 0xFFF
        high = (value - (low - 0x1000 if low & 0x800 else low)) & WORD
        words += [high & 0xFFFFF000 | register << 7 | 0x37, i_type(0x13, register, 0, register, low)]
        regs[register] = value
    for _ in range(40):
        rd, rs1, rs2, funct3 = rng.randrange(1, 16), rng.randrange(16), rng.randrange(16), rng.randrange(8)
        other = funct3 in (0, 5) and rng.random() < 0.5
        if rng.random() < 0.3:
            condition = rng.choice((0, 1, 4, 5, 6, 7))
            a, b = regs[rs1], regs[rs2]
            less = signed(a) < signed(b) if condition < 6 else a < b
            taken = (less if condition & 4 else a == b) != bool(condition & 1)
            words += [b_type(condition, rs1, rs2, 8), i_type(0x13, rd, 0, 0, 77)]  # skips the next one
            regs[rd] = regs[rd] if taken else 77
        elif rng.random() < 0.5:
            words.append(r_type(rd, funct3, rs1, rs2, 0x20 if other else 0))
            regs[rd] = alu(funct3, regs[rs1], regs[rs2], other)
        else:
            imm = rng.randrange(-2048, 2048)
            if funct3 in (1, 5):
                imm = rng.randrange(32) | (0x400 if other and funct3 == 5 else 0)
            words.append(i_type(0x13, rd, funct3, rs1, imm))
            regs[rd] = alu(funct3, regs[rs1], imm & WORD, other and funct3 == 5)
    words += [s_type(2, 0, register, BASE + 4 * register) for register in range(1, 16)]
    stored = [0, *regs[1:16], *[0] * 16]
    # Bytes and halves out of x1 and back, with and without sign; x16 and x17 carry them.
    byte = regs[1] >> 8 & 0xFF
    words += [i_type(0x03, 16, 0, 0, BASE + 5), s_type(2, 0, 16, BASE + 64)]
    stored[16] = (byte - 256 if byte & 0x80 else byte) & WORD
    words += [i_type(0x03, 17, 5, 0, BASE + 6), s_type(1, 0, 17, BASE + 68), s_type(0, 0, 17, BASE + 71)]
    half = regs[1] >> 16
    stored[17] = half | (half & 0xFF) << 24
    words += [0x00C000EF, EBREAK, EBREAK, i_type(0x67, 2, 0, 1, 12)]  # jal x1, +12; jalr x2, 12(x1)
    at = 4 * (len(words) - 4)
    stored[18], stored[19] = at + 4, at + 16
    words += [s_type(2, 0, 1, BASE + 72), s_type(2, 0, 2, BASE + 76), EBREAK]
    return words, stored


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All designs and their bench as a program."""
    directory = tmp_path_factory.mktemp("designs")
    command = [str(express.bin_directory() / "verilator"), "--binary", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top"]
    command += [
        "designs_tb",
        "-CFLAGS",
        "-std=c++20 -fcoroutines -O0",
        "-MAKEFLAGS",
        "OPT_FAST=-O0 OPT_SLOW=-O0",
        "-Mdir",
        str(directory),
    ]
    sources = [str(BENCH), *map(str, sorted(DESIGNS.glob("*.v")))]
    env = express.environment(sys.executable, os.environ)
    subprocess.run([*command, *sources], check=True, capture_output=True, env=env)
    return directory / "Vdesigns_tb"


@compiled
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_designs_do_what_they_say(seed: int, simulation: Path, tmp_path: Path) -> None:
    words, stored = program(seed)
    memory = words + [0] * (128 - len(words)) + [0] * 128
    (tmp_path / "program.hex").write_text("\n".join(f"{word:08x}" for word in memory))
    assert len(words) <= 128
    lines = subprocess.run(
        [str(simulation)], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    said = [line for line in lines if not line.startswith(("memory ", "- "))]
    assert said == ["done"], lines
    assert [int(line.split()[1], 16) for line in lines if line.startswith("memory")] == stored


@pytest.mark.parametrize("name", ["alu", "uart"])
def test_designs_become_clean_chips(name: str, pdk: Pdk, tmp_path: Path) -> None:
    design = {"top": name, "verilog": (DESIGNS / f"{name}.v").read_text()}
    settings = {"CLOCK_PORT": "clk", "CLOCK_PERIOD": 20}
    found = results(drive(pdk, tmp_path, [{**design, "settings": settings}]))[name]
    assert "refused" not in found, found
    metrics = found["metrics"]
    assert {key: metrics[key] for key in CLEAN} == dict.fromkeys(CLEAN, 0)
    assert metrics["design__instance__count__stdcell"] > 140
