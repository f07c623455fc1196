"""Descriptors of Xenos's own keep out of the guest's way, also where few may be open."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, resource, sys
from xenos.linux.descriptors import hidden
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, most))
first = os.open("/dev/null", os.O_RDONLY)
made = [hidden(first)]
made += [hidden(os.open("/dev/null", os.O_RDONLY)) for _ in range(9)]
again = os.open("/dev/null", os.O_RDONLY)
print(first == again, *made, resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("most", "where"), [
    (4096, list(range(900, 910))),
    (64, [*range(56, 64)]),
])
def test_hidden_descriptors_leave_the_low_numbers_free(most: int, where: list[int]) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(most)], capture_output=True, text=True, timeout=60, check=True)
    free, *rest = done.stdout.split(" ", 11)
    made = [int(fd) for fd in rest[:10]]
    assert made[: len(where)] == where
    assert all(fd < 10 for fd in made[len(where):])     # all numbers at the end are taken
    assert free == str(len(where) == len(made))
    assert rest[10].strip() == f"({most // 2}, {most})"
