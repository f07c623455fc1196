"""Guests that make code all the time: sums are right while it is collected, threads hardly stop, memory stays bounded.

The program (bench/calls/churn.c) checks each sum that its functions return.
"""

import shutil
import sys
from pathlib import Path

import pytest

from bench.collection import SOURCE, Churned, churn
from bench.contenders import GUEST_COMPILER, build

pytestmark = pytest.mark.skipif(not shutil.which(GUEST_COMPILER), reason=f"needs {GUEST_COMPILER}")


@pytest.fixture(scope="module")
def program() -> Path:
    return build(SOURCE, guest=True)


def run(program: Path, *arguments: str) -> Churned:
    return churn([sys.executable, "-m", "xenos", "run", "--stats", str(program), *arguments])


def test_64_megabytes_of_code_stop_nobody_for_a_millisecond(program: Path) -> None:
    """Two threads; what they leave behind is in nobody's way."""
    few, many = run(program, "2", "1", "fresh"), run(program, "2", "9", "fresh")
    assert many.collected > 48 and many.collections > 10 and many.stops > many.collections
    assert 0 < many.most < 1, "99 % of the stops, in milliseconds"
    assert many.again < 20
    # 8 MiB of the guest's own, 8 MB of code and what is known of it: not the 70 MB that were made, and as much again.
    assert many.memory - few.memory < 60 << 10


@pytest.mark.parametrize("how", ["reuse", "reuse signals", "dual signals", "fresh faults", "fresh forks", "reuse faults signals"])
def test_sums_are_right_while_code_is_collected(how: str, program: Path) -> None:
    assert run(program, "2", "3", *how.split()).collections >= 2


def test_more_threads_than_processors(program: Path) -> None:
    assert run(program, "7", "4", "reuse").collections >= 2
