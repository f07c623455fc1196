"""Regions keep no registers for faults that nobody sees: a program ends as ever, and from when it has a handler, that sees all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.kit import DATA, EXIT, TEXT, elf, write, xenos
from linux.hot_guests import CROSS, LONG, SOURCE, TRIES, build, empty_cache, regions, start

pytestmark = pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
ROUNDS = {"stencil": "50", "region": "100000", "eager": "50"}
HANDLED = {"stencil": "6", "region": "20", "eager": "6"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("unseen", tmp_path_factory.mktemp("unseen"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all these runs: what is wild in one of them is found by the next."""
    return empty_cache(tmp_path_factory.mktemp("cache") / "xenos")


def shown(engine: str, program: Path, how: str, cache: Path, seed: int = 0) -> tuple[str, str, int]:
    """What a run prints but for the sum of its rounds, which are fewer where all is compiled; how Xenos says that it crashed."""
    run = subprocess.run(
        [sys.executable, "-m", "xenos", "run", "--engine", engine, program, how, ROUNDS[engine], HANDLED[engine]],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "XENOS_CACHE": str(cache), "XENOS_EAGER": f"{seed}:0.1"})
    return run.stdout.partition("\n")[2], run.stderr, run.returncode


ENGINES = [("region", 0), ("eager", 0), ("eager", 1)]


@pytest.mark.parametrize(("engine", "seed"), ENGINES)
@pytest.mark.parametrize("how", ["died", "bus"])
def test_a_fault_that_ends_a_program_is_told_with_its_place(
    engine: str, seed: int, how: str, program: Path, cache: Path,
) -> None:
    out, told, status = shown(engine, program, how, cache, seed)
    assert (out, told, status) == shown("stencil", program, how, cache)
    assert status == 128 + (7 if how == "bus" else 11)
    assert "<sum+" in told


@pytest.mark.parametrize(("engine", "seed"), ENGINES)
def test_a_handler_sees_all_registers(engine: str, seed: int, program: Path, cache: Path) -> None:
    got = shown(engine, program, "handled", cache, seed)
    assert got == shown("stencil", program, "handled", cache)
    assert got[0].startswith("signal 11 at 4096\n") and got[2] == 5


@pytest.mark.parametrize(("engine", "seed"), ENGINES)
def test_a_handler_sees_them_in_other_threads_too(engine: str, seed: int, program: Path, cache: Path) -> None:
    assert shown(engine, program, "others", cache, seed) == ("wrong 0\n", "", 0)


def test_a_handler_that_comes_late_leaves_a_program_its_regions(tmp_path: Path) -> None:
    """Its code had been come to before, when no handler was there: what is compiled afterwards is as the handler wants it."""
    late, cache = build("late", tmp_path), empty_cache(tmp_path / "cache")
    for rounds in (300, *[1000] * TRIES):       # on a busy machine it may be over before
        out, told = start(late, rounds, XENOS_CACHE=str(cache)).communicate(timeout=LONG)
        if regions(told):
            break
    assert regions(told) and len(out) == 9, (out, told)


def test_who_gets_a_handler_gets_regions_behind_it(tmp_path: Path) -> None:
    """They were refused for good: made in vain, as those of code that nobody sees fail, as long as there was none of these yet."""
    loop = ["lui a0, 0x8000", "addi a0, a0, -1", "bne a0, zero, -4"]
    handled = ["addi a0, zero, 11", f"lui a1, {DATA >> 12}", "addi a2, zero, 0", "addi a3, zero, 8", "addi a7, zero, 134", "ecall"]
    program = write(tmp_path, elf([*handled, *loop, *EXIT], TEXT.to_bytes(8, "little") + bytes(16)))
    cache = empty_cache(tmp_path / "cache")
    ended = xenos("run", "--engine", "eager", "--stats", program, XENOS_EAGER="0:0.0001", XENOS_CACHE=str(cache))
    assert ended.status == 0 and regions(ended.stderr) > 0, ended.stderr
