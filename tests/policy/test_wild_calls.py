"""A sample of the calls that make no sense, made by a confined guest."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from linux import sandbox

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not sandbox.available(), reason="needs namespaces, as root or for users")
@pytest.mark.parametrize("seed", [3, 4])    # without and with a limit of memory
def test_rules_survive_all_arguments(seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="xe-") as folder:   # not pytest's: the guest is nobody, and must get there
        run = subprocess.run(
            [sys.executable, "-m", "policy.wild_calls", folder, str(seed), "4000"], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=120, check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"},
        )
    assert (run.stdout, run.returncode) == ("ok\n", 0), run.stderr
