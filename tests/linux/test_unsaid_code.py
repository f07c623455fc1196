"""Guest code that changes unsaid: rewritten in memory, it runs as it was written last; gone with its file, it is a bus error."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"
pytestmark = pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
EXPECTED = """\
from elsewhere 14850
in shared memory 4950
beside data 19900 1333300
in line 19900
kernel 5 8 7 8 8 0 1 8 64 8
by a thread 77 1
by threads, wrong 0
protected 112233445
child 34 parent 3 5
moved 1 1 2 3 0 4 5
across pages 245
said 1225
from elsewhere 14850
"""
SHORTENED = "".join(f"""\
{how}: whole 31 63
  first page 31
  second page -7 code 2 at its start 1
  into it -7 code 2 at its start 1
  half of it -7 code 2 at its second 1
  whole again 31 31
""" for how in ("private", "shared")) + "while it is read: all told 1\n"


def check(name: str, engine: str, expected: str, folder: Path) -> None:
    program = folder / name
    subprocess.run([CROSS, "-O1", "-w", "-static", HERE / "programs" / f"{name}.c", "-o", program], check=True)
    run = subprocess.run(
        [sys.executable, "-m", "xenos", "run", "--engine", engine, str(program)], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=100, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1] / "src"),
             **{key: os.environ[key] for key in ("XENOS_CACHE", "HOME") if key in os.environ}},
    )
    assert run.stdout == expected, run.stderr
    assert run.returncode == 42


@pytest.mark.parametrize("engine", ["stencil", "reference", "lockstep"])
def test_code_runs_as_it_was_written_last(engine: str, tmp_path: Path) -> None:
    check("unsaid", engine, EXPECTED, tmp_path)


def test_code_of_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    check("shortened", "stencil", SHORTENED, tmp_path)
