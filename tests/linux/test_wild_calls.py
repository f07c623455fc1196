"""A sample of the calls that make no sense; `make fuzz` makes them without end."""

import subprocess
import sys
from pathlib import Path

import pytest

from linux import sandbox
from linux.wild_guest import build, judge, wrong_compiler

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not sandbox.available(), reason="needs namespaces, as root or for users")
@pytest.mark.parametrize("seed", [1, 2])
def test_the_process_survives_all_arguments(seed: int, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "linux.wild_calls", str(tmp_path), str(seed), "4000"], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "COMPARE_MAPS": "100"},
    )
    assert (run.stdout, run.returncode) == ("ok\n", 0), run.stderr


@pytest.mark.skipif(not sandbox.available(), reason="needs namespaces, as root or for users")
@pytest.mark.skipif(bool(wrong_compiler()), reason=wrong_compiler())
def test_xenos_survives_a_guest_that_makes_them(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    assert judge(build(tmp_path), 3, 8000, str(tmp_path / "room")) == ""
