"""Guests that get hot, for tests of what happens meanwhile: how they are built, and run by the region engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from xenos.engines.choose import bridge, cache_folder, make_engine, pack_ready

PROGRAMS = Path(__file__).parent / "programs"
SOURCE = Path(__file__).parents[2] / "src"
CROSS = "riscv64-linux-gnu-gcc"
LONG = 200      # seconds: the machine may have other work
ROUNDS, MANY = 30, 100      # of hot.c: half a second, and more
SHOWN = {ROUNDS: "c1af1921 29.9999700000014 779910\n", MANY: "f2646413 99.9999000000046 2599700\n"}     # natively, by gcc -O1
TRIES = 5


def build(name: str, folder: Path) -> Path:
    """One of the programs, for the guest."""
    program = folder / name
    subprocess.run([CROSS, "-O1", "-w", "-static", PROGRAMS / f"{name}.c", "-o", program], check=True)
    return program


def start(program: Path, rounds: int = ROUNDS, *, before: Callable[[], object] | None = None, jobs: int | None = None,
          engine: str = "region", **environment: str) -> subprocess.Popen[str]:
    """A run of it with `--stats`; `before` is called in the new process. With no `engine` that is whichever runs by default."""
    keep = {key: os.environ[key] for key in ("XENOS_CACHE", "HOME", "PATH") if key in os.environ}
    options = [*(["--engine", engine] if engine else []), "--stats", *(["--jobs", str(jobs)] if jobs is not None else [])]
    return subprocess.Popen(
        [sys.executable, "-m", "xenos", "run", *options, str(program), str(rounds)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before,
        env={"PYTHONPATH": str(SOURCE), **keep, **environment})


def end(run: subprocess.Popen[str], rounds: int = ROUNDS) -> str:
    """What a run of hot.c says, which does what it must."""
    out, err = run.communicate(timeout=LONG)
    assert (out, run.returncode) == (SHOWN[rounds], 0), err
    return err


def with_regions(begin: Callable[[int], subprocess.Popen[str]]) -> str:
    """What a run of hot.c says in which something was compiled; on a busy machine it may be over before."""
    for rounds in (ROUNDS, *[MANY] * TRIES):
        if regions(err := end(begin(rounds), rounds)):
            return err
    raise AssertionError(err)


def regions(told: str) -> int:
    """How many regions a run has taken in, from what it told."""
    found = re.search(r"xenos: ([\d,]+) regions of", told)
    assert found, told
    return int(found[1].replace(",", ""))


def empty_cache(folder: Path) -> Path:
    """A cache folder with libraries in it, and no code. They are made if no test has made them before."""
    if not pack_ready("riscv64"):
        make_engine("stencil", "riscv64")
    bridge()
    # What another process is writing there meanwhile has a dot in its name, and is gone in a moment.
    shutil.copytree(Path(cache_folder()) / "packs", folder / "packs", ignore=shutil.ignore_patterns("*.*"))
    return folder
