"""Code of a file over part of which another was mapped, before that part was come to: it is not kept as the file's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linux.hot_guests import CROSS, SOURCE, build, empty_cache

pytestmark = pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")


@pytest.mark.parametrize("engine", ["stencil", "region"])
def test_a_file_keeps_its_code(engine: str, tmp_path: Path) -> None:
    program, cache = build("over", tmp_path), empty_cache(tmp_path / "cache")
    for over in (["over"], [], ["over"]):
        run = subprocess.run([sys.executable, "-m", "xenos", "run", "--engine", engine, program, tmp_path, *over], check=True,
                             capture_output=True, text=True, env={"PYTHONPATH": str(SOURCE), "XENOS_CACHE": str(cache)})
        assert run.stdout.split() == ["1", "12" if over else "2"]
