"""C programs that print each system call and what came of it, with a region at every block that they come to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"
LONG = 500      # seconds: every block is compiled, and the machine may have other work
pytestmark = pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")


def shown(engine: str, program: Path, room: Path, seed: int) -> tuple[str, int]:
    room.mkdir()
    run = subprocess.run(
        [sys.executable, "-m", "xenos", "run", "--engine", engine, str(program), str(room)], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LONG, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1] / "src"), "XENOS_EAGER": str(seed),
             **{key: os.environ[key] for key in ("XENOS_CACHE", "HOME") if key in os.environ}})
    return run.stdout.replace(str(room), "ROOM"), run.returncode


@pytest.mark.parametrize(("name", "seed"), [("mappings", 1)])
def test_guest_sees_what_it_does_with_stencils(name: str, seed: int, tmp_path: Path) -> None:
    program = tmp_path / name
    subprocess.run([CROSS, "-O1", "-w", "-static", HERE / "programs" / f"{name}.c", "-o", program], check=True)
    assert shown("eager", program, tmp_path / "a", seed) == shown("stencil", program, tmp_path / "b", seed)
