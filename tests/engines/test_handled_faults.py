"""A guest that handles the faults of its own loops sees the same registers, and goes on the same, in regions and in stencils."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"


@pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
def test_faults_that_the_guest_handles(tmp_path: Path) -> None:
    program = tmp_path / "handled_faults"
    subprocess.run([CROSS, "-O1", "-w", "-static", HERE / "programs" / "handled_faults.c", "-o", program], check=True)
    names = subprocess.run([CROSS.replace("gcc", "nm"), program], capture_output=True, text=True, check=True).stdout
    low, high = (re.search(rf"^0*([0-9a-f]+) T {name}$", names, re.MULTILINE)[1]     # type: ignore[index]
                 for name in ("first_of_all", "last_of_all"))
    shown = []
    for within in (("0", "0"), (low, high)):
        run = subprocess.run(
            [sys.executable, "-m", "engines.run_hot", *within, str(program)], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=200, check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{HERE.parents[1] / 'src'}:{HERE.parent}",
                 **{key: os.environ[key] for key in ("XENOS_CACHE", "HOME") if key in os.environ}})
        assert run.returncode == 42, run.stderr
        shown.append(run.stdout.splitlines())
    assert shown[0] == shown[1]
    assert "187 handled" in shown[0][-1]
    regions, faults = map(int, re.findall(r"(\d+) (?:regions|faults)", run.stderr))
    assert regions >= 7 and faults >= 20
