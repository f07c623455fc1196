"""What regions cost in memory and time stays within its limits, and the benchmark reads what `--stats` tells."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bench.contenders import Contender
from bench.regions import PARENT, TOLD, TREE, Guest, measure
from bench.workloads.flat import write
from linux.hot_guests import CROSS, LONG, MANY, SOURCE, TRIES, build, empty_cache, regions, start


@pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
def test_memory_is_bounded(tmp_path: Path) -> None:
    empty_cache(tmp_path / "xenos")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(SOURCE)}
    environment.pop("XENOS_CACHE", None)
    command = [sys.executable, "-m", "xenos", "run", "--engine", "region"]
    guest = Guest("hot", build("hot", tmp_path), [str(MANY)])
    for _ in range(TRIES):
        cost = measure(guest, Contender("xenos", command, "--sysroot", environment))
        if cost.told["regions"]:
            break
    assert all(cost.told[what] > 0 for what in TOLD), cost
    assert 0 < cost.stencil < cost.tree < TREE and cost.parent - cost.stencil < PARENT, cost


def test_the_flat_file_is_always_the_same(tmp_path: Path) -> None:
    for lines in 600, 10_000:
        for name in "one.c", "other.c":
            write(tmp_path / name, lines)
        assert (tmp_path / "one.c").read_bytes() == (tmp_path / "other.c").read_bytes()
        assert len((tmp_path / "one.c").read_text().splitlines()) == lines


@pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
def test_numbers_of_two_kinds_in_one_register(tmp_path: Path) -> None:
    """Now and then a region is come to with what it does not want: stencils go on. That was left to the reference engine, which
    took more than a minute."""
    program, cache = build("kinds", tmp_path), empty_cache(tmp_path / "cache")
    for rounds in (400, *[1000] * TRIES):       # on a busy machine it may be over before
        _, told = start(program, rounds, XENOS_CACHE=str(cache)).communicate(timeout=LONG // 5)
        if regions(told):
            break
    out, again = start(program, rounds, XENOS_CACHE=str(cache)).communicate(timeout=LONG // 5)
    assert regions(told) and out.startswith(("653.325", "1633.31")), (out, told, again)
