"""A guest's timers end with it: what runs behind its end, in the same process of the host, is not hit by their signals."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"


@pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
def test_a_timer_that_still_rings(tmp_path: Path) -> None:
    program = tmp_path / "alarm"
    subprocess.run([CROSS, "-O1", "-static", HERE / "programs" / "alarm.c", "-o", program], check=True)
    for _ in range(3):
        run = subprocess.run(
            [sys.executable, "-m", "xenos", "run", str(program)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=100, check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1] / "src"),
                 **{key: os.environ[key] for key in ("XENOS_CACHE", "HOME") if key in os.environ}})
        assert (run.stdout, run.stderr, run.returncode) == ("on\n", "", 42)
