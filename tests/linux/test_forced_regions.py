"""C programs that print each system call and what came of it, with a region at every block that they come to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linux.hot_guests import empty_cache

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"
LONG = 500      # seconds: every block is compiled, and the machine may have other work
pytestmark = pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")


def shown(engine: str, program: Path, room: Path, seed: int, cache: Path) -> tuple[str, int, int]:
    """What the program prints, its status, and how many regions were made."""
    room.mkdir()
    run = subprocess.run(
        [sys.executable, "-m", "xenos", "run", "--engine", engine, "--stats", str(program), str(room)], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LONG, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1] / "src"), "XENOS_EAGER": str(seed),
             "XENOS_CACHE": str(cache), "HOME": os.environ["HOME"]})
    made = re.search(r"^xenos: ([\d,]+) regions of", run.stderr, re.M)
    return run.stdout.replace(str(room), "ROOM"), run.returncode, int(made[1].replace(",", "")) if made else 0


@pytest.mark.parametrize(("name", "seed"), [("mappings", 1)])
def test_guest_sees_what_it_does_with_stencils(name: str, seed: int, tmp_path: Path) -> None:
    program = tmp_path / name
    subprocess.run([CROSS, "-O1", "-w", "-static", HERE / "programs" / f"{name}.c", "-o", program], check=True)
    cache = empty_cache(tmp_path / "cache")
    out, status, none = shown("stencil", program, tmp_path / "a", seed, cache)
    first = shown("eager", program, tmp_path / "b", seed, cache)
    again = shown("eager", program, tmp_path / "c", seed, cache)     # with regions from the cache
    assert first[:2] == again[:2] == (out, status) and none == 0
    assert first[2] > 100 and again[2] < first[2] / 10
