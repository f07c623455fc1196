"""A sample of the calls that make no sense, made by a confined guest."""

import subprocess
import sys
from pathlib import Path

import pytest

from linux import sandbox

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not sandbox.available(), reason="needs namespaces, as root or for users")
@pytest.mark.parametrize("seed", [3, 4])    # without and with a limit of memory
def test_rules_survive_all_arguments(seed: int, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "policy.wild_calls", str(tmp_path), str(seed), "4000"], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"},
    )
    assert (run.stdout, run.returncode) == ("ok\n", 0), run.stderr
