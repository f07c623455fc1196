"""Guest code that is rewritten in memory, and no instruction or call says so: it runs as it was written last."""

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
beside data 19900 1333300
in line 19900
kernel 5 8 7 8 8 0 1 8 64 8
by a thread 77 1
protected 112233445
child 34 parent 3 5
moved 1 1 2 3 0 4 5
across pages 245
said 1225
from elsewhere 14850
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("unsaid") / "unsaid"
    subprocess.run([CROSS, "-O1", "-w", "-static", HERE / "programs" / "unsaid.c", "-o", made], check=True)
    return made


@pytest.mark.parametrize("engine", ["stencil", "reference", "lockstep"])
def test_code_runs_as_it_was_written_last(engine: str, program: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "xenos", "run", "--engine", engine, str(program)], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=100, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1] / "src"),
             **{key: os.environ[key] for key in ("XENOS_CACHE", "HOME") if key in os.environ}},
    )
    assert run.stdout == EXPECTED, run.stderr
    assert run.returncode == 42
