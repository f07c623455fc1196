"""A guest's timers and blocked signals end with it: what runs behind its end, in the same process of the host, is not hit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"


@pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
@pytest.mark.parametrize(("name", "times"), [("alarm", 3), ("pending", 1)])
def test_a_signal_that_still_comes(name: str, times: int, tmp_path: Path) -> None:
    program = tmp_path / name
    subprocess.run([CROSS, "-O1", "-static", HERE / "programs" / f"{name}.c", "-o", program], check=True)
    for _ in range(times):
        run = subprocess.run(
            [sys.executable, "-m", "xenos", "run", str(program)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=100, check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1] / "src"),
                 **{key: os.environ[key] for key in ("XENOS_CACHE", "HOME") if key in os.environ}})
        assert (run.stdout, run.stderr, run.returncode) == ("on\n", "", 42)
