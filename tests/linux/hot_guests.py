"""Guests that get hot, for tests of what happens meanwhile: how they are built, and run by the region engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from xenos.engines.choose import cache_folder

PROGRAMS = Path(__file__).parent / "programs"
SOURCE = Path(__file__).parents[2] / "src"
CROSS = "riscv64-linux-gnu-gcc"
LONG = 200      # seconds: the machine may have other work
ROUNDS = 30     # of hot.c: half a second
SHOWN = "c1af1921 29.9999700000014 779910\n"     # by hot.c with stencils, with qemu, and natively by gcc -O1


def build(name: str, folder: Path) -> Path:
    """One of the programs, for the guest."""
    program = folder / name
    subprocess.run([CROSS, "-O1", "-w", "-static", PROGRAMS / f"{name}.c", "-o", program], check=True)
    return program


def start(program: Path, rounds: int = ROUNDS, *, before: Callable[[], object] | None = None, jobs: int | None = None,
          **environment: str) -> subprocess.Popen[str]:
    """A run of it with `--stats`; `before` is called in the new process."""
    keep = {key: os.environ[key] for key in ("XENOS_CACHE", "HOME", "PATH") if key in os.environ}
    options = ["--engine", "region", "--stats", *(["--jobs", str(jobs)] if jobs is not None else [])]
    return subprocess.Popen(
        [sys.executable, "-m", "xenos", "run", *options, str(program), str(rounds)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before,
        env={"PYTHONPATH": str(SOURCE), **keep, **environment})


def regions(told: str) -> int:
    """How many regions a run has taken in, from what it told."""
    found = re.search(r"xenos: ([\d,]+) regions of", told)
    assert found, told
    return int(found[1].replace(",", ""))


def empty_cache(folder: Path) -> Path:
    """A cache folder with libraries in it, and no code."""
    shutil.copytree(Path(cache_folder()) / "packs", folder / "packs")
    return folder
